"""The open list: who can propose for an open package, and what a listing shows."""

from decimal import Decimal

import pytest

from contracts.events.listings import PackageListed, ProposalReceived, ProposalRefusal, ProposalRefused, StillListed
from contracts.example_words import Needs, Tiers, Variations
from sourcing.domain.errors import MarketNotKnown, ProposalNotFound
from sourcing.domain.explanation import explain_stages
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import ProposalNotUsed, Proposed, TimerKind
from sourcing.domain.triggers import AwardProposal, SubmitProposal
from sourcing.domain.work_items import NoProposals, ProposalsToDecide, find_work_items
from testkit.sourcing.builders import (
    PACKAGE,
    a_known_provider,
    a_market,
    a_ranked_list,
    a_request,
    add_list,
    on_monday,
    some_care,
    to_provider_id,
)
from testkit.sourcing.definitions import a_definition, an_open_list
from testkit.sourcing.search_driver import SearchDriver, an_open_package
from testkit.sourcing.step_events import list_event_types

SPOT = a_known_provider("Spruce", tiers=(), spot=True)
OTHER = a_known_provider("Sorrel", tiers=(), spot=True)


def test_the_open_list_follows_tier_1_and_tier_2() -> None:
    definition = a_definition(Tiers.ONE, Tiers.TWO, open_list=an_open_list())
    market = add_list(
        a_market("Alder", overrides=[a_known_provider("Birch")], definition=definition),
        a_ranked_list("Birch", tier=Tiers.TWO),
    )
    driver = SearchDriver(market).request()
    driver.decline("Alder")
    assert driver.live_offer.stage == "tier-2"
    driver.decline("Birch")
    assert driver.current.status is SearchStatus.LISTED
    assert isinstance(driver.events[-1], PackageListed)


def test_a_listing_describes_the_package_and_cannot_identify_the_person() -> None:
    care = some_care().model_copy(update={"needs": (Needs.HOIST, Needs.KEY_SAFE, Needs.SMOKER_IN_HOME)})
    market = a_market("Alder", definition=a_definition(open_list=an_open_list()))
    driver = SearchDriver(market).request(a_request(care=care))
    driver.decline("Alder")
    advert = driver.listing.advert
    assert advert.skills == (Needs.HOIST,)
    assert advert.outward_code is None
    assert advert.carer_gender is None
    assert advert.reference != PACKAGE
    assert (advert.weekly_hours, advert.carers_at_once) == (Decimal("10.00"), 2)


def test_the_outward_code_is_shown_if_the_definition_says_so() -> None:
    shown = an_open_package(stage=an_open_list(outward_codes_shown=("ZZ9",)))
    assert shown.listing.advert.outward_code == "ZZ9"


def test_a_package_that_is_open_too_long_reaches_an_officer_by_a_timer() -> None:
    driver = an_open_package()
    assert find_work_items(driver.current) == ()
    step = driver.fire_timer(TimerKind.LISTED_TOO_LONG)
    assert list_event_types(step) == [StillListed]
    assert (driver.at - on_monday("09:00")).days == 7
    assert find_work_items(driver.current) == (NoProposals(),)
    assert driver.current.status is SearchStatus.LISTED


def test_framework_and_spot_providers_of_the_area_can_propose() -> None:
    driver = an_open_package(SPOT, a_known_provider("Alder"))
    assert isinstance(driver.propose("Alder", "27.00").outcome, Proposed)
    step = driver.propose("Spruce", "28.00", Variations.OTHER_TIMES)
    assert list_event_types(step) == [ProposalReceived]
    assert driver.find_proposal("Spruce").terms.weekly_cost == Decimal("280.00")
    assert find_work_items(driver.current) == (ProposalsToDecide(2),)


@pytest.mark.parametrize(
    ("facts", "refused", "reason"),
    [
        (a_known_provider("Spruce", tiers=()), (), ProposalRefusal.NOT_OF_THE_COUNCIL),
        (a_known_provider("Spruce", tiers=(), spot=True, embargoed=True), (), ProposalRefusal.EMBARGOED),
        (SPOT, ("Spruce",), ProposalRefusal.REFUSED_BY_PERSON),
    ],
)
def test_proposals_of_other_providers_are_refused_and_recorded(
    facts: object, refused: tuple[str, ...], reason: ProposalRefusal
) -> None:
    driver = an_open_package(facts, refused=refused)  # pyright: ignore[reportArgumentType]  parametrised facts
    step = driver.propose("Spruce", "25.00")
    assert step.outcome == ProposalNotUsed((reason,))
    assert list_event_types(step) == [ProposalRefused]
    assert driver.listing.proposals == ()


def test_spot_providers_cannot_propose_on_a_list_for_framework_providers() -> None:
    driver = an_open_package(SPOT, stage=an_open_list(spot=False))
    assert driver.propose("Spruce", "25.00").outcome == ProposalNotUsed((ProposalRefusal.NOT_OF_THE_COUNCIL,))


def test_an_unknown_provider_is_asked_to_retry_later() -> None:
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


def test_a_repeated_proposal_publishes_nothing() -> None:
    driver = an_open_package(SPOT)
    first = driver.propose("Spruce", "28.00")
    again = driver.propose("Spruce", "28.00")
    assert (again.events, again.outcome) == ((), first.outcome)


def test_a_package_that_is_offered_to_a_tier_accepts_no_proposals() -> None:
    driver = SearchDriver(a_market("Alder", definition=a_definition(open_list=an_open_list()))).request()
    with pytest.raises(Exception, match="no such open package"):
        driver.handle(SubmitProposal(PACKAGE, to_provider_id("Alder"), Decimal("25.00")))


def test_a_refused_proposal_leaves_the_earlier_one_in_place() -> None:
    driver = an_open_package(SPOT, OTHER)
    driver.propose("Spruce", "28.00")
    driver.award("Spruce")
    for name in ("Spruce", "Sorrel"):
        assert driver.propose(name, "20.00").outcome == ProposalNotUsed((ProposalRefusal.NO_LONGER_OPEN,))
    told = {turn.provider_id: turn.outcome for turn in explain_stages(driver.events)[-1].turns}
    assert told == {to_provider_id("Spruce"): "placed", to_provider_id("Sorrel"): "proposal refused"}
