"""The history of a test's market as events on record: what replays read, made of the snapshots of a search driver."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from contracts.events.base import ProviderEvent
from contracts.events.frameworks import RankedListPublished
from contracts.events.providers import (
    CapacityDeclared,
    ChannelsChanged,
    EligibilityChanged,
    EmbargoLifted,
    EmbargoReason,
    ProviderEmbargoed,
)
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AreaCode, ProviderId, TierKey
from sourcing.domain.market import MarketSnapshot, ProviderFacts
from sourcing.domain.market_selection import list_areas
from sourcing.domain.recorded_facts import FactReader, FactReading, RecordedFact
from sourcing.domain.recorded_market import RecordedDefinition, RecordedList, RecordedMarket, RecordedPlacement
from testkit.sourcing.builders import list_holders, some_care
from testkit.sourcing.definitions import AREA, FRAMEWORK

LONG_BEFORE: Final = timedelta(days=5)
"""How long before the first snapshot its entries were published."""


@dataclass
class MarketHistory:
    """Notes each change of a market as the events that would have caused it.

    Entries are never unpublished: where a snapshot lacks one that was noted before, the older one stays. A ranked list
    that differs is its next version.
    """

    definitions: list[RecordedDefinition] = field(default_factory=list[RecordedDefinition])
    lists: list[RecordedList] = field(default_factory=list[RecordedList])
    facts: dict[ProviderId, list[RecordedFact]] = field(default_factory=dict[ProviderId, list[RecordedFact]])
    placements: list[RecordedPlacement] = field(default_factory=list[RecordedPlacement])
    _free_hours: dict[ProviderId, Decimal] = field(default_factory=dict[ProviderId, Decimal])

    @property
    def market(self) -> RecordedMarket:
        return RecordedMarket(self.definitions, self.lists, self.facts, self.placements)

    def note(self, snapshot: MarketSnapshot, at: datetime) -> MarketSnapshot:
        """Notes what is new in the snapshot, and returns it as the projections would give it."""
        at = at if self.facts or self.lists or self.definitions else at - LONG_BEFORE
        if snapshot.definition is not None:
            self.publish(snapshot.definition, at)
        if snapshot.target is not None:
            self.publish(snapshot.target, at)
        for tier, ranked in snapshot.ranked_lists.items():
            self._note_list(tier, ranked, at)
        for facts in snapshot.facts.values():
            self._note_facts(facts, at)
        definition = snapshot.definition or next((each.definition for each in self.definitions[-1:]), None)
        facts = {provider: self._build_facts(provider, definition, at) for provider in self.facts}
        return replace(
            snapshot,
            definition=definition,
            ranked_lists={each.ranked_list.tier: each.ranked_list for each in self.lists},
            facts=facts,
            holders=list_holders(facts.values()),
        )

    def publish(self, definition: FrameworkDefinition, at: datetime) -> None:
        """Publishes a version that is not published yet."""
        if definition.version not in {each.definition.version for each in self.definitions}:
            self.definitions.append(RecordedDefinition(definition, at))

    def _note_list(self, tier: TierKey, ranked: RankedListPublished, at: datetime) -> None:
        known = [each.ranked_list for each in self.lists if each.ranked_list.tier == tier]
        if not known:
            self.lists.append(RecordedList(ranked, at))
        elif known[-1].ranking != ranked.ranking:
            version = known[-1].list_version + 1
            self.lists.append(RecordedList(ranked.model_copy(update={"list_version": version}), at))

    def _note_facts(self, facts: ProviderFacts, at: datetime) -> None:
        stream = self.facts.setdefault(facts.provider_id, [])
        for event in self._list_changes(facts, at):
            stream.append(RecordedFact(event, len(stream) + 1, at))

    def _list_changes(self, facts: ProviderFacts, at: datetime) -> Iterator[ProviderEvent]:
        provider = facts.provider_id
        if facts.eligibility is not None and facts.eligibility != self._find(provider, EligibilityChanged):
            yield facts.eligibility
        channels = None if facts.channels is None else ChannelsChanged(provider_id=provider, channels=facts.channels)
        if channels is not None and channels != self._find(provider, ChannelsChanged):
            yield channels
        if facts.embargoed != isinstance(self._find(provider, ProviderEmbargoed, EmbargoLifted), ProviderEmbargoed):
            yield (
                ProviderEmbargoed(provider_id=provider, reason=EmbargoReason.SAFEGUARDING)
                if facts.embargoed
                else EmbargoLifted(provider_id=provider)
            )
        if facts.free_hours is not None and facts.free_hours != self._free_hours.get(provider):
            self._free_hours[provider] = facts.free_hours
            yield CapacityDeclared(provider_id=provider, area=AREA, free_hours=facts.free_hours, declared_at=at)
        known = [each.event for each in self.facts[provider]]
        yield from (each for each in facts.rates.values() if each not in known)

    def _find(self, provider: ProviderId, *kinds: type[ProviderEvent]) -> ProviderEvent | None:
        return next((each.event for each in reversed(self.facts[provider]) if isinstance(each.event, kinds)), None)

    def _build_facts(self, provider: ProviderId, definition: FrameworkDefinition | None, at: datetime) -> ProviderFacts:
        care = some_care(framework=FRAMEWORK)
        areas: tuple[AreaCode, ...] = (care.area,) if definition is None else list_areas(definition, care)
        reading = FactReading(care, areas, named={}, absent=frozenset(), at=at)
        return FactReader(provider, self.facts[provider], reading).build(self._free_hours.get(provider))
