"""Parsing, formatting and redaction of postcodes."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import CallOffError
from geography import NotAPostcode, Postcode

STANDARD = Path(__file__).parents[5] / "shared/data/standards/uk-postcode/test/data"

OUTWARDS = st.from_regex(r"[A-Z]{1,2}[0-9][A-Z0-9]?", fullmatch=True)
INWARDS = st.from_regex(r"[0-9][A-Z]{2}", fullmatch=True)
POSTCODES = st.builds(Postcode, outward=OUTWARDS, inward=INWARDS)


def load_standard_forms(name: str) -> list[tuple[str, str | bool | None]]:
    file = STANDARD / f"{name}.json"
    if not file.exists():
        pytest.skip("../shared/data does not exist; it contains the standard postcode forms")
    return [(form["base"], form["expected"]) for form in json.loads(file.read_text())["tests"]]


def parse_or_none(text: str) -> Postcode | None:
    try:
        return Postcode.parse(text)
    except NotAPostcode:
        return None


def test_a_form_parses_if_and_only_if_the_standard_calls_it_valid() -> None:
    forms = load_standard_forms("validation")
    assert [(text, parse_or_none(text) is not None) for text, _ in forms] == forms


def test_postcodes_are_written_as_the_standard_normalises_them() -> None:
    for text, expected in load_standard_forms("normalisation"):
        postcode = parse_or_none(text)
        assert (str(postcode) if postcode else None) == expected


@pytest.mark.parametrize(("form", "part"), [("outcodes", "outward"), ("incodes", "inward")])
def test_the_parts_are_those_of_the_standard(form: str, part: str) -> None:
    for text, expected in load_standard_forms(form):
        assert getattr(Postcode.parse(text), part) == expected


@pytest.mark.parametrize("form", ["areas", "districts", "sectors", "sub-districts", "units"])
def test_every_other_form_of_the_standard_parses(form: str) -> None:
    for text, _ in load_standard_forms(form):
        assert parse_or_none(text) is not None


@given(POSTCODES)
def test_a_formatted_postcode_parses_to_the_same_postcode(postcode: Postcode) -> None:
    assert Postcode.parse(str(postcode)) == postcode


@given(POSTCODES, st.sampled_from(["", " ", "  ", "\t", "\u00a0"]))
def test_case_and_white_space_are_ignored(postcode: Postcode, space: str) -> None:
    written = f"{space}{postcode.outward}{space}{postcode.inward}{space}"
    assert Postcode.parse(written.lower()) == Postcode.parse(written.swapcase()) == postcode


@given(st.text())
def test_any_text_is_a_postcode_or_refused(text: str) -> None:
    postcode = parse_or_none(text)
    assert postcode is None or Postcode.parse(str(postcode)) == postcode


@pytest.mark.parametrize(
    "text",
    ["", " ", "CM1", "1QH", "CM1-1QH", "CM1 1QH1", "CM1 1Q", "CM1 1QH\u200b", "ß1 1AA", "\uff23M1 1QH", "CM\u0661 1QH"],
)
def test_text_that_resembles_a_postcode_is_refused(text: str) -> None:
    with pytest.raises(NotAPostcode):
        Postcode.parse(text)


def test_a_postcode_cannot_be_built_of_wrong_parts() -> None:
    with pytest.raises(NotAPostcode):
        Postcode(outward="CM11", inward="QH")


def test_the_error_does_not_echo_the_text_and_shows_the_format() -> None:
    with pytest.raises(NotAPostcode) as refused:
        Postcode.parse("CM1 9ZZ, Test Person's house")
    assert str(refused.value) == "this is not a UK postcode; write it in full, like CM1 1QH"


def test_the_error_is_a_call_off_error_and_a_value_error() -> None:
    assert issubclass(NotAPostcode, CallOffError)
    assert issubclass(NotAPostcode, ValueError)


@given(POSTCODES)
def test_a_repr_shows_the_outward_code_only(postcode: Postcode) -> None:
    assert repr(postcode) == f"Postcode({postcode.outward} …)"


def test_zz99_codes_are_pseudo_and_one_of_them_means_no_fixed_abode() -> None:
    no_fixed_abode, not_known, county_hall = map(Postcode.parse, ("zz993vz", "ZZ99 3WZ", "CM1 1QH"))
    assert (no_fixed_abode.is_pseudo, no_fixed_abode.is_no_fixed_abode) == (True, True)
    assert (not_known.is_pseudo, not_known.is_no_fixed_abode) == (True, False)
    assert (county_hall.is_pseudo, county_hall.is_no_fixed_abode) == (False, False)
