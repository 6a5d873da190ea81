"""What a coordinator reads behind the link of a mail: the offer, what became of it, and what to correct."""

import base64
import hashlib
import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from contracts.examples import a_visit, some_care
from contracts.framework import Area
from contracts.values import CarerGender, DeclineReason, Need, PassOverReason, PriceUnit, Terms, Urgency, Weekday
from sourcing.api.offer_forms import BOTH, NO_ANSWER, NO_REASON, UNKNOWN_REASON, WRONG_FORM, parse_reply
from sourcing.api.offer_pages import FormMistake, OfferPage, build_answer_page, build_offer_page
from sourcing.api.rendering import render_page
from sourcing.domain.search import Accept, Decline, OfferStatus, ProviderAnswer
from sourcing.domain.triggers import OfferExpiryDue
from testkit.sourcing.builders import (
    SearchDriver,
    a_definition,
    a_market,
    a_request,
    a_search,
    a_withdrawal,
    london,
    monday,
    replace_facts,
    some_facts,
)

DEFINITION = a_definition()


def page(driver: SearchDriver, *, mistake: FormMistake | None = None) -> OfferPage:
    """What Alder reads."""
    return build_offer_page(driver.current, driver.find_offer("Alder"), DEFINITION, mistake=mistake)


def answer(driver: SearchDriver, reply: ProviderAnswer) -> OfferPage:
    """What Alder reads after its answer."""
    step = driver.answer("Alder", reply)
    return build_answer_page(step.outcome, driver.current, driver.find_offer("Alder"), DEFINITION)


def facts(shown: OfferPage) -> dict[str, tuple[str, ...]]:
    return {fact.name: fact.values for fact in shown.facts}


# --- an offer that can be answered


def test_an_offer_says_what_an_offer_may_say() -> None:
    visit = a_visit(days=(Weekday.FRI, Weekday.MON), carers=2, time_critical=True)
    live_in = a_visit(minutes=10_080, days=tuple(Weekday))
    care = some_care(visits=(visit, live_in), needs=(Need.HOIST, Need.PEG_FEEDING), carer_gender=CarerGender.FEMALE)
    terms = Terms(
        price_list="invented-1",
        unit=PriceUnit.HOUR,
        rate=Decimal("24.10"),
        quantity_per_week=Decimal("50.00"),
        weekly_cost=Decimal("1205.00"),
    )
    driver = a_search("Alder")
    search, offer = replace(driver.current, care=care), replace(driver.find_offer("Alder"), terms=terms)
    definition = DEFINITION.model_copy(update={"areas": (Area(code=care.area, name="Colchester"),)})
    assert facts(build_offer_page(search, offer, definition)) == {
        "Service": ("Personal care",),
        "Where": ("CO1, Colchester",),
        "Framework": ("Invented framework",),
        "Starts on": ("Monday 9 March 2026",),
        "Urgency": ("Routine",),
        "Hours a week": ("10.00, the time of each carer counted",),
        "Visits": (
            "Mon, Fri: 07:30 to 09:00, 30 minutes, 2 carers, time-critical",
            "Every day: 07:30 to 09:00, 168 hours, 1 carer",
        ),
        "Needs": ("Hoist", "PEG feeding"),
        "Age": ("75-84",),
        "Carers": ("Female carers",),
        "Price": ("£24.10 an hour", "£1,205.00 a week", "Price list: invented-1"),
    }


def test_an_area_and_a_framework_that_are_not_known_here_are_named_by_their_codes() -> None:
    driver = a_search("Alder")
    shown = facts(build_offer_page(driver.current, driver.find_offer("Alder"), None))
    assert (shown["Where"], shown["Framework"]) == (("ZZ9, E07999999",), ("invented-framework-2026",))


def test_a_delivered_offer_says_until_when_by_the_clock_on_the_wall() -> None:
    assert page(a_search("Alder", at=monday("09:00"))).paragraphs == (
        "Answer before 09:30 on Monday 12 January 2026, UK time (GMT).",
        "An answer that comes at that time or later is too late.",
    )


def test_in_summer_the_wall_says_summer_time_and_seconds_where_they_matter() -> None:
    delivered = london(date(2026, 7, 6), "09:00") + timedelta(seconds=17)
    (first, _) = page(a_search("Alder", at=delivered)).paragraphs
    assert first == "Answer before 09:30:17 on Monday 6 July 2026, UK time (BST)."


@pytest.mark.parametrize(
    ("urgency", "counted"),
    [
        (Urgency.ROUTINE, "Only the brokerage's working hours count."),
        (Urgency.CRISIS, "Every minute counts, day and night."),
    ],
)
def test_an_offer_that_is_not_delivered_says_how_long_there_is(urgency: Urgency, counted: str) -> None:
    shown = page(SearchDriver(a_market("Alder")).request(a_request(urgency=urgency)))
    assert shown.paragraphs[0] == f"You have 30 minutes to answer, from when this offer was delivered to you. {counted}"
    assert shown.can_be_answered


def test_only_a_live_offer_can_be_answered() -> None:
    driver = a_search("Alder", "Birch")
    can_be_answered = [page(driver).can_be_answered]
    driver.decline("Alder")
    assert [*can_be_answered, page(driver).can_be_answered] == [True, False]


# --- what became of it


def test_an_accepted_offer_is_placed_and_says_all_again() -> None:
    driver = a_search("Alder")
    driver.accept("Alder")
    shown = page(driver)
    assert (shown.heading, shown.paragraphs[0]) == (
        "This offer was accepted",
        "The package is placed with you, on the terms below.",
    )
    assert "Visits" in facts(shown)


def test_a_placement_that_the_council_took_back_is_told_as_such() -> None:
    driver = a_search("Alder")
    driver.accept("Alder")
    driver.handle(a_withdrawal())
    assert page(driver).paragraphs[0] == "The council has taken the package back since, before care began."


def test_a_declined_offer_tells_the_reason_and_no_more_of_the_person() -> None:
    driver = a_search("Alder", "Birch")
    driver.answer("Alder", Decline(DeclineReason.TOO_FAR))
    shown = page(driver)
    assert (shown.heading, shown.paragraphs[0]) == ("This offer was declined", "The reason given: too far to travel.")
    assert list(facts(shown)) == ["Service", "Where", "Framework"]


def test_an_offer_whose_time_is_over_says_when_that_was() -> None:
    driver = a_search("Alder", "Birch", at=monday("09:00"))
    driver.handle(OfferExpiryDue(driver.find_offer("Alder").offer_id), at=monday("09:30"))
    shown = page(driver)
    assert (shown.heading, shown.paragraphs[0]) == (
        "The time to answer is over",
        "It could be answered before 09:30 on Monday 12 January 2026, UK time (GMT).",
    )


def test_an_offer_that_ended_before_anybody_was_reached_names_no_time() -> None:
    driver = a_search("Alder")
    never = replace(driver.find_offer("Alder"), status=OfferStatus.EXPIRED, delivered_at=None, answer_by=None)
    assert (
        build_offer_page(driver.current, never, DEFINITION).paragraphs[0]
        == "Nobody could be reached about this offer in time."
    )


def test_a_withdrawn_offer_needs_nothing() -> None:
    driver = a_search("Alder")
    driver.handle(a_withdrawal())
    assert (page(driver).heading, page(driver).can_be_answered) == ("This offer was withdrawn", False)


# --- after an answer


def test_an_acceptance_is_recorded_and_says_the_same_again() -> None:
    driver = a_search("Alder")
    first = answer(driver, Accept())
    assert (first.heading, answer(driver, Accept())) == ("We have recorded that you accept", first)


def test_a_decline_is_recorded_with_its_reason_and_says_the_same_again() -> None:
    driver, decline = a_search("Alder", "Birch"), Decline(DeclineReason.RATE_NOT_VIABLE)
    first = answer(driver, decline)
    assert (first.heading, first.paragraphs[0]) == (
        "We have recorded that you decline",
        "Your reason: rate not viable.",
    )
    assert answer(driver, decline) == first


def test_a_late_answer_is_told_when_the_time_was_over_and_that_it_is_on_record() -> None:
    driver = a_search("Alder", at=monday("09:00"))
    driver.at = monday("09:30")
    late = answer(driver, Accept())
    assert (late.heading, late.paragraphs) == (
        "Your answer came too late",
        (
            "The time to answer was over. It could be answered before 09:30 on Monday 12 January 2026, UK time (GMT).",
            "Your answer is on record, and no other one is needed. Thank you.",
        ),
    )


def test_another_answer_than_the_first_is_told_which_one_counts() -> None:
    driver = a_search("Alder", "Birch")
    driver.decline("Alder")
    shown = answer(driver, Accept())
    assert shown.heading == "This offer was already answered"
    assert shown.paragraphs[0].startswith("Another answer to it came first: it was declined.")


def test_an_answer_to_a_withdrawn_offer_is_told_so() -> None:
    driver = a_search("Alder")
    driver.handle(a_withdrawal())
    assert answer(driver, Accept()).paragraphs[0] == "The council had taken the offer back before."


def test_who_may_not_have_it_any_more_is_told_why_now_and_later() -> None:
    driver = a_search("Alder", "Birch")
    driver.market = replace_facts(driver.market, some_facts("Alder", embargoed=True))
    shown = answer(driver, Accept())
    why = "You accepted in time, but the council may not place it with you any more. The reason: embargoed."
    assert (shown.heading, shown.paragraphs[0]) == ("This package cannot be placed with you", why)
    assert page(driver).paragraphs[0] == why
    assert answer(driver, Accept()) == shown


def test_the_persons_own_wish_is_nobodys_business() -> None:
    driver = a_search("Alder")
    offer = driver.find_offer("Alder")
    refused = replace(
        offer,
        status=OfferStatus.WITHDRAWN,
        answer=Accept(),
        award_refused_for=(PassOverReason.REFUSED_BY_PERSON,),
    )
    assert "reason" not in build_offer_page(driver.current, refused, DEFINITION).paragraphs[0]


# --- what a form says


@pytest.mark.parametrize(
    ("form", "reply"),
    [
        (b"answer=accept", Accept()),
        (b"answer=accept&reason=", Accept()),
        (b"reason=too+far+to+travel&answer=decline", Decline(DeclineReason.TOO_FAR)),
        (b"answer=decline&reason=no%20capacity", Decline(DeclineReason.NO_CAPACITY)),
        (b"", NO_ANSWER),
        (b"reason=other", NO_ANSWER),
        (b"answer=", NO_ANSWER),
        (b"answer=decline", NO_REASON),
        (b"answer=decline&reason=", NO_REASON),
        (b"answer=decline&reason=bored", UNKNOWN_REASON),
        (b"answer=decline&reason=other&reason=no+capacity", BOTH),
        (b"answer=accept&answer=decline", BOTH),
        (b"answer=accept&reason=other", BOTH),
        (b"answer=perhaps", WRONG_FORM),
        (b"answer=accept&pad=" + b"x" * 1_000, WRONG_FORM),
        (b"answer=accept" + b"&x=1" * 20, WRONG_FORM),
        (b"answer=accept\xff", WRONG_FORM),
        (b'{"answer": "accept"}', NO_ANSWER),
    ],
)
def test_a_form_is_an_answer_or_is_told_what_to_correct(form: bytes, reply: ProviderAnswer | FormMistake) -> None:
    assert parse_reply(form) == reply


# --- as it is sent


class Outline(HTMLParser):
    """What a page is made of, as a browser or a screen reader sees it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def sent(shown: OfferPage) -> str:
    return render_page(shown)[0].decode()


def test_a_page_can_be_used_by_everybody() -> None:
    outline = Outline(sent(page(a_search("Alder"))))
    assert outline.all("html") == [{"lang": "en"}]
    assert len(outline.all("h1")) == 1
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in outline.all("meta")
    assert [each["for"] for each in outline.all("label")] == [each["id"] for each in outline.all("select")]
    assert not {"script", "link", "img", "a"} & {tag for tag, _ in outline.tags}
    assert not any(name.startswith("on") or name == "style" for _, each in outline.tags for name in each)


def test_its_forms_go_where_the_page_came_from_and_name_no_address() -> None:
    outline = Outline(sent(page(a_search("Alder"))))
    assert outline.all("form") == [{"method": "post"}, {"method": "post"}]
    assert [(each["name"], each["value"]) for each in outline.all("button")] == [
        ("answer", "accept"),
        ("answer", "decline"),
    ]
    assert [each["value"] for each in outline.all("option")] == ["", *DeclineReason]


def test_an_ended_offer_has_no_forms() -> None:
    driver = a_search("Alder", "Birch")
    driver.decline("Alder")
    outline = Outline(sent(page(driver)))
    assert (outline.all("form"), outline.all("button")) == ([], [])


def test_a_mistake_leads_to_the_field_that_is_wrong() -> None:
    outline = Outline(sent(page(a_search("Alder"), mistake=NO_REASON)))
    assert outline.all("a") == [{"href": "#reason"}]
    assert [each["aria-invalid"] for each in outline.all("select")] == ["true"]


def test_no_value_is_taken_for_a_part_of_the_page() -> None:
    driver, planted = a_search("Alder"), "<script>alert('1')</script> & \"more\""
    definition = DEFINITION.model_copy(update={"title": planted})
    shown = build_offer_page(driver.current, driver.find_offer("Alder"), definition)
    html = sent(replace(shown, heading=planted, paragraphs=(planted,), mistake=FormMistake(planted, 'x"><script>')))
    assert Outline(html).all("script") == []
    assert "&lt;script&gt;" in html


def test_the_style_is_the_only_thing_that_the_policy_allows() -> None:
    html, headers = render_page(page(a_search("Alder")))
    (style,) = re.findall(rb"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    assert headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
