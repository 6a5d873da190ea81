"""The turns of a stage's candidates in words: what decided about the order, and why a provider came where it did."""

from collections.abc import Sequence
from uuid import UUID

from audit.domain.names import Names, format_day, format_pounds, format_stage, format_word, join_phrases
from contracts.events.offers import AcceptancesOrdered
from contracts.events.searches import ListUsed, StageCandidate, StageEntered
from contracts.ids import ProviderId, TierKey
from contracts.office_time import to_office_date
from contracts.values import Order


def describe_stage_order(stage: StageEntered) -> str:
    """Returns what decides who comes first: `by ranked list (version 7 of tier 1)`."""
    lists = join_phrases(_describe_list_used(each) for each in stage.lists)
    return _describe_order(stage.order, stage.seed) + (f" ({lists})" if lists else "")


def describe_acceptance_order(ordered: AcceptancesOrdered) -> str:
    """Returns what decides among those who accepted: `by price, then rotation`."""
    return _describe_order(ordered.order, ordered.seed)


def _describe_order(orders: Sequence[Order], seed: UUID | None) -> str:
    words = ", then ".join(format_word(each.value) for each in orders)
    return f"by {words}" if seed is None else f"by {words}; ties by a draw with the seed {seed}"


def _describe_list_used(used: ListUsed) -> str:
    group = "" if used.group is None else f", group {format_word(used.group)}"
    return f"version {used.list_version} of {format_word(used.tier)}{group}"


def list_candidates(candidates: Sequence[StageCandidate], names: Names) -> str:
    """Returns `1 Alder, 2 Birch (number 2)`, or `no provider`."""
    ranked = sorted(candidates, key=lambda each: each.rank)
    return ", ".join(_name_candidate(each, names) for each in ranked) or "no provider"


def _name_candidate(candidate: StageCandidate, names: Names) -> str:
    grounds = list_grounds(candidate)
    name = f"{candidate.rank} {names.find_name(candidate.provider_id)}"
    return f"{name} ({', '.join(grounds)})" if grounds else name


def describe_turn(stage: StageEntered, provider_id: ProviderId, name: str) -> str | None:
    """Returns a provider's turn in a stage, and by what it came there; None if it is no candidate."""
    candidate = find_candidate(stage.candidates, provider_id)
    if candidate is None:
        return None
    text = f"{name} is rank {candidate.rank} of {format_stage(stage.stage)}"
    if len(stage.tiers) > 1:
        text += f" in {format_word(candidate.tier)}"
    grounds = [*_list_versions(stage.lists, candidate.tier), *list_grounds(candidate), *_describe_seed(stage.seed)]
    return ", ".join([text, *grounds])


def describe_turn_among_acceptances(ordered: AcceptancesOrdered, provider_id: ProviderId, name: str) -> str | None:
    """Returns a provider's turn among those who accepted; None if it is none of them."""
    candidate = find_candidate(ordered.candidates, provider_id)
    if candidate is None:
        return None
    text = f"{name} is rank {candidate.rank} of {len(ordered.candidates)} that accepted"
    order = describe_acceptance_order(ordered)
    return ", ".join([text, *list_grounds(candidate)]) + f"; they are considered {order}"


def find_candidate(candidates: Sequence[StageCandidate], provider_id: ProviderId) -> StageCandidate | None:
    return next((each for each in candidates if each.provider_id == provider_id), None)


def list_grounds(candidate: StageCandidate) -> list[str]:
    """Returns what the candidate's turn follows from, as far as it was recorded: number, price, last award."""
    grounds = list[str]()
    if candidate.number is not None:
        grounds.append(f"number {candidate.number}")
    if candidate.price is not None:
        grounds.append(f"price {format_pounds(candidate.price)}")
    if candidate.last_award_at is not None:
        grounds.append(f"last award on {format_day(to_office_date(candidate.last_award_at))}")
    elif candidate.joined_on is not None:
        grounds.append(f"no award yet, joined on {format_day(candidate.joined_on)}")
    return grounds


def _list_versions(lists: Sequence[ListUsed], tier: TierKey) -> list[str]:
    return [f"list version {each.list_version}" for each in lists if each.tier == tier]


def _describe_seed(seed: UUID | None) -> list[str]:
    return [] if seed is None else [f"ties by a draw with the seed {seed}"]
