"""What happens next to a package, and when, for every state that a search can be in."""

from datetime import datetime, timedelta
from decimal import Decimal

from contracts.events.offers import CallResult
from contracts.example_words import Tiers
from contracts.framework.stages import Exhausted
from contracts.values import Channel
from sourcing.domain.explanation import explain_stages
from sourcing.domain.market import MarketSnapshot
from sourcing.domain.next_step import find_next_step
from sourcing.domain.next_steps import NextStep, NextStepKind
from sourcing.domain.steps import TimerKind
from testkit.sourcing.builders import (
    A_MONDAY,
    a_known_provider,
    a_market,
    a_withdrawal,
    an_urgent_request,
    from_london_time,
    on_monday,
    on_tuesday,
    to_provider_id,
)
from testkit.sourcing.definitions import FRAMEWORK, GOOD_FRIDAY, a_definition, an_open_list
from testkit.sourcing.search_driver import SearchDriver, a_search, an_open_package

SATURDAY = A_MONDAY - timedelta(days=2)
SPOT = a_known_provider("Spruce", tiers=(), spot=True)


def compute_next_step(driver: SearchDriver, *, at: datetime | None = None) -> NextStep:
    """The next step at `at`, by default at the instant of the newest step of the search."""
    return find_next_step(driver.current, driver.market.definition, now=at or driver.at)


def test_a_package_requested_on_a_saturday_is_offered_when_brokerage_opens_on_monday() -> None:
    driver = SearchDriver(a_market("Alder", "Birch"), at=from_london_time(SATURDAY, "11:00")).request()
    step = compute_next_step(driver)
    assert step.kind is NextStepKind.OFFER_DUE
    assert step.text == "offer to the provider with rank 1 on Mon 12 Jan 08:30, when brokerage opens"
    assert (step.at, step.waits_for_opening, step.waits_for_officer) == (on_monday("08:30"), True, False)
    assert (step.stage, step.provider_id, step.rank) == ("tier-1", to_provider_id("Alder"), 1)


def test_the_offer_goes_out_at_the_instant_that_the_next_step_named() -> None:
    driver = SearchDriver(a_market("Alder"), at=from_london_time(SATURDAY, "11:00")).request()
    due = compute_next_step(driver).at
    driver.fire_timer(TimerKind.NEXT_OFFER_DUE)
    assert driver.live_offer.made_at == due


def test_a_bank_holiday_moves_the_next_offer_past_it() -> None:
    driver = SearchDriver(a_market("Alder"), at=from_london_time(GOOD_FRIDAY, "10:00")).request()
    assert compute_next_step(driver).text.endswith("on Tue 7 Apr 08:30, when brokerage opens")


def test_a_decline_after_closing_names_the_provider_that_is_asked_in_the_morning() -> None:
    driver = a_search("Alder", "Birch", at=on_monday("16:50"))
    driver.decline("Alder", at=on_monday("19:45"))
    step = compute_next_step(driver)
    assert (step.kind, step.provider_id, step.rank) == (NextStepKind.OFFER_DUE, to_provider_id("Birch"), 2)
    assert step.at == on_tuesday("08:30")


def test_within_brokerage_time_the_next_offer_is_due_now() -> None:
    driver = SearchDriver(a_market("Alder", "Birch"), handle_own_events=False).request()
    driver.decline("Alder", at=on_monday("10:00"))
    step = compute_next_step(driver)
    assert step.text == "offer to the provider with rank 2 now"
    assert (step.at, step.waits_for_opening) == (on_monday("10:00"), False)


def test_an_urgent_package_does_not_wait_for_the_opening() -> None:
    market = a_market("Alder", "Birch")
    driver = SearchDriver(market, at=from_london_time(SATURDAY, "11:00"), handle_own_events=False).request(
        an_urgent_request()
    )
    driver.decline("Alder", at=from_london_time(SATURDAY, "11:05"))
    assert compute_next_step(driver).at == from_london_time(SATURDAY, "11:05")


def test_after_the_last_provider_of_a_stage_the_next_stage_is_due() -> None:
    driver = a_search("Alder", at=on_monday("16:50"))
    driver.market = a_market("Alder", definition=a_definition(Tiers.ONE, Tiers.TWO))
    driver.decline("Alder", at=on_monday("19:00"))
    step = compute_next_step(driver)
    assert (step.kind, step.stage, step.at) == (NextStepKind.STAGE_DUE, "tier-2", on_tuesday("08:30"))
    assert step.text == "stage tier-2 begins on Tue 13 Jan 08:30, when brokerage opens"


def test_after_the_last_ranked_provider_the_package_goes_on_the_open_list() -> None:
    definition = a_definition(open_list=an_open_list())
    driver = SearchDriver(a_market("Alder", definition=definition)).request()
    driver.decline("Alder", at=on_monday("19:00"))
    step = compute_next_step(driver)
    assert (step.kind, step.stage) == (NextStepKind.STAGE_DUE, "available")
    assert step.text == "the package goes on the open list on Tue 13 Jan 08:30, when brokerage opens"


def test_a_stage_that_stops_the_search_names_the_end_of_the_search() -> None:
    definition = a_definition(Tiers.ONE, Tiers.TWO, exhausted=Exhausted.STOP)
    driver = SearchDriver(a_market("Alder", definition=definition)).request()
    driver.decline("Alder", at=on_monday("19:00"))
    step = compute_next_step(driver)
    assert (step.kind, step.stage) == (NextStepKind.STAGE_DUE, None)
    assert step.text == "the search ends without a placement on Tue 13 Jan 08:30, when brokerage opens"


def test_an_offer_on_its_way_awaits_delivery_until_its_grace_ends() -> None:
    driver = SearchDriver(a_market("Alder")).request(at=on_monday("10:00"))
    step = compute_next_step(driver, at=on_monday("10:01"))
    assert (step.kind, step.at) == (NextStepKind.DELIVERY_AWAITED, on_monday("10:02"))
    assert step.text == "delivery of the offer by webhook awaited; undeliverable from 10:02"
    assert step.offer_id == driver.live_offer.offer_id


def test_an_undeliverable_offer_goes_to_the_next_channel_when_brokerage_opens() -> None:
    both = a_known_provider("Alder", channels=(Channel.WEBHOOK, Channel.EMAIL))
    driver = SearchDriver(a_market("Alder", overrides=[both])).request(at=on_monday("16:59"))
    driver.fail_delivery(at=on_monday("17:01"))
    step = compute_next_step(driver)
    assert (step.kind, step.at, step.waits_for_opening) == (NextStepKind.REDIRECT_DUE, on_tuesday("08:30"), True)
    assert step.text.startswith("offer by the provider's next channel on Tue 13 Jan 08:30, when brokerage opens")


def test_a_delivered_offer_is_to_be_answered_by_its_end() -> None:
    driver = SearchDriver(a_market("Alder")).request(at=on_monday("10:00"))
    driver.deliver(at=on_monday("10:01"))
    step = compute_next_step(driver)
    assert (step.kind, step.at) == (NextStepKind.ANSWER_DUE, on_monday("10:31"))
    assert step.text == "answer due by 10:31"
    assert (step.provider_id, step.waits_for_officer) == (to_provider_id("Alder"), False)


def test_the_end_of_an_answer_on_another_day_names_the_day() -> None:
    driver = SearchDriver(a_market("Alder")).request(at=on_monday("16:45"))
    driver.deliver(at=on_monday("16:46"))
    assert compute_next_step(driver).text == "answer due by Tue 13 Jan 08:46"


def test_an_offer_whose_time_is_over_expires_now() -> None:
    driver = a_search("Alder", at=on_monday("10:00"))
    step = compute_next_step(driver, at=on_monday("10:30"))
    assert step.kind is NextStepKind.ANSWER_DUE
    assert step.text == "time to answer was over at 10:30: the offer expires now"


def test_an_offer_by_telephone_waits_for_an_officer() -> None:
    driver = SearchDriver(a_market("Alder", overrides=[a_known_provider("Alder", channels=(Channel.PHONE,))])).request()
    step = compute_next_step(driver)
    assert (step.kind, step.at, step.waits_for_officer) == (NextStepKind.CALL_NEEDED, None, True)
    assert step.text == "waits for an officer: telephone the provider (call 1)"
    driver.record_call("Alder", CallResult.NOT_REACHED)
    assert compute_next_step(driver).text.endswith("(call 2)")


def test_a_held_search_names_what_is_missing() -> None:
    driver = SearchDriver(MarketSnapshot()).request()
    step = compute_next_step(driver)
    assert (step.kind, step.waits_for_officer) == (NextStepKind.DATA_MISSING, True)
    assert step.missing == (f"definitions/{FRAMEWORK}",)
    assert step.text == f"waits for an officer: publish what is missing (definitions/{FRAMEWORK})"


def test_an_open_package_waits_for_proposals_until_an_officer_is_told() -> None:
    step = compute_next_step(an_open_package())
    assert (step.kind, step.stage) == (NextStepKind.ON_OPEN_LIST, "available")
    assert step.at == from_london_time(A_MONDAY + timedelta(days=7), "09:00")
    assert step.text == (
        "open to proposals until placed; on the officers' work list from Mon 19 Jan 09:00 if no provider proposes"
    )


def test_an_open_package_without_any_proposal_waits_for_an_officer_after_its_time() -> None:
    driver = an_open_package()
    driver.fire_timer(TimerKind.LISTED_TOO_LONG)
    step = compute_next_step(driver)
    assert (step.kind, step.waits_for_officer) == (NextStepKind.OPEN_TOO_LONG, True)


def test_proposals_wait_for_an_officer_to_award_one() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "27.50")
    step = compute_next_step(driver)
    assert (step.kind, step.waits_for_officer) == (NextStepKind.AWARD_NEEDED, True)
    assert step.text == "waits for an officer: award one of 1 proposal, or wait for others"


def test_an_award_above_the_ceiling_waits_for_a_second_officer() -> None:
    driver = an_open_package(SPOT, stage=an_open_list(ceiling=Decimal("20.00")))
    driver.propose("Spruce", "27.50")
    driver.award("Spruce")
    step = compute_next_step(driver)
    assert (step.kind, step.waits_for_officer) == (NextStepKind.APPROVAL_NEEDED, True)
    assert step.text == "waits for an officer: a second officer approves or refuses the price"
    assert step.proposal_id == driver.find_proposal("Spruce").proposal_id
    assert step.award_id is not None


def test_nothing_follows_a_placement() -> None:
    driver = a_search("Alder", "Birch")
    driver.accept("Alder")
    step = compute_next_step(driver)
    assert (step.kind, step.text, step.at) == (NextStepKind.PLACED, "nothing: the package is placed", None)
    assert step.provider_id == to_provider_id("Alder")


def test_nothing_follows_a_withdrawal() -> None:
    driver = a_search("Alder")
    driver.handle(a_withdrawal())
    assert compute_next_step(driver).kind is NextStepKind.WITHDRAWN


def test_an_exhausted_search_waits_for_an_officer() -> None:
    driver = a_search("Alder")
    driver.decline("Alder")
    step = compute_next_step(driver)
    assert (step.kind, step.stage, step.waits_for_officer) == (NextStepKind.EXHAUSTED, "tier-1", True)


def test_providers_whose_turn_is_still_to_come_are_not_asked_yet() -> None:
    driver = a_search("Alder", "Birch", "Cedar")
    assert [turn.outcome for turn in explain_stages(driver.events)[-1].turns] == [
        "offered",
        "not asked yet",
        "not asked yet",
    ]


def test_providers_behind_the_one_that_accepted_were_not_reached() -> None:
    driver = a_search("Alder", "Birch")
    driver.accept("Alder")
    assert [turn.outcome for turn in explain_stages(driver.events)[-1].turns] == ["placed", "not reached"]
