"""Opening of competitions: who is invited, who is not and why, and until when bids and questions are taken."""

from decimal import Decimal

from contracts.events.competitions import CompetitionEnd, CompetitionEnded, CompetitionOpened
from contracts.events.offers import OfferMade
from contracts.events.searches import SourcingHeld, SourcingStarted, StageEntered
from contracts.example_words import Criteria, Needs, Tiers
from contracts.framework.competitions import OPEN_FOR, QUESTIONS_END
from contracts.framework.stages import Conditions, Reach, Recipients
from contracts.values import PassOverReason, PlaceState
from sourcing.domain.next_step import find_next_step
from sourcing.domain.next_steps import NextStepKind
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import TimerKind
from sourcing.domain.work_items import find_work_items
from testkit.sourcing.builders import (
    a_known_provider,
    a_market,
    a_request,
    an_urgent_request,
    from_london_time,
    on_monday,
    on_tuesday,
    some_care,
    to_provider_id,
)
from testkit.sourcing.competitions import (
    CompetitionDesk,
    a_competing_definition,
    a_competition,
    a_competition_desk,
    open_desk,
)
from testkit.sourcing.definitions import NEIGHBOUR, a_stage, two_neighbours
from testkit.sourcing.search_driver import SearchDriver
from testkit.sourcing.step_events import list_event_types


def list_invited(desk: CompetitionDesk) -> set[object]:
    return {each.provider_id for each in desk.competition.invited}


def test_all_eligible_holders_of_places_are_invited_at_once_and_the_terms_are_declared() -> None:
    desk = a_competition_desk("Alder", "Birch")
    step = desk.driver.handle(a_request())
    assert list_event_types(step) == [SourcingStarted, CompetitionOpened]
    opened = step.events[1]
    assert isinstance(opened, CompetitionOpened)
    assert {each.provider_id for each in opened.invited} == {to_provider_id("Alder"), to_provider_id("Birch")}
    assert [(each.criterion, each.weight) for each in opened.criteria] == [
        (Criteria.CONTINUITY, 40),
        (Criteria.SKILLS, 30),
    ]
    assert (opened.price_weight, opened.ceiling, opened.shows_ceiling) == (30, Decimal("29.00"), False)
    assert desk.driver.current.status is SearchStatus.COMPETING


def test_bids_are_taken_for_four_hours_and_questions_until_one_hour_before() -> None:
    desk = open_desk("Alder")
    assert desk.competition.closes_at == on_monday("13:00")
    assert desk.competition.questions_until == on_monday("12:00")
    timer = desk.driver.find_timer(TimerKind.COMPETITION_CLOSES)
    assert (timer.at, timer.about) == (on_monday("13:00"), str(desk.competition.competition_id))


def test_time_for_bids_is_brokerage_time() -> None:
    desk = open_desk("Alder", at=on_monday("16:00"))
    assert desk.competition.closes_at == on_tuesday("11:30")
    assert desk.competition.questions_until == on_tuesday("10:30")


def test_three_working_days_end_at_the_same_time_of_day_and_skip_good_friday() -> None:
    usual = a_competition(open_for=OPEN_FOR, questions_end=QUESTIONS_END)
    market = a_market("Alder", definition=a_competing_definition(competition=usual))
    wednesday = from_london_time(on_monday("09:00").date().replace(month=4, day=1), "11:00")
    driver = SearchDriver(market, at=wednesday).request()
    competition = driver.current.competition
    assert competition is not None
    assert competition.closes_at == from_london_time(wednesday.date().replace(day=8), "11:00")
    assert competition.questions_until == from_london_time(wednesday.date().replace(day=7), "11:00")


def test_an_urgent_package_has_plain_time_and_opens_at_any_hour() -> None:
    desk = a_competition_desk("Alder", at=on_monday("20:00"))
    desk.driver.request(an_urgent_request())
    assert desk.competition.closes_at == on_monday("22:00")
    assert desk.competition.questions_until == on_monday("21:30")


def test_an_invitation_waits_for_the_opening_of_the_brokerage() -> None:
    desk = a_competition_desk("Alder", at=on_monday("17:00"))
    step = desk.driver.handle(a_request())
    assert list_event_types(step) == [SourcingStarted]
    timer = desk.driver.find_timer(TimerKind.NEXT_OFFER_DUE)
    assert timer.at == on_tuesday("08:30")
    assert list_event_types(desk.driver.fire_timer(TimerKind.NEXT_OFFER_DUE)) == [CompetitionOpened]
    assert desk.competition.closes_at == on_tuesday("12:30")


def test_who_is_not_invited_is_on_record_with_all_reasons() -> None:
    embargoed = a_known_provider("Birch", embargoed=True, free_hours=Decimal("9.99"))
    paused = a_known_provider("Cedar", state=PlaceState.PAUSED)
    desk = a_competition_desk("Alder", "Birch", "Cedar", "Dogwood", overrides=(embargoed, paused))
    desk.driver.request(a_request(refused=("Dogwood",)))
    assert list_invited(desk) == {to_provider_id("Alder")}
    reasons = {each.provider_id: each.reasons for each in desk.competition.not_invited}
    assert reasons == {
        to_provider_id("Birch"): (PassOverReason.EMBARGOED, PassOverReason.NO_CAPACITY),
        to_provider_id("Cedar"): (PassOverReason.PLACE_NOT_ACTIVE,),
        to_provider_id("Dogwood"): (PassOverReason.REFUSED_BY_PERSON,),
    }


def test_the_invitation_states_the_versions_of_the_facts_of_everybody() -> None:
    desk = open_desk("Alder", "Birch", overrides=(a_known_provider("Birch", embargoed=True),))
    opened = next(each for each in desk.driver.events if isinstance(each, CompetitionOpened))
    assert {use.key for use in opened.views} == {str(to_provider_id(name)) for name in ("Alder", "Birch")}


def test_with_nobody_to_invite_the_competition_ends_and_the_next_stage_follows() -> None:
    desk = a_competition_desk("Alder", overrides=(a_known_provider("Alder", embargoed=True),))
    step = desk.driver.handle(a_request())
    assert list_event_types(step) == [SourcingStarted, CompetitionOpened, CompetitionEnded]
    ended = step.events[2]
    assert isinstance(ended, CompetitionEnded)
    assert ended.reason is CompetitionEnd.NONE_INVITED
    assert any(isinstance(each, StageEntered) for each in desk.driver.events)


def test_while_no_places_are_entered_the_search_is_held() -> None:
    market = a_market("Alder", overrides=(a_known_provider("Alder", tiers=()),), definition=a_competing_definition())
    driver = SearchDriver(market).request()
    assert isinstance(driver.events[-1], SourcingHeld)
    assert driver.current.status is SearchStatus.HELD


def test_a_competition_is_meant_for_packages_with_its_needs_only() -> None:
    stage = a_competition(when=Conditions(needs=(Needs.PEG_FEEDING, Needs.HOIST)))
    plain = a_competition_desk("Alder", competition=stage)
    plain.driver.request()
    assert isinstance(plain.driver.events[-1], OfferMade)
    special = a_competition_desk("Alder", competition=stage)
    special.driver.request(a_request(care=some_care(needs=(Needs.HOIST,))))
    assert special.driver.current.status is SearchStatus.COMPETING


def test_neighbours_are_invited_where_the_stage_reaches_them_and_the_areas_own_providers_are_not() -> None:
    stage = a_competition(to=Recipients(tiers=(Tiers.ONE,), reach=Reach.NEIGHBOURS))
    definition = a_competing_definition(competition=stage, areas=two_neighbours())
    near = a_known_provider("Birch", areas=(NEIGHBOUR,))
    desk = CompetitionDesk(SearchDriver(a_market("Alder", overrides=(near,), definition=definition)).request())
    (invited,) = desk.competition.invited
    assert (invited.provider_id, invited.area) == (to_provider_id("Birch"), NEIGHBOUR)


def test_a_provider_with_places_in_two_tiers_is_invited_once_by_the_first() -> None:
    stage = a_competition(to=Recipients(tiers=(Tiers.TWO, Tiers.ONE)))
    definition = a_competing_definition(a_stage(Tiers.TWO), competition=stage, tiers=Tiers.ALL)
    desk = CompetitionDesk(SearchDriver(a_market("Alder", definition=definition)).request())
    assert [each.tier for each in desk.competition.invited] == [Tiers.TWO]


def test_after_a_stage_without_a_taker_the_competition_follows() -> None:
    sourcing = (a_stage(), a_competition())
    market = a_market("Alder", definition=a_competing_definition().model_copy(update={"sourcing": sourcing}))
    desk = CompetitionDesk(SearchDriver(market).request())
    desk.driver.decline("Alder")
    assert list_invited(desk) == {to_provider_id("Alder")}
    assert desk.driver.current.stage is not None
    assert desk.driver.current.stage.name == "bids"


def test_the_next_step_is_the_close_and_no_officer_is_needed() -> None:
    desk = open_desk("Alder", "Birch")
    step = find_next_step(desk.driver.current, desk.driver.market.definition, now=on_monday("09:05"))
    assert (step.kind, step.at) == (NextStepKind.BIDS_DUE, on_monday("13:00"))
    assert step.text == "bids of 2 invited providers due by 13:00"
    assert not step.waits_for_officer
    assert find_work_items(desk.driver.current) == ()
