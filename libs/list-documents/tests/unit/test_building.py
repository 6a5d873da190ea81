"""Adverts become rows in words for people; the provider's own areas stand first."""

from datetime import UTC, date, datetime

import pytest

from contracts.events.listings import Advert
from contracts.events.lists import ListKind, ListRow, hash_rows
from contracts.example_words import Needs, ServiceTypes, Units, Variations
from contracts.examples import a_definition, an_example_of
from contracts.framework.words import Area
from contracts.ids import AreaCode, NeedKey
from contracts.values import AgeBand, CarerGender
from list_documents import Issue, ListDocument, build_document, hash_content
from list_documents.building import clean_text
from testkit.listed_documents import CLOSES_AT, ISSUED_AT, LIST_ID, a_batching_list, a_reference, a_row

NORTH, SOUTH, WEST = AreaCode("north"), AreaCode("south"), AreaCode("west")
DEFINITION = a_definition(
    areas=tuple(Area(code=code, name=code.capitalize(), districts=(AreaCode("E07000071"),)) for code in (NORTH, SOUTH))
)
BATCHING = Issue(LIST_ID, ListKind.BATCHING_LIST, ISSUED_AT, closes_at=CLOSES_AT)
AVAILABLE = Issue(LIST_ID, ListKind.AVAILABLE_PACKAGES, ISSUED_AT)


def a_package(number: int = 1, *, listed_since: datetime = ISSUED_AT, **changed: object) -> ListRow:
    usual = {
        "reference": a_reference(number),
        "area": NORTH,
        "outward_code": None,
        "age_band": AgeBand.UNDER_40,
        "carer_gender": None,
        "service_type": ServiceTypes.PERSONAL_CARE,
        "skills": (),
    }
    advert = an_example_of(Advert, **{**usual, **changed})
    return ListRow(advert=advert, unit=Units.NIGHT, listed_since=listed_since)


def list_references(document: ListDocument) -> list[int]:
    known = {a_reference(number): number for number in range(10)}
    return [known[row.reference] for row in document.rows]


def test_keys_become_titles_of_the_definition() -> None:
    package = a_package(skills=(Needs.PEG_FEEDING, Needs.HOIST), carer_gender=CarerGender.FEMALE)
    row = build_document(AVAILABLE, [package], DEFINITION).rows[0]
    assert (row.area, row.service_type, row.unit) == ("North", "Personal care", "night")
    assert row.skills == ("Peg feeding", "Hoist")
    assert (row.age_band, row.carers_wanted) == ("18 to 39", "female carers")


def test_a_word_that_the_definition_no_longer_has_is_shown_with_spaces() -> None:
    package = a_package(area=WEST, skills=(NeedKey("sign-language"),))
    row = build_document(AVAILABLE, [package], DEFINITION).rows[0]
    assert (row.area, row.skills) == ("west", ("sign language",))


def test_packages_of_the_areas_that_the_provider_serves_stand_first() -> None:
    packages = [a_package(1, area=NORTH), a_package(2, area=SOUTH), a_package(3, area=WEST)]
    document = build_document(AVAILABLE, packages, DEFINITION, served_areas={SOUTH})
    assert list_references(document) == [2, 1, 3]
    assert document.recipient_areas == ("South",)


def test_within_an_area_the_package_that_is_listed_longest_stands_first() -> None:
    packages = [
        a_package(1, listed_since=datetime(2026, 4, 3, tzinfo=UTC)),
        a_package(2, listed_since=datetime(2026, 4, 2, tzinfo=UTC)),
        a_package(3, listed_since=datetime(2026, 4, 3, tzinfo=UTC), service_type=ServiceTypes.LIVE_IN),
    ]
    assert list_references(build_document(AVAILABLE, packages, DEFINITION)) == [2, 3, 1]


def test_the_order_does_not_depend_on_the_order_of_the_packages() -> None:
    packages = [a_package(number) for number in range(6)]
    one, other = (build_document(AVAILABLE, each, DEFINITION) for each in (packages, packages[::-1]))
    assert one.rows == other.rows


def test_the_hash_is_that_of_the_rows_as_they_were_issued() -> None:
    packages = [a_package(1, area=NORTH), a_package(2, area=SOUTH)]
    document = build_document(AVAILABLE, packages, DEFINITION, served_areas={SOUTH})
    assert list_references(document) == [2, 1]
    assert hash_content(document) == hash_rows(LIST_ID, packages)


def test_rows_that_were_not_issued_cannot_be_shown() -> None:
    with pytest.raises(ValueError, match="rows and content differ"):
        a_batching_list(a_row(1), content=a_batching_list(a_row(2)).content)


def test_the_day_since_which_it_is_listed_is_the_day_in_london() -> None:
    package = a_package(listed_since=datetime(2026, 3, 31, 23, 30, tzinfo=UTC))
    assert build_document(AVAILABLE, [package], DEFINITION).rows[0].listed_since == date(2026, 4, 1)


def test_only_the_available_packages_list_offers_other_ways_to_deliver() -> None:
    assert build_document(BATCHING, [a_package()], DEFINITION).variations == ()
    available = build_document(AVAILABLE, [a_package()], DEFINITION)
    assert tuple(each.key for each in available.variations) == Variations.ALL


def test_the_usual_title_has_the_day_of_issue_and_another_one_replaces_it() -> None:
    assert build_document(BATCHING, [a_package()], DEFINITION).title == "Batching List of Tue 7 Apr 2026"
    named = Issue(LIST_ID, ListKind.AVAILABLE_PACKAGES, ISSUED_AT, title="Packages\nof the week")
    assert build_document(named, [a_package()], DEFINITION).title == "Packages of the week"


@pytest.mark.parametrize(
    ("text", "clean"),
    [("two\r\nlines", "two lines"), ("\u202egnp.exe", "gnp.exe"), ("a\x0bb\x00", "a b"), ("  Ynys Môn ", "Ynys Môn")],
)
def test_titles_lose_line_breaks_and_invisible_characters(text: str, clean: str) -> None:
    assert clean_text(text) == clean


def test_an_empty_list_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="empty list"):
        build_document(AVAILABLE, [], DEFINITION)


def test_a_reference_stands_on_a_list_once() -> None:
    with pytest.raises(ValueError, match="stands twice"):
        a_batching_list(a_row(1), a_row(1))


def test_a_batching_list_has_an_instant_at_which_it_closes() -> None:
    with pytest.raises(ValueError, match="closes_at"):
        a_batching_list(closes_at=None)


def test_instants_need_a_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        a_batching_list(issued_at=datetime(2026, 4, 7, 15))  # noqa: DTZ001  the naive instant is the point
