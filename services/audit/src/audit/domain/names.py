"""Who and what a package's story is about: providers' names and ranks, stages and prices, as the record has them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from contracts.events.base import Event
from contracts.events.listings import ProposalReceived
from contracts.events.packages import OfferMade, StageEntered
from contracts.ids import ProposalId, ProviderId
from contracts.values import Channel, Terms

LONDON: Final = ZoneInfo("Europe/London")


@dataclass(frozen=True)
class Cast:
    """What a sentence needs to know beyond its own event."""

    names: Mapping[ProviderId, str] = field(default_factory=dict[ProviderId, str])
    ranks: Mapping[tuple[str, ProviderId], int] = field(default_factory=dict[tuple[str, ProviderId], int])
    proposals: Mapping[ProposalId, Terms] = field(default_factory=dict[ProposalId, Terms])

    @classmethod
    def of(cls, events: Iterable[Event], names: Mapping[ProviderId, str]) -> "Cast":
        ranks: dict[tuple[str, ProviderId], int] = {}
        proposals: dict[ProposalId, Terms] = {}
        for event in events:
            if isinstance(event, StageEntered):
                ranks |= {(event.stage, each.provider_id): each.rank for each in event.candidates}
            elif isinstance(event, OfferMade):
                ranks[event.stage, event.provider_id] = event.rank
            elif isinstance(event, ProposalReceived):
                proposals[event.proposal_id] = event.terms
        return cls(names, ranks, proposals)

    def name(self, provider_id: ProviderId) -> str:
        return self.names.get(provider_id, f"provider {provider_id}")

    def ranked(self, provider_id: ProviderId, stage: str) -> str:
        """`Alder (rank 1 of tier 1)`; without the rank where the stage has none."""
        rank = self.ranks.get((stage, provider_id))
        return self.name(provider_id) + ("" if rank is None else f" (rank {rank} of {stage_words(stage)})")

    def all_names(self, provider_ids: Iterable[ProviderId]) -> str:
        return listed(self.name(each) for each in provider_ids)

    def actor(self, actor: str) -> str:
        """`officer 7f3a`, `sourcing`, or the provider's name, with the link where one answered for it."""
        kind, _, who = actor.partition(":")
        if kind in {"provider", "link"}:
            name = next((name for known, name in self.names.items() if str(known) == who), f"provider {who}")
            return name if kind == "provider" else f"{name} (by the link of its mail)"
        return who if kind == "service" else f"{kind} {who}"


def listed(words: Iterable[str]) -> str:
    """`a, b and c`"""
    *most, last = list(words) or [""]
    return f"{', '.join(most)} and {last}" if most else last


def stage_words(stage: str) -> str:
    return stage.replace("-", " ")


def pounds(amount: Decimal) -> str:
    return f"£{amount:,.2f}"


def priced(terms: Terms) -> str:
    """`£24.10 an hour, £84.35 a week`"""
    return f"{rate(terms.rate, terms.unit.value)}, {pounds(terms.weekly_cost)} a week"


def rate(amount: Decimal, unit: str) -> str:
    return f"{pounds(amount)} {'an' if unit == 'hour' else 'a'} {unit}"


def day(on: date) -> str:
    return f"{on:%a} {on.day} {on:%b %Y}"


def instant(at: datetime) -> str:
    """Wall-clock time in London, with its zone: `Mon 2 Mar 2026 09:15:00 GMT`."""
    local = at.astimezone(LONDON)
    return f"{day(local.date())} {local:%H:%M:%S %Z}"


def by(channel: Channel) -> str:
    return "telephone" if channel is Channel.PHONE else channel.value
