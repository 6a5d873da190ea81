"""A replay finds what was changed on record, and names the event and its field."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from contracts.events.listings import AwardRefused, ProposalReceived
from contracts.events.offers import AcceptancesOrdered, OfferDeclined, OfferExpired, OfferMade, OfferRedirected
from contracts.events.searches import ListUsed, PackagePlaced, ProviderPassedOver, SourcingStarted, StageEntered
from contracts.example_words import DeclineReasons, InadequateReasons, Tiers
from contracts.values import Channel, PassOverReason, Rating
from sourcing.domain.offer import Decline
from sourcing.domain.replay import ReplayedDecision, replay_package
from sourcing.domain.replay_triggers import RecordedEvent
from sourcing.domain.steps import TimerKind
from sourcing.handlers import RUNTIME_TIMERS
from testkit.sourcing import recorded_search
from testkit.sourcing.builders import a_known_provider, a_market, a_request, on_monday, replace_facts, to_provider_id
from testkit.sourcing.definitions import a_definition, a_stage_for_all, an_open_list
from testkit.sourcing.recorded_search import RecordingDriver, replace_event


def replay(driver: RecordingDriver, record: Sequence[RecordedEvent] | None = None) -> Sequence[ReplayedDecision]:
    return replay_package(record or driver.record, driver.past.market, runtime_timers=RUNTIME_TIMERS)


def list_differences(driver: RecordingDriver, record: Sequence[RecordedEvent] | None = None) -> list[str]:
    return [difference for each in replay(driver, record) for difference in each.differences]


def a_placed_package() -> RecordingDriver:
    """Alder is embargoed and has no capacity, Birch declines, Cedar accepts."""
    alder = a_known_provider("Alder", embargoed=True, free_hours=Decimal("9.99"))
    driver = RecordingDriver(a_market("Alder", "Birch", "Cedar", overrides=[alder]))
    driver.request()
    driver.deliver()
    driver.decline("Birch", at=on_monday("09:10"))
    driver.deliver()
    driver.accept("Cedar", at=on_monday("09:20"))
    return driver


def an_offer_to_all() -> RecordingDriver:
    """Alder and Birch are asked at once."""
    definition = a_definition(sourcing=(a_stage_for_all(),))
    driver = RecordingDriver(a_market("Alder", "Birch", definition=definition))
    driver.request()
    return driver


def test_the_test_kit_knows_the_timers_of_the_runtime() -> None:
    assert recorded_search.RUNTIME_TIMERS == RUNTIME_TIMERS


def test_a_package_from_request_to_placement_is_the_same() -> None:
    decisions = replay(a_placed_package())
    assert [each.differences for each in decisions] == [()] * 6
    assert [type(each.decision.events[-1]) for each in decisions][-1] is PackagePlaced


def test_another_provider_offered_is_found() -> None:
    driver = a_placed_package()
    record = replace_event(driver.record, OfferMade, provider_id=to_provider_id("Cedar"))
    differences = list_differences(driver, record)
    cedar, birch = to_provider_id("Cedar"), to_provider_id("Birch")
    assert differences[0] == f"OfferMade.provider_id: the record has {cedar}, the replay {birch}"


def test_another_price_is_found() -> None:
    driver = a_placed_package()
    (offer, *_) = (each.event for each in driver.record if isinstance(each.event, OfferMade))
    dearer = offer.terms.model_copy(update={"weekly_cost": Decimal("251.00")})
    differences = list_differences(driver, replace_event(driver.record, OfferMade, terms=dearer))
    assert differences == ["OfferMade.terms.weekly_cost: the record has 251.00, the replay 250.00"]


def test_a_price_of_the_placement_that_is_not_the_offers_is_found() -> None:
    driver = a_placed_package()
    (placed,) = (each.event for each in driver.record if isinstance(each.event, PackagePlaced))
    line = placed.terms.lines[0].model_copy(update={"rate": Decimal("24.00")})
    dearer = placed.terms.model_copy(update={"lines": (line,)})
    differences = list_differences(driver, replace_event(driver.record, PackagePlaced, terms=dearer))
    assert differences == ["PackagePlaced.terms.lines[0].rate: the record has 24.00, the replay 25.00"]


def test_a_pass_over_reason_that_was_removed_is_found() -> None:
    driver = a_placed_package()
    record = replace_event(driver.record, ProviderPassedOver, reasons=(PassOverReason.EMBARGOED,))
    (difference,) = list_differences(driver, record)
    assert difference == (
        f"ProviderPassedOver.reasons: the record has {PassOverReason.EMBARGOED}, "
        f"the replay {PassOverReason.EMBARGOED}, {PassOverReason.NO_CAPACITY}"
    )


def test_a_later_version_of_the_list_is_found() -> None:
    driver = a_placed_package()
    record = replace_event(driver.record, StageEntered, lists=(ListUsed(tier=Tiers.ONE, list_version=2),))
    assert list_differences(driver, record) == ["StageEntered.lists[0].list_version: the record has 2, the replay 1"]


def test_another_version_of_the_definition_is_found() -> None:
    driver = a_placed_package()
    record = replace_event(driver.record, SourcingStarted, definition_version=2)
    assert list_differences(driver, record)[0] == ("SourcingStarted.definition_version: the record has 2, the replay 1")


def test_a_changed_order_of_acceptances_is_found() -> None:
    driver = an_offer_to_all()
    driver.accept("Alder")
    driver.accept("Birch")
    assert list_differences(driver) == []
    (ordered,) = (each.event for each in driver.record if isinstance(each.event, AcceptancesOrdered))
    first, second = ordered.candidates
    record = replace_event(driver.record, AcceptancesOrdered, candidates=(second, first))
    differences = list_differences(driver, record)
    assert differences[0] == (
        f"AcceptancesOrdered.candidates[0].provider_id: the record has {second.provider_id}, "
        f"the replay {first.provider_id}"
    )


def test_an_event_that_is_left_out_is_found() -> None:
    driver = a_placed_package()
    record = [each for each in driver.record if not isinstance(each.event, ProviderPassedOver)]
    assert list_differences(driver, record)[0] == "the record has OfferMade, the replay ProviderPassedOver"


def test_an_event_that_is_added_is_found() -> None:
    driver = a_placed_package()
    place = next(position for position, each in enumerate(driver.record) if isinstance(each.event, PackagePlaced))
    record = [*driver.record[: place + 1], *driver.record[place:]]
    assert list_differences(driver, record)[0] == "the record has PackagePlaced, the replay nothing"


def test_a_cause_that_is_not_on_record_is_named() -> None:
    driver = a_placed_package()
    record = [each for each in driver.record if not isinstance(each.event, OfferDeclined)]
    first, second, *_ = list_differences(driver, record)
    assert first.startswith("cannot be made again: nothing in the record has the id ")
    assert second == "OfferMade cannot follow the events before it: two offers of one search are live"


def test_an_acceptance_of_a_provider_that_is_no_candidate_is_found() -> None:
    driver = a_placed_package()
    (entered,) = (each.event for each in driver.record if isinstance(each.event, StageEntered))
    record = replace_event(driver.record, StageEntered, candidates=entered.candidates[:2])
    assert any(each.startswith("cannot be made again") for each in list_differences(driver, record))


def test_what_other_services_publish_between_two_events_of_a_step_changes_nothing() -> None:
    driver = a_placed_package()
    foreign = next(each for each in driver.record[1:] if not each.is_sourcing)
    started = next(position for position, each in enumerate(driver.record) if isinstance(each.event, SourcingStarted))
    moved = [each for each in driver.record if each is not foreign]
    assert list_differences(driver, [*moved[: started + 1], foreign, *moved[started + 1 :]]) == []


def test_timers_of_two_offers_at_the_same_instant_are_two_decisions() -> None:
    driver = an_offer_to_all()
    ends = driver.find_timer(TimerKind.OFFER_EXPIRES).at
    for name in ("Alder", "Birch"):
        driver.fire_timer(TimerKind.OFFER_EXPIRES, name, at=ends)
    record = [replace(each, at=ends) if isinstance(each.event, OfferExpired) else each for each in driver.record]
    causes = [each.cause for each in record if isinstance(each.event, OfferExpired)]
    assert causes[0] == causes[1]
    decisions = replay_package(record, driver.past.market, runtime_timers=RUNTIME_TIMERS)
    assert [each.differences for each in decisions if isinstance(each.decision.events[0], OfferExpired)] == [(), ()]


def test_an_offer_that_is_overdue_is_redirected_again() -> None:
    alder = a_known_provider("Alder", channels=(Channel.WEBHOOK, Channel.EMAIL))
    driver = RecordingDriver(a_market("Alder", overrides=[alder]))
    driver.request()
    driver.fire_timer(TimerKind.DELIVERY_OVERDUE)
    assert isinstance(driver.record[-1].event, OfferRedirected)
    assert list_differences(driver) == []


def test_a_decline_after_a_decline_for_the_first_reason_of_the_list_is_the_same() -> None:
    driver = RecordingDriver(a_market("Alder", "Birch"))
    driver.request()
    reasons = [each.reason for each in a_definition().reasons.decline]
    for reason in reasons[:2]:
        driver.answer("Alder", Decline(reason))
    assert list_differences(driver) == []
    assert DeclineReasons.NO_CAPACITY in reasons


def test_a_refused_award_to_a_provider_rated_inadequate_is_the_same() -> None:
    """The reason why it is awarded is not in AwardRefused."""
    spruce = a_known_provider("Spruce", tiers=(), spot=True, rating=Rating.INADEQUATE)
    market = a_market("Alder", overrides=[spruce], definition=a_definition(open_list=an_open_list()))
    driver = RecordingDriver(market)
    driver.request(a_request())
    driver.decline("Alder")
    driver.propose("Spruce", "28.00")
    embargoed = a_known_provider("Spruce", tiers=(), spot=True, rating=Rating.INADEQUATE, embargoed=True)
    driver.market = replace_facts(driver.market, embargoed)
    driver.award("Spruce", inadequate_reason=InadequateReasons.CONTINUITY)
    assert {ProposalReceived, AwardRefused} < {type(each.event) for each in driver.record}
    assert list_differences(driver) == []
