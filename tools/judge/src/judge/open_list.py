"""What is open to all: ceilings from the definition, two officers above them, and nobody that is barred."""

from collections.abc import Iterator
from decimal import Decimal

from judge.market import Market, bars
from judge.record import PRICING, Said, Story, of_kind
from judge.rules import Rules
from judge.turns import need_of


def listed_with_the_right_ceiling(story: Story, request: Said, rules: Rules) -> Iterator[str]:
    for said in of_kind(story, "PackageListed"):
        right = rules.ceiling(said.data["stage"], request.data["care"]["service_type"])
        if Decimal(said.data["ceiling"]) != right:
            yield f"listed with the ceiling {said.data['ceiling']}, not {right}"


def awards(story: Story, request: Said, rules: Rules, market: Market) -> Iterator[str]:
    for award in of_kind(story, "ProposalAwarded"):
        proposal = _standing(story, award)
        if proposal is None:
            yield f"proposal {award.data['proposal_id']} was awarded, and does not stand"
            continue
        yield from _officers(story, award, proposal, request, rules)
        yield from _bars(award, request, rules, market)
        if award.data["rating"] == "Inadequate" and award.data["inadequate_reason"] is None:
            yield f"{award.data['provider_id']} is rated Inadequate and was awarded the package without a reason"


def _standing(story: Story, award: Said) -> Said | None:
    """The proposal that was awarded, if it is its provider's newest by then."""
    before = [each for each in story if each.kind == "ProposalReceived"]
    of_provider = [each for each in before if each.data["provider_id"] == award.data["provider_id"]]
    newest = of_provider[-1] if of_provider else None
    return newest if newest is not None and newest.data["proposal_id"] == award.data["proposal_id"] else None


def _officers(story: Story, award: Said, proposal: Said, request: Said, rules: Rules) -> Iterator[str]:
    """At exactly the ceiling one officer does."""
    listed = of_kind(story, "PackageListed")[-1]
    ceiling = rules.ceiling(listed.data["stage"], request.data["care"]["service_type"])
    rate, first, second = Decimal(proposal.data["terms"]["rate"]), award.data["officer"], award.data["second_officer"]
    if rate <= ceiling:
        return
    if second is None or second == first:
        yield f"{rate} is above the ceiling {ceiling}, and {first} alone awarded it"
        return
    approved = {
        (each.data["award_id"], each.data["officer"])
        for each in story
        if each.source == PRICING and each.kind == "SpotPriceApproved"
    }
    if (award.data["award_id"], second) not in approved:
        yield f"award {award.data['award_id']} names {second}, who has approved no price of it"


def _bars(award: Said, request: Said, rules: Rules, market: Market) -> Iterator[str]:
    need, provider = need_of(request, 0, rules, award), award.data["provider_id"]
    possible = list(market.possible(provider, award.at))
    if all(list(bars(known, provider, need)) for known in possible):
        yield f"{provider} was awarded the package, and is barred"
    if not any(known.works_in(need.framework, need.area) for known in possible):
        yield f"{provider} was awarded the package, and does not work there"
