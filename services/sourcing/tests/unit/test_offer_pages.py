"""Content of the page behind the link of a mail: the offer, its outcome, and errors of the form."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from contracts.events.packages import PackageRequested
from contracts.example_words import DeclineReasons, Needs, Units
from contracts.examples import a_visit, some_care
from contracts.framework.words import Area
from contracts.terms import compute_terms_at_rate
from contracts.values import CarerGender, PassOverReason, UnitKind, Weekday
from sourcing.api.offer_forms import BOTH, NO_ANSWER, NO_REASON, UNKNOWN_REASON, WRONG_FORM, parse_answer_form
from sourcing.api.offer_pages import FormMistake, OfferPage, build_offer_page
from sourcing.domain.offer import Accept, Decline, OfferStatus, ProviderAnswer
from sourcing.domain.triggers import OfferExpiryDue
from testkit.sourcing.builders import (
    a_known_provider,
    a_market,
    a_request,
    a_withdrawal,
    an_urgent_request,
    from_london_time,
    on_monday,
    replace_facts,
)
from testkit.sourcing.definitions import a_definition
from testkit.sourcing.offer_page_steps import DEFINITION, answer_as_alder, build_page
from testkit.sourcing.search_driver import SearchDriver, a_search


def get_facts(shown: OfferPage) -> dict[str, tuple[str, ...]]:
    return {fact.name: fact.values for fact in shown.facts}


def test_an_offer_page_shows_the_permitted_fields_only() -> None:
    visit = a_visit(days=(Weekday.FRI, Weekday.MON), carers=2, time_critical=True)
    live_in = a_visit(minutes=10_080, days=tuple(Weekday))
    care = some_care(visits=(visit, live_in), needs=(Needs.HOIST, Needs.PEG_FEEDING), carer_gender=CarerGender.FEMALE)
    hours = a_visit(minutes=60, days=tuple(Weekday)[:5], carers=2)
    terms = compute_terms_at_rate(
        some_care(visits=(hours,) * 5), Units.HOUR, UnitKind.HOUR, Decimal("24.10"), price_list="invented-1"
    )
    driver = a_search("Alder")
    search, offer = replace(driver.current, care=care), replace(driver.find_offer("Alder"), terms=terms)
    definition = a_definition(areas=(Area(code=care.area, name="Colchester"),))
    assert get_facts(build_offer_page(search, offer, definition)) == {
        "Service": ("Personal care",),
        "Where": ("CO1, Colchester",),
        "Framework": ("Invented framework",),
        "Starts on": ("Monday 9 March 2026",),
        "Route": ("Community",),
        "Hours a week": ("10.00, the time of each carer counted",),
        "Visits": (
            "Mon, Fri: 07:30 to 09:00, 30 minutes, 2 carers, time-critical",
            "Every day: 07:30 to 09:00, 168 hours, 1 carer",
        ),
        "Needs": ("Hoist", "Peg feeding"),
        "Age": ("75-84",),
        "Carers": ("Female carers",),
        "Price": ("£24.10 an hour", "£1,205.00 a week", "Price list: invented-1"),
    }


def test_an_unknown_area_or_framework_is_shown_by_its_code() -> None:
    driver = a_search("Alder")
    shown = get_facts(build_offer_page(driver.current, driver.find_offer("Alder"), None))
    assert (shown["Where"], shown["Framework"]) == (("ZZ9, E07999999",), ("invented-framework-2026",))


def test_a_delivered_offer_shows_its_end_in_local_time() -> None:
    assert build_page(a_search("Alder", at=on_monday("09:00"))).paragraphs == (
        "Answer before 09:30 on Monday 12 January 2026, UK time (GMT).",
        "An answer that comes at that time or later is too late.",
    )


def test_the_end_is_in_summer_time_in_summer_and_has_seconds_where_needed() -> None:
    delivered = from_london_time(date(2026, 7, 6), "09:00") + timedelta(seconds=17)
    (first, _) = build_page(a_search("Alder", at=delivered)).paragraphs
    assert first == "Answer before 09:30:17 on Monday 6 July 2026, UK time (BST)."


@pytest.mark.parametrize(
    ("requested", "counted"),
    [
        (a_request(), "Only the brokerage's working hours count."),
        (an_urgent_request(), "Every minute counts, day and night."),
    ],
)
def test_an_undelivered_offer_shows_the_time_to_answer(requested: PackageRequested, counted: str) -> None:
    shown = build_page(SearchDriver(a_market("Alder")).request(requested))
    assert shown.paragraphs[0] == f"You have 30 minutes to answer, from when this offer was delivered to you. {counted}"
    assert shown.can_be_answered


def test_only_a_live_offer_can_be_answered() -> None:
    driver = a_search("Alder", "Birch")
    can_be_answered = [build_page(driver).can_be_answered]
    driver.decline("Alder")
    assert [*can_be_answered, build_page(driver).can_be_answered] == [True, False]


def test_the_page_of_an_accepted_offer_shows_the_offer_again() -> None:
    driver = a_search("Alder")
    driver.accept("Alder")
    shown = build_page(driver)
    assert (shown.heading, shown.paragraphs[0]) == (
        "This offer was accepted",
        "The package is placed with you, on the terms below.",
    )
    assert "Visits" in get_facts(shown)


def test_the_page_of_a_voided_placement_says_so() -> None:
    driver = a_search("Alder")
    driver.accept("Alder")
    driver.handle(a_withdrawal())
    assert build_page(driver).paragraphs[0] == "The council has taken the package back since, before care began."


def test_the_page_of_a_declined_offer_shows_the_reason_and_not_the_care() -> None:
    driver = a_search("Alder", "Birch")
    driver.answer("Alder", Decline(DeclineReasons.TOO_FAR))
    shown = build_page(driver)
    assert (shown.heading, shown.paragraphs[0]) == ("This offer was declined", "The reason given: too far.")
    assert list(get_facts(shown)) == ["Service", "Where", "Framework"]


def test_the_page_of_an_expired_offer_shows_its_end() -> None:
    driver = a_search("Alder", "Birch", at=on_monday("09:00"))
    driver.handle(OfferExpiryDue(driver.find_offer("Alder").offer_id), at=on_monday("09:30"))
    shown = build_page(driver)
    assert (shown.heading, shown.paragraphs[0]) == (
        "The time to answer is over",
        "It could be answered before 09:30 on Monday 12 January 2026, UK time (GMT).",
    )


def test_an_offer_that_ended_before_contact_shows_no_time() -> None:
    driver = a_search("Alder")
    never = replace(driver.find_offer("Alder"), status=OfferStatus.EXPIRED, delivered_at=None, answer_by=None)
    assert (
        build_offer_page(driver.current, never, DEFINITION).paragraphs[0]
        == "Nobody could be reached about this offer in time."
    )


def test_the_page_of_a_withdrawn_offer_asks_for_nothing() -> None:
    driver = a_search("Alder")
    driver.handle(a_withdrawal())
    assert (build_page(driver).heading, build_page(driver).can_be_answered) == (
        "This offer was withdrawn",
        False,
    )


def test_a_repeated_acceptance_shows_the_same_page() -> None:
    driver = a_search("Alder")
    first = answer_as_alder(driver, Accept())
    assert (first.heading, answer_as_alder(driver, Accept())) == ("We have recorded that you accept", first)


def test_a_repeated_decline_shows_the_same_page() -> None:
    driver, decline = a_search("Alder", "Birch"), Decline(DeclineReasons.RATE_NOT_VIABLE)
    first = answer_as_alder(driver, decline)
    assert (first.heading, first.paragraphs[0]) == (
        "We have recorded that you decline",
        "Your reason: rate not viable.",
    )
    assert answer_as_alder(driver, decline) == first


def test_the_page_of_a_late_answer_shows_the_end_and_that_it_is_recorded() -> None:
    driver = a_search("Alder", at=on_monday("09:00"))
    driver.at = on_monday("09:30")
    late = answer_as_alder(driver, Accept())
    assert (late.heading, late.paragraphs) == (
        "Your answer came too late",
        (
            "The time to answer was over. It could be answered before 09:30 on Monday 12 January 2026, UK time (GMT).",
            "Your answer is on record, and no other one is needed. Thank you.",
        ),
    )


def test_a_different_second_answer_shows_which_one_counts() -> None:
    driver = a_search("Alder", "Birch")
    driver.decline("Alder")
    shown = answer_as_alder(driver, Accept())
    assert shown.heading == "This offer was already answered"
    assert shown.paragraphs[0].startswith("Another answer to it came first: it was declined.")


def test_an_answer_to_a_withdrawn_offer_shows_the_withdrawal() -> None:
    driver = a_search("Alder")
    driver.handle(a_withdrawal())
    assert answer_as_alder(driver, Accept()).paragraphs[0] == "The council had taken the offer back before."


def test_a_provider_that_became_ineligible_sees_the_reason() -> None:
    driver = a_search("Alder", "Birch")
    driver.market = replace_facts(driver.market, a_known_provider("Alder", embargoed=True))
    shown = answer_as_alder(driver, Accept())
    why = "You accepted in time, but the council may not place it with you any more. The reason: embargoed."
    assert (shown.heading, shown.paragraphs[0]) == ("This package cannot be placed with you", why)
    assert build_page(driver).paragraphs[0] == why
    assert answer_as_alder(driver, Accept()) == shown


def test_the_persons_refusal_of_a_provider_is_not_shown() -> None:
    driver = a_search("Alder")
    offer = driver.find_offer("Alder")
    refused = replace(
        offer,
        status=OfferStatus.WITHDRAWN,
        answer=Accept(),
        award_refused_for=(PassOverReason.REFUSED_BY_PERSON,),
    )
    assert "reason" not in build_offer_page(driver.current, refused, DEFINITION).paragraphs[0]


@pytest.mark.parametrize(
    ("form", "reply"),
    [
        (b"answer=accept", Accept()),
        (b"answer=accept&reason=", Accept()),
        (b"reason=too-far&answer=decline", Decline(DeclineReasons.TOO_FAR)),
        (b"answer=decline&reason=no%2Dcapacity", Decline(DeclineReasons.NO_CAPACITY)),
        (b"", NO_ANSWER),
        (b"reason=other", NO_ANSWER),
        (b"answer=", NO_ANSWER),
        (b"answer=decline", NO_REASON),
        (b"answer=decline&reason=", NO_REASON),
        (b"answer=decline&reason=bored", UNKNOWN_REASON),
        (b"answer=decline&reason=other&reason=no-capacity", BOTH),
        (b"answer=accept&answer=decline", BOTH),
        (b"answer=accept&reason=other", BOTH),
        (b"answer=perhaps", WRONG_FORM),
        (b"answer=accept&pad=" + b"x" * 1_000, WRONG_FORM),
        (b"answer=accept" + b"&x=1" * 20, WRONG_FORM),
        (b"answer=accept\xff", WRONG_FORM),
        (b'{"answer": "accept"}', NO_ANSWER),
    ],
)
def test_a_form_is_parsed_or_its_errors_are_shown(form: bytes, reply: ProviderAnswer | FormMistake) -> None:
    assert parse_answer_form(form, DeclineReasons.ALL) == reply
