"""Checks the open list: ceilings, a second officer above them, and no award to a barred provider."""

from collections.abc import Iterator
from decimal import Decimal

from judge.events import PRICING, PackageHistory, RecordedEvent, select_kinds
from judge.list_recipients import may_propose
from judge.market import MarketHistory, list_bars
from judge.requirements import derive_requirement
from judge.rules import FrameworkRules


def check_ceilings(story: PackageHistory, request: RecordedEvent, rules: FrameworkRules) -> Iterator[str]:
    for event in select_kinds(story, "PackageListed"):
        right = rules.get_ceiling(event.data["stage"], request.data["care"]["service_type"])
        if Decimal(event.data["ceiling"]) != right:
            yield f"listed with the ceiling {event.data['ceiling']}, not {right}"


def check_awards(
    story: PackageHistory, request: RecordedEvent, rules: FrameworkRules, market: MarketHistory
) -> Iterator[str]:
    for award in select_kinds(story, "ProposalAwarded"):
        proposal = _find_awarded_proposal(story, award)
        if proposal is None:
            yield f"proposal {award.data['proposal_id']} was awarded but is not valid"
            continue
        yield from _check_officers(story, award, proposal, request, rules)
        stage = select_kinds(story, "PackageListed")[-1].data["stage"]
        yield from _check_bars(award, request, rules, market, stage)
        if award.data["rating"] == "Inadequate" and award.data["inadequate_reason"] is None:
            yield f"{award.data['provider_id']} is rated Inadequate and was awarded the package without a reason"


def _find_awarded_proposal(story: PackageHistory, award: RecordedEvent) -> RecordedEvent | None:
    """Return the awarded proposal if it was its provider's newest at the award."""
    before = [each for each in story if each.kind == "ProposalReceived"]
    of_provider = [each for each in before if each.data["provider_id"] == award.data["provider_id"]]
    newest = of_provider[-1] if of_provider else None
    return newest if newest is not None and newest.data["proposal_id"] == award.data["proposal_id"] else None


def _check_officers(
    story: PackageHistory, award: RecordedEvent, proposal: RecordedEvent, request: RecordedEvent, rules: FrameworkRules
) -> Iterator[str]:
    """Check that a second officer approved a rate above the ceiling, or every rate if the definition says so."""
    stage, service_type = select_kinds(story, "PackageListed")[-1].data["stage"], request.data["care"]["service_type"]
    rate = Decimal(proposal.data["terms"]["lines"][0]["rate"])
    first, second = award.data["officer"], award.data["second_officer"]
    if not rules.needs_second_officer(stage, service_type, rate):
        return
    if second is None or second == first:
        ceiling = rules.get_ceiling(stage, service_type)
        yield f"{rate} needs a second officer, with a ceiling of {ceiling}, but was awarded by {first} alone"
        return
    approved = {
        (each.data["award_id"], each.data["officer"])
        for each in story
        if each.source == PRICING and each.kind == "SpotPriceApproved"
    }
    if (award.data["award_id"], second) not in approved:
        yield f"award {award.data['award_id']} names {second}, who has not approved its price"


def _check_bars(
    award: RecordedEvent, request: RecordedEvent, rules: FrameworkRules, market: MarketHistory, stage: str
) -> Iterator[str]:
    need, provider = derive_requirement(request, {}, rules, award), award.data["provider_id"]
    possible = list(market.list_possible_states(provider, award.at))
    if all(list(list_bars(known, provider, need)) for known in possible):
        yield f"{provider} was awarded the package but is barred"
    if not any(may_propose(known, need.area, rules, rules.get_stage(stage)) for known in possible):
        yield f"{provider} was awarded the package but does not work there"
