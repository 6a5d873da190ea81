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
from sourcing.domain.explanation import explain
from sourcing.domain.progress import AwardToApprove, NobodyProposes, ProposalsToDecide, work_item
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import AlarmKind, AwaitsApproval, Barred, NotTaken, Placed, Proposed, Step
from sourcing.domain.triggers import Award, Propose
from testkit.sourcing.builders import (
    PACKAGE,
    Story,
    a_definition,
    a_market,
    a_ranked_list,
    a_request,
    a_withdrawal,
    an_open_list,
    an_open_package,
    facts_about,
    monday,
    provider,
    some_care,
    with_facts,
    with_list,
)

SPOT = facts_about("Spruce", tiers=(), spot=True)
OTHER = facts_about("Sorrel", tiers=(), spot=True)
INADEQUATE = facts_about("Spruce", tiers=(), spot=True, rating=Rating.INADEQUATE)


def happened(step: Step) -> list[type]:
    return [type(event) for event in step.events]


def test_tier_1_tier_2_then_open_to_all() -> None:
    definition = a_definition(Tier.ONE, Tier.TWO, open_list=an_open_list())
    market = with_list(
        a_market("Alder", but=[facts_about("Birch")], definition=definition), a_ranked_list("Birch", tier=Tier.TWO)
    )
    story = Story(market).requested()
    story.declines("Alder")
    assert story.live_offer.stage == "tier-2"
    story.declines("Birch")
    assert story.known.status is SearchStatus.LISTED
    assert isinstance(story.events[-1], PackageListed)


def test_a_list_tells_of_the_package_and_points_at_nobody() -> None:
    care = some_care().model_copy(update={"needs": (Need.HOIST, Need.KEY_SAFE, Need.SMOKER_IN_HOME)})
    market = a_market("Alder", definition=a_definition(open_list=an_open_list()))
    story = Story(market).requested(a_request(care=care))
    story.declines("Alder")
    advert = story.listing.advert
    assert advert.skills == (Need.HOIST,)
    assert advert.outward_code is None
    assert advert.carer_gender is None
    assert advert.reference != PACKAGE
    assert (advert.weekly_hours, advert.carers_at_once) == (Decimal("10.00"), 2)


def test_the_outward_code_is_shown_where_the_council_says_so() -> None:
    shown = an_open_package(stage=an_open_list(outward_codes_shown=("ZZ9",)))
    assert shown.listing.advert.outward_code == "ZZ9"


def test_an_open_package_is_watched_by_an_alarm_until_an_officer_is_told() -> None:
    story = an_open_package()
    assert work_item(story.known) is None
    step = story.rings(AlarmKind.LISTED_TOO_LONG)
    assert happened(step) == [StillListed]
    assert (story.at - monday("09:00")).days == 7
    assert work_item(story.known) == NobodyProposes()
    assert story.known.status is SearchStatus.LISTED


def test_framework_and_spot_providers_of_the_area_may_propose() -> None:
    story = an_open_package(SPOT, facts_about("Alder"))
    assert isinstance(story.proposes("Alder", "27.00").outcome, Proposed)
    step = story.proposes("Spruce", "28.00", Variation.OTHER_TIMES)
    assert happened(step) == [ProposalReceived]
    assert story.proposal_of("Spruce").terms.weekly_cost == Decimal("280.00")
    assert work_item(story.known) == ProposalsToDecide(2)


@pytest.mark.parametrize(
    ("facts", "refused", "reason"),
    [
        (facts_about("Spruce", tiers=()), (), ProposalRefusal.NOT_OF_THIS_AREA),
        (facts_about("Spruce", tiers=(), spot=True, embargoed=True), (), ProposalRefusal.EMBARGOED),
        (SPOT, ("Spruce",), ProposalRefusal.REFUSED_BY_PERSON),
    ],
)
def test_others_are_refused_and_on_record(facts: object, refused: tuple[str, ...], reason: ProposalRefusal) -> None:
    story = an_open_package(facts, refused=refused)  # pyright: ignore[reportArgumentType]  parametrised facts
    step = story.proposes("Spruce", "25.00")
    assert step.outcome == NotTaken((reason,))
    assert happened(step) == [ProposalRefused]
    assert story.listing.proposals == ()


def test_a_list_for_the_framework_alone_has_no_room_for_spot_providers() -> None:
    story = an_open_package(SPOT, stage=an_open_list(spot=False))
    assert story.proposes("Spruce", "25.00").outcome == NotTaken((ProposalRefusal.NOT_OF_THIS_AREA,))


def test_a_provider_of_whom_nothing_is_known_is_asked_to_come_back() -> None:
    with pytest.raises(MarketNotKnown):
        an_open_package().proposes("Stranger", "25.00")


def test_the_newest_proposal_of_a_provider_replaces_its_older_one() -> None:
    story = an_open_package(SPOT)
    story.proposes("Spruce", "28.00")
    first = story.proposal_of("Spruce")
    step = story.proposes("Spruce", "27.00")
    assert isinstance(step.events[0], ProposalReceived)
    assert step.events[0].replaces == first.proposal_id
    assert [each.terms.rate for each in story.listing.proposals] == [Decimal("27.00")]
    with pytest.raises(ProposalNotFound):
        story.happens(Award(first.proposal_id, "officer:first"))


def test_the_same_proposal_again_is_no_news() -> None:
    story = an_open_package(SPOT)
    first = story.proposes("Spruce", "28.00")
    again = story.proposes("Spruce", "28.00")
    assert (again.events, again.outcome) == ((), first.outcome)


def test_at_exactly_the_ceiling_one_officer_awards_alone() -> None:
    story = an_open_package(SPOT)
    story.proposes("Spruce", "29.00")
    step = story.awards("Spruce")
    assert happened(step) == [ProposalAwarded, PackagePlaced]
    assert isinstance(step.outcome, Placed)
    assert story.known.status is SearchStatus.PLACED
    placed = step.events[1]
    assert isinstance(placed, PackagePlaced)
    assert (placed.offer_id, placed.terms.rate) == (None, Decimal("29.00"))
    assert AlarmKind.LISTED_TOO_LONG not in {kind for kind, _ in story.alarms}


def test_above_the_ceiling_it_is_placed_when_the_second_officer_approves() -> None:
    story = an_open_package(SPOT)
    story.proposes("Spruce", "29.01")
    step = story.awards("Spruce")
    assert happened(step) == [AwardAwaitsApproval]
    assert isinstance(step.outcome, AwaitsApproval)
    assert isinstance(work_item(story.known), AwardToApprove)
    assert happened(story.approved()) == [ProposalAwarded, PackagePlaced]


def test_the_same_officer_twice_is_refused() -> None:
    story = an_open_package(SPOT)
    story.proposes("Spruce", "35.00")
    story.awards("Spruce", officer="officer:first")
    step = story.approved(officer="officer:first")
    assert happened(step) == [AwardRefused]
    refused = step.events[0]
    assert isinstance(refused, AwardRefused)
    assert refused.reasons == (AwardBar.SAME_OFFICER,)
    assert story.known.status is SearchStatus.LISTED


def test_the_same_award_again_is_the_same_award() -> None:
    story = an_open_package(SPOT)
    story.proposes("Spruce", "35.00")
    first = story.awards("Spruce")
    again = story.awards("Spruce", officer="officer:other")
    assert (again.events, again.outcome) == ((), first.outcome)
    story.approved()
    placed = story.awards("Spruce")
    assert placed.events == ()
    assert isinstance(placed.outcome, Placed)


def test_a_new_rate_in_between_needs_both_officers_anew() -> None:
    story = an_open_package(SPOT)
    story.proposes("Spruce", "35.00")
    story.awards("Spruce")
    waiting = story.listing.award
    assert waiting is not None
    step = story.proposes("Spruce", "34.00")
    assert happened(step) == [AwardLapsed, ProposalReceived]
    lapsed = step.events[0]
    assert isinstance(lapsed, AwardLapsed)
    assert lapsed.reason is AwardEnd.PROPOSAL_REPLACED
    assert story.approved(award_id=waiting.award_id).events == ()
    assert story.known.status is SearchStatus.LISTED


def test_a_refused_price_leaves_the_package_open() -> None:
    story = an_open_package(SPOT)
    story.proposes("Spruce", "35.00")
    story.awards("Spruce")
    award = story.listing.award
    assert award is not None
    word = SpotPriceRefused(
        package_id=PACKAGE,
        award_id=award.award_id,
        proposal_id=award.proposal_id,
        provider_id=provider("Spruce"),
        officer="officer:second",
        reason=SpotPriceRefusal.TOO_HIGH,
    )
    assert happened(story.happens(word)) == [AwardLapsed]
    assert work_item(story.known) == ProposalsToDecide(1)
    assert story.happens(word).events == ()


def test_another_proposal_is_not_awarded_while_one_waits() -> None:
    story = an_open_package(SPOT, OTHER)
    story.proposes("Spruce", "35.00")
    story.proposes("Sorrel", "28.00")
    story.awards("Spruce")
    waiting = story.listing.award
    step = story.awards("Sorrel")
    assert (happened(step), step.outcome) == ([AwardRefused], Barred((AwardBar.ANOTHER_WAITS,)))
    assert story.listing.award == waiting
    assert happened(story.approved()) == [ProposalAwarded, PackagePlaced]


def test_the_officer_who_comes_second_is_on_record() -> None:
    story = an_open_package(SPOT, OTHER)
    story.proposes("Spruce", "28.00")
    story.proposes("Sorrel", "27.00")
    story.awards("Spruce")
    step = story.awards("Sorrel", officer="officer:other")
    assert (happened(step), step.outcome) == ([AwardRefused], Barred((AwardBar.NO_LONGER_OPEN,)))
    assert story.known.status is SearchStatus.PLACED
    assert story.known.placement is not None
    assert story.known.placement.provider_id == provider("Spruce")


def test_eligibility_is_looked_at_when_the_second_officer_approves() -> None:
    story = an_open_package(SPOT)
    story.proposes("Spruce", "35.00")
    story.awards("Spruce")
    story.market = with_facts(story.market, facts_about("Spruce", tiers=(), spot=True, embargoed=True))
    step = story.approved()
    assert happened(step) == [AwardRefused]
    assert story.known.status is SearchStatus.LISTED


def test_an_embargo_bars_an_award_and_is_on_record() -> None:
    story = an_open_package(SPOT)
    story.proposes("Spruce", "28.00")
    story.market = with_facts(story.market, facts_about("Spruce", tiers=(), spot=True, embargoed=True))
    assert story.awards("Spruce").outcome == Barred((AwardBar.EMBARGOED,))


def test_a_rating_does_not_bar_but_inadequate_needs_the_officers_reason() -> None:
    story = an_open_package(INADEQUATE)
    story.proposes("Spruce", "28.00")
    with pytest.raises(InvalidInput):
        story.awards("Spruce")
    step = story.awards("Spruce", inadequate_reason=InadequateReason.NO_OTHER_PROPOSAL)
    assert happened(step) == [ProposalAwarded, PackagePlaced]


def test_a_provider_rated_inadequate_since_the_award_needs_the_officers_reason_at_the_approval_too() -> None:
    story = an_open_package(SPOT)
    story.proposes("Spruce", "35.00")
    story.awards("Spruce")
    story.market = with_facts(story.market, INADEQUATE)
    step = story.approved()
    assert happened(step) == [AwardRefused]
    refused = step.events[0]
    assert isinstance(refused, AwardRefused)
    assert refused.reasons == (AwardBar.INADEQUATE_WITHOUT_REASON,)
    assert work_item(story.known) == ProposalsToDecide(1)


def test_awarded_anew_with_the_reason_it_is_placed_when_the_second_officer_approves() -> None:
    story = an_open_package(SPOT)
    story.proposes("Spruce", "35.00")
    story.awards("Spruce")
    story.market = with_facts(story.market, INADEQUATE)
    story.approved()
    story.awards("Spruce", inadequate_reason=InadequateReason.SAFEGUARDS_AGREED)
    step = story.approved()
    assert happened(step) == [ProposalAwarded, PackagePlaced]
    awarded = step.events[0]
    assert isinstance(awarded, ProposalAwarded)
    assert (awarded.rating, awarded.inadequate_reason) == (Rating.INADEQUATE, InadequateReason.SAFEGUARDS_AGREED)


def test_a_withdrawal_takes_the_package_off_the_list_and_ends_the_award_that_waits() -> None:
    story = an_open_package(SPOT)
    story.proposes("Spruce", "35.00")
    story.awards("Spruce")
    assert happened(story.happens(a_withdrawal())) == [AwardLapsed, SourcingStopped]
    assert story.known.status is SearchStatus.STOPPED
    late = story.proposes("Spruce", "20.00")
    assert late.outcome == NotTaken((ProposalRefusal.NO_LONGER_OPEN,))
    assert story.awards("Spruce").outcome == Barred((AwardBar.NO_LONGER_OPEN,))


def test_a_package_that_was_never_open_cannot_be_awarded() -> None:
    story = Story(a_market("Alder", definition=a_definition(open_list=an_open_list()))).requested()
    with pytest.raises(PackageNotOpen, match="never open"):
        story.happens(Award(ProposalId(PACKAGE), "officer:first"))


def test_an_approval_of_nothing_that_waits_changes_nothing() -> None:
    story = an_open_package(SPOT)
    story.proposes("Spruce", "28.00")
    assert story.approved(award_id=AwardId(PACKAGE)).events == ()


def test_a_proposal_for_a_package_with_the_tiers_is_for_nobody() -> None:
    story = Story(a_market("Alder", definition=a_definition(open_list=an_open_list()))).requested()
    with pytest.raises(Exception, match="no such open package"):
        story.happens(Propose(provider("Alder"), Decimal("25.00")))


def test_a_proposal_that_is_refused_afterwards_leaves_what_is_told_of_the_one_that_stands() -> None:
    story = an_open_package(SPOT, OTHER)
    story.proposes("Spruce", "28.00")
    story.awards("Spruce")
    for name in ("Spruce", "Sorrel"):
        assert story.proposes(name, "20.00").outcome == NotTaken((ProposalRefusal.NO_LONGER_OPEN,))
    told = {turn.provider_id: turn.outcome for turn in explain(story.events)[-1].turns}
    assert told == {provider("Spruce"): "placed", provider("Sorrel"): "proposal refused"}
