"""A package that nobody on the ranked lists took: open to all, proposed for, awarded by one officer or by two."""

from decimal import Decimal

import pytest

from contracts.errors import InvalidInput
from contracts.events.listings import (
    AwardAwaitsApproval,
    AwardBar,
    AwardEnd,
    AwardLapsed,
    AwardRefused,
    InadequateReason,
    PackageListed,
    ProposalAwarded,
    ProposalReceived,
    ProposalRefusal,
    ProposalRefused,
    StillListed,
    Variation,
)
from contracts.events.orders import SpotPriceRefusal, SpotPriceRefused
from contracts.events.packages import PackagePlaced, SourcingStopped
from contracts.ids import AwardId, ProposalId
from contracts.values import Need, Rating, Tier
from sourcing.domain.errors import MarketNotKnown, PackageNotOpen, ProposalNotFound
from sourcing.domain.explanation import explain_stages
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import AwaitsApproval, AwardBarred, Placed, ProposalNotUsed, Proposed, Step, TimerKind
from sourcing.domain.triggers import AwardProposal, SubmitProposal
from sourcing.domain.work_items import AwardToApprove, NoProposals, ProposalsToDecide, find_work_item
from testkit.sourcing.builders import (
    PACKAGE,
    SearchDriver,
    a_definition,
    a_market,
    a_ranked_list,
    a_request,
    a_withdrawal,
    add_list,
    an_open_list,
    an_open_package,
    monday,
    replace_facts,
    some_care,
    some_facts,
    to_provider_id,
)

SPOT = some_facts("Spruce", tiers=(), spot=True)
OTHER = some_facts("Sorrel", tiers=(), spot=True)
INADEQUATE = some_facts("Spruce", tiers=(), spot=True, rating=Rating.INADEQUATE)


def happened(step: Step) -> list[type]:
    return [type(event) for event in step.events]


def test_tier_1_tier_2_then_open_to_all() -> None:
    definition = a_definition(Tier.ONE, Tier.TWO, open_list=an_open_list())
    market = add_list(
        a_market("Alder", but=[some_facts("Birch")], definition=definition), a_ranked_list("Birch", tier=Tier.TWO)
    )
    driver = SearchDriver(market).request()
    driver.decline("Alder")
    assert driver.live_offer.stage == "tier-2"
    driver.decline("Birch")
    assert driver.current.status is SearchStatus.LISTED
    assert isinstance(driver.events[-1], PackageListed)


def test_a_list_tells_of_the_package_and_points_at_nobody() -> None:
    care = some_care().model_copy(update={"needs": (Need.HOIST, Need.KEY_SAFE, Need.SMOKER_IN_HOME)})
    market = a_market("Alder", definition=a_definition(open_list=an_open_list()))
    driver = SearchDriver(market).request(a_request(care=care))
    driver.decline("Alder")
    advert = driver.listing.advert
    assert advert.skills == (Need.HOIST,)
    assert advert.outward_code is None
    assert advert.carer_gender is None
    assert advert.reference != PACKAGE
    assert (advert.weekly_hours, advert.carers_at_once) == (Decimal("10.00"), 2)


def test_the_outward_code_is_shown_where_the_council_says_so() -> None:
    shown = an_open_package(stage=an_open_list(outward_codes_shown=("ZZ9",)))
    assert shown.listing.advert.outward_code == "ZZ9"


def test_an_open_package_is_watched_by_an_alarm_until_an_officer_is_told() -> None:
    driver = an_open_package()
    assert find_work_item(driver.current) is None
    step = driver.fire_timer(TimerKind.LISTED_TOO_LONG)
    assert happened(step) == [StillListed]
    assert (driver.at - monday("09:00")).days == 7
    assert find_work_item(driver.current) == NoProposals()
    assert driver.current.status is SearchStatus.LISTED


def test_framework_and_spot_providers_of_the_area_may_propose() -> None:
    driver = an_open_package(SPOT, some_facts("Alder"))
    assert isinstance(driver.propose("Alder", "27.00").outcome, Proposed)
    step = driver.propose("Spruce", "28.00", Variation.OTHER_TIMES)
    assert happened(step) == [ProposalReceived]
    assert driver.find_proposal("Spruce").terms.weekly_cost == Decimal("280.00")
    assert find_work_item(driver.current) == ProposalsToDecide(2)


@pytest.mark.parametrize(
    ("facts", "refused", "reason"),
    [
        (some_facts("Spruce", tiers=()), (), ProposalRefusal.NOT_OF_THIS_AREA),
        (some_facts("Spruce", tiers=(), spot=True, embargoed=True), (), ProposalRefusal.EMBARGOED),
        (SPOT, ("Spruce",), ProposalRefusal.REFUSED_BY_PERSON),
    ],
)
def test_others_are_refused_and_on_record(facts: object, refused: tuple[str, ...], reason: ProposalRefusal) -> None:
    driver = an_open_package(facts, refused=refused)  # pyright: ignore[reportArgumentType]  parametrised facts
    step = driver.propose("Spruce", "25.00")
    assert step.outcome == ProposalNotUsed((reason,))
    assert happened(step) == [ProposalRefused]
    assert driver.listing.proposals == ()


def test_a_list_for_the_framework_alone_has_no_room_for_spot_providers() -> None:
    driver = an_open_package(SPOT, stage=an_open_list(spot=False))
    assert driver.propose("Spruce", "25.00").outcome == ProposalNotUsed((ProposalRefusal.NOT_OF_THIS_AREA,))


def test_a_provider_of_whom_nothing_is_known_is_asked_to_come_back() -> None:
    with pytest.raises(MarketNotKnown):
        an_open_package().propose("Stranger", "25.00")


def test_the_newest_proposal_of_a_provider_replaces_its_older_one() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "28.00")
    first = driver.find_proposal("Spruce")
    step = driver.propose("Spruce", "27.00")
    assert isinstance(step.events[0], ProposalReceived)
    assert step.events[0].replaces == first.proposal_id
    assert [each.terms.rate for each in driver.listing.proposals] == [Decimal("27.00")]
    with pytest.raises(ProposalNotFound):
        driver.handle(AwardProposal(PACKAGE, first.proposal_id, "officer:first"))


def test_the_same_proposal_again_is_no_news() -> None:
    driver = an_open_package(SPOT)
    first = driver.propose("Spruce", "28.00")
    again = driver.propose("Spruce", "28.00")
    assert (again.events, again.outcome) == ((), first.outcome)


def test_at_exactly_the_ceiling_one_officer_awards_alone() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "29.00")
    step = driver.award("Spruce")
    assert happened(step) == [ProposalAwarded, PackagePlaced]
    assert isinstance(step.outcome, Placed)
    assert driver.current.status is SearchStatus.PLACED
    placed = step.events[1]
    assert isinstance(placed, PackagePlaced)
    assert (placed.offer_id, placed.terms.rate) == (None, Decimal("29.00"))
    assert TimerKind.LISTED_TOO_LONG not in {kind for kind, _ in driver.timers}


def test_above_the_ceiling_it_is_placed_when_the_second_officer_approves() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "29.01")
    step = driver.award("Spruce")
    assert happened(step) == [AwardAwaitsApproval]
    assert isinstance(step.outcome, AwaitsApproval)
    assert isinstance(find_work_item(driver.current), AwardToApprove)
    assert happened(driver.approve()) == [ProposalAwarded, PackagePlaced]


def test_the_same_officer_twice_is_refused() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "35.00")
    driver.award("Spruce", officer="officer:first")
    step = driver.approve(officer="officer:first")
    assert happened(step) == [AwardRefused]
    refused = step.events[0]
    assert isinstance(refused, AwardRefused)
    assert refused.reasons == (AwardBar.SAME_OFFICER,)
    assert driver.current.status is SearchStatus.LISTED


def test_the_same_award_again_is_the_same_award() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "35.00")
    first = driver.award("Spruce")
    again = driver.award("Spruce", officer="officer:other")
    assert (again.events, again.outcome) == ((), first.outcome)
    driver.approve()
    placed = driver.award("Spruce")
    assert placed.events == ()
    assert isinstance(placed.outcome, Placed)


def test_a_new_rate_in_between_needs_both_officers_anew() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "35.00")
    driver.award("Spruce")
    waiting = driver.listing.award
    assert waiting is not None
    step = driver.propose("Spruce", "34.00")
    assert happened(step) == [AwardLapsed, ProposalReceived]
    lapsed = step.events[0]
    assert isinstance(lapsed, AwardLapsed)
    assert lapsed.reason is AwardEnd.PROPOSAL_REPLACED
    assert driver.approve(award_id=waiting.award_id).events == ()
    assert driver.current.status is SearchStatus.LISTED


def test_a_refused_price_leaves_the_package_open() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "35.00")
    driver.award("Spruce")
    award = driver.listing.award
    assert award is not None
    word = SpotPriceRefused(
        package_id=PACKAGE,
        award_id=award.award_id,
        proposal_id=award.proposal_id,
        provider_id=to_provider_id("Spruce"),
        officer="officer:second",
        reason=SpotPriceRefusal.TOO_HIGH,
    )
    assert happened(driver.handle(word)) == [AwardLapsed]
    assert find_work_item(driver.current) == ProposalsToDecide(1)
    assert driver.handle(word).events == ()


def test_another_proposal_is_not_awarded_while_one_waits() -> None:
    driver = an_open_package(SPOT, OTHER)
    driver.propose("Spruce", "35.00")
    driver.propose("Sorrel", "28.00")
    driver.award("Spruce")
    waiting = driver.listing.award
    step = driver.award("Sorrel")
    assert (happened(step), step.outcome) == ([AwardRefused], AwardBarred((AwardBar.ANOTHER_WAITS,)))
    assert driver.listing.award == waiting
    assert happened(driver.approve()) == [ProposalAwarded, PackagePlaced]


def test_the_officer_who_comes_second_is_on_record() -> None:
    driver = an_open_package(SPOT, OTHER)
    driver.propose("Spruce", "28.00")
    driver.propose("Sorrel", "27.00")
    driver.award("Spruce")
    step = driver.award("Sorrel", officer="officer:other")
    assert (happened(step), step.outcome) == ([AwardRefused], AwardBarred((AwardBar.NO_LONGER_OPEN,)))
    assert driver.current.status is SearchStatus.PLACED
    assert driver.current.placement is not None
    assert driver.current.placement.provider_id == to_provider_id("Spruce")


def test_eligibility_is_looked_at_when_the_second_officer_approves() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "35.00")
    driver.award("Spruce")
    driver.market = replace_facts(driver.market, some_facts("Spruce", tiers=(), spot=True, embargoed=True))
    step = driver.approve()
    assert happened(step) == [AwardRefused]
    assert driver.current.status is SearchStatus.LISTED


def test_an_embargo_bars_an_award_and_is_on_record() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "28.00")
    driver.market = replace_facts(driver.market, some_facts("Spruce", tiers=(), spot=True, embargoed=True))
    assert driver.award("Spruce").outcome == AwardBarred((AwardBar.EMBARGOED,))


def test_a_rating_does_not_bar_but_inadequate_needs_the_officers_reason() -> None:
    driver = an_open_package(INADEQUATE)
    driver.propose("Spruce", "28.00")
    with pytest.raises(InvalidInput):
        driver.award("Spruce")
    step = driver.award("Spruce", inadequate_reason=InadequateReason.NO_OTHER_PROPOSAL)
    assert happened(step) == [ProposalAwarded, PackagePlaced]


def test_a_provider_rated_inadequate_since_the_award_needs_the_officers_reason_at_the_approval_too() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "35.00")
    driver.award("Spruce")
    driver.market = replace_facts(driver.market, INADEQUATE)
    step = driver.approve()
    assert happened(step) == [AwardRefused]
    refused = step.events[0]
    assert isinstance(refused, AwardRefused)
    assert refused.reasons == (AwardBar.INADEQUATE_WITHOUT_REASON,)
    assert find_work_item(driver.current) == ProposalsToDecide(1)


def test_awarded_anew_with_the_reason_it_is_placed_when_the_second_officer_approves() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "35.00")
    driver.award("Spruce")
    driver.market = replace_facts(driver.market, INADEQUATE)
    driver.approve()
    driver.award("Spruce", inadequate_reason=InadequateReason.SAFEGUARDS_AGREED)
    step = driver.approve()
    assert happened(step) == [ProposalAwarded, PackagePlaced]
    awarded = step.events[0]
    assert isinstance(awarded, ProposalAwarded)
    assert (awarded.rating, awarded.inadequate_reason) == (Rating.INADEQUATE, InadequateReason.SAFEGUARDS_AGREED)


def test_a_withdrawal_takes_the_package_off_the_list_and_ends_the_award_that_waits() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "35.00")
    driver.award("Spruce")
    assert happened(driver.handle(a_withdrawal())) == [AwardLapsed, SourcingStopped]
    assert driver.current.status is SearchStatus.STOPPED
    late = driver.propose("Spruce", "20.00")
    assert late.outcome == ProposalNotUsed((ProposalRefusal.NO_LONGER_OPEN,))
    assert driver.award("Spruce").outcome == AwardBarred((AwardBar.NO_LONGER_OPEN,))


def test_a_package_that_was_never_open_cannot_be_awarded() -> None:
    driver = SearchDriver(a_market("Alder", definition=a_definition(open_list=an_open_list()))).request()
    with pytest.raises(PackageNotOpen, match="never open"):
        driver.handle(AwardProposal(PACKAGE, ProposalId(PACKAGE), "officer:first"))


def test_an_approval_of_nothing_that_waits_changes_nothing() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "28.00")
    assert driver.approve(award_id=AwardId(PACKAGE)).events == ()


def test_a_proposal_for_a_package_with_the_tiers_is_for_nobody() -> None:
    driver = SearchDriver(a_market("Alder", definition=a_definition(open_list=an_open_list()))).request()
    with pytest.raises(Exception, match="no such open package"):
        driver.handle(SubmitProposal(PACKAGE, to_provider_id("Alder"), Decimal("25.00")))


def test_a_proposal_that_is_refused_afterwards_leaves_what_is_told_of_the_one_that_stands() -> None:
    driver = an_open_package(SPOT, OTHER)
    driver.propose("Spruce", "28.00")
    driver.award("Spruce")
    for name in ("Spruce", "Sorrel"):
        assert driver.propose(name, "20.00").outcome == ProposalNotUsed((ProposalRefusal.NO_LONGER_OPEN,))
    told = {turn.provider_id: turn.outcome for turn in explain_stages(driver.events)[-1].turns}
    assert told == {to_provider_id("Spruce"): "placed", to_provider_id("Sorrel"): "proposal refused"}
