"""Names and formats in sentences of a trail: providers with ranks, stages, prices and times."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from contracts.events.base import Event
from contracts.events.listings import ProposalReceived
from contracts.events.offers import AcceptancesOrdered, OfferMade
from contracts.events.searches import StageEntered
from contracts.ids import ProposalId, ProviderId
from contracts.office_time import to_office_time
from contracts.values import Channel, Terms


@dataclass(frozen=True)
class Names:
    """The providers, ranks and proposals that a sentence needs beyond its own event."""

    providers: Mapping[ProviderId, str] = field(default_factory=dict[ProviderId, str])
    ranks: Mapping[tuple[str, ProviderId], int] = field(default_factory=dict[tuple[str, ProviderId], int])
    proposals: Mapping[ProposalId, Terms] = field(default_factory=dict[ProposalId, Terms])

    @classmethod
    def from_events(cls, events: Iterable[Event], names: Mapping[ProviderId, str]) -> "Names":
        ranks: dict[tuple[str, ProviderId], int] = {}
        proposals: dict[ProposalId, Terms] = {}
        for event in events:
            if isinstance(event, StageEntered | AcceptancesOrdered):
                ranks |= {(event.stage, each.provider_id): each.rank for each in event.candidates}
            elif isinstance(event, OfferMade):
                ranks[event.stage, event.provider_id] = event.rank
            elif isinstance(event, ProposalReceived):
                proposals[event.proposal_id] = event.terms
        return cls(names, ranks, proposals)

    def find_name(self, provider_id: ProviderId) -> str:
        return self.providers.get(provider_id, f"provider {provider_id}")

    def name_with_rank(self, provider_id: ProviderId, stage: str) -> str:
        """Returns `Alder (rank 1 of tier 1)`, or the name alone if the provider has no rank in the stage."""
        rank = self.ranks.get((stage, provider_id))
        return self.find_name(provider_id) + ("" if rank is None else f" (rank {rank} of {format_stage(stage)})")

    def name_providers(self, provider_ids: Iterable[ProviderId]) -> str:
        return join_phrases(self.find_name(each) for each in provider_ids)

    def name_actor(self, actor: str) -> str:
        """Returns `officer 7f3a`, `sourcing`, or the provider's name; adds that the provider used a link in a mail."""
        kind, _, who = actor.partition(":")
        if kind in {"provider", "link"}:
            name = next((name for known, name in self.providers.items() if str(known) == who), f"provider {who}")
            return name if kind == "provider" else f"{name} (by the link of its mail)"
        return who if kind == "service" else f"{kind} {who}"


def join_phrases(phrases: Iterable[str]) -> str:
    """Returns `a, b and c`."""
    *first, last = list(phrases) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def format_stage(stage: str) -> str:
    return format_word(stage)


def format_word(key: str) -> str:
    """Returns a key of the framework's definition as words: `personal-care` is `personal care`."""
    return key.replace("-", " ")


def format_pounds(amount: Decimal) -> str:
    return f"£{amount:,.2f}"


def format_terms(terms: Terms) -> str:
    """Returns `£24.10 an hour, £84.35 a week`; for several lines each rate with its item."""
    if len(terms.lines) == 1:
        rates = format_rate(terms.rate, terms.lines[0].unit)
    else:
        rates = join_phrases(f"{format_rate(each.rate, each.unit)} ({format_word(each.item)})" for each in terms.lines)
    return f"{rates}, {format_costs(terms.weekly_cost, terms.fixed_cost)}"


def format_costs(weekly: Decimal, fixed: Decimal) -> str:
    """Returns `£84.35 a week`, `£1,174.00 once`, or both."""
    parts = [
        f"{format_pounds(weekly)} a week" if weekly or not fixed else "",
        f"{format_pounds(fixed)} once" if fixed else "",
    ]
    return join_phrases(filter(None, parts))


def format_rate(amount: Decimal, unit: str) -> str:
    """Returns `£24.10 an hour`; `unit` is a key of the definition."""
    starts_with_vowel_sound = unit.startswith(("hour", "a", "e", "i", "o"))
    return f"{format_pounds(amount)} {'an' if starts_with_vowel_sound else 'a'} {format_word(unit)}"


def format_day(on: date) -> str:
    return f"{on:%a} {on.day} {on:%b %Y}"


def format_instant(at: datetime) -> str:
    """Returns wall-clock time in London with its zone: `Mon 2 Mar 2026 09:15:00 GMT`."""
    local = to_office_time(at)
    return f"{format_day(local.date())} {local:%H:%M:%S %Z}"


def format_channel(channel: Channel) -> str:
    return "telephone" if channel is Channel.PHONE else channel.value
