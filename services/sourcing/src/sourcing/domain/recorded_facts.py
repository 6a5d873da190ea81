"""What was known of a provider at a decision, from the provider's events on record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Generic, TypeVar

from contracts.events.base import ProjectionVersion, ProviderEvent
from contracts.events.providers import (
    CapacityDeclared,
    ChannelsChanged,
    EligibilityChanged,
    EmbargoLifted,
    ProviderEmbargoed,
)
from contracts.events.rates import RatesSelected, make_rates_key
from contracts.ids import AreaCode, ProviderId
from contracts.values import Care
from sourcing.domain.market import CHANNELS, ELIGIBILITY, RATES, ProviderFacts

EMBARGOES: Final = "embargoes"
CAPACITY: Final = "capacity"

EventT = TypeVar("EventT", bound=ProviderEvent)


@dataclass(frozen=True)
class RecordedFact:
    """One event of a provider's stream, with its sequence there and its instant."""

    event: ProviderEvent
    sequence: int
    at: datetime


@dataclass(frozen=True)
class FactReading:
    """What a decision reads of each provider.

    `named` are the versions that it states, by view and key; `absent` the entries that it lacked, each `view/key`.
    """

    care: Care
    areas: Sequence[AreaCode]
    named: Mapping[tuple[str, str], int]
    absent: frozenset[str]
    at: datetime


@dataclass(frozen=True)
class _Found(Generic[EventT]):
    event: EventT
    version: ProjectionVersion


@dataclass(frozen=True)
class FactReader:
    """Finds what was known of one provider: the versions that the decision states, else the newest at its instant."""

    provider_id: ProviderId
    facts: Sequence[RecordedFact]
    reading: FactReading

    def find_capacity(self) -> CapacityDeclared | None:
        found = self._find_capacity()
        return None if found is None else found.event

    def build(self, free_hours: Decimal | None) -> ProviderFacts:
        """Build the provider's facts with the versions that they come from, in the order in which decisions state them.

        `free_hours` are those declared less those placed since.
        """
        own = str(self.provider_id)
        eligibility = self._find(ELIGIBILITY, own, (EligibilityChanged,))
        channels = self._find(CHANNELS, own, (ChannelsChanged,))
        embargo = self._find(EMBARGOES, own, (ProviderEmbargoed, EmbargoLifted))
        rates = {area: found for area in self.reading.areas if (found := self._find_rates(area)) is not None}
        found = (eligibility, channels, embargo, self._find_capacity(), *rates.values())
        return ProviderFacts(
            provider_id=self.provider_id,
            eligibility=None if eligibility is None else eligibility.event,
            channels=None if channels is None else channels.event.channels,
            embargoed=embargo is not None and isinstance(embargo.event, ProviderEmbargoed),
            free_hours=free_hours,
            rates={area: each.event for area, each in rates.items()},
            projection_uses=tuple(each.version for each in found if each is not None),
        )

    def _find_capacity(self) -> _Found[CapacityDeclared] | None:
        return self._find(CAPACITY, f"{self.provider_id}/{self.reading.care.area}", (CapacityDeclared,))

    def _find_rates(self, area: AreaCode) -> _Found[RatesSelected] | None:
        key = make_rates_key(self.provider_id, self.reading.care.framework, area)
        return self._find(RATES, key, (RatesSelected,))

    def _find(self, view: str, key: str, kinds: tuple[type[EventT], ...]) -> _Found[EventT] | None:
        if f"{view}/{key}" in self.reading.absent:
            return None
        candidates = [
            (fact, fact.event) for fact in self.facts if isinstance(fact.event, kinds) and _get_key(fact.event) == key
        ]
        if self._is_named:
            wanted = self.reading.named.get((view, key))
            candidates = [(fact, event) for fact, event in candidates if fact.sequence == wanted]
        else:
            candidates = [(fact, event) for fact, event in candidates if fact.at <= self.reading.at]
        if not candidates:
            return None
        fact, event = candidates[-1]
        return _Found(event, ProjectionVersion(view=view, key=key, sequence=fact.sequence))

    @property
    def _is_named(self) -> bool:
        """Whether the decision states which versions it used of this provider; it then used no others."""
        return any(key.partition("/")[0] == str(self.provider_id) for _, key in self.reading.named)


def _get_key(event: ProviderEvent) -> str:
    """Return the key of the event's entry in its projection."""
    match event:
        case CapacityDeclared():
            return f"{event.provider_id}/{event.area}"
        case RatesSelected():
            return make_rates_key(event.provider_id, event.framework, event.area)
        case _:
            return str(event.provider_id)
