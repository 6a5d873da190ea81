"""Rules for text: normalised first, then judged; errors name kind, code point and position, never the text."""

import time
import unicodedata
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_runtime.http.text_rules import CodeRule, ExactTextRule, TextRule

ONE_LINE: Final = TextRule(40)
LINES: Final = TextRule(40, has_lines=True)
TOWN: Final = CodeRule(r"[A-Z]{2}[0-9]", "two letters and a digit, such as CO1", 3, case="upper")


def refuse(rule: TextRule | CodeRule | ExactTextRule, value: object) -> str:
    """Returns the words with which the rule refuses the value."""
    with pytest.raises(ValueError) as error:
        rule(value)
    return str(error.value)


@pytest.mark.parametrize("line_end", ["\r\n", "\r", "\n"])
def test_line_ends_become_a_line_feed_where_lines_are_allowed_and_a_space_elsewhere(line_end: str) -> None:
    assert LINES(f"a{line_end}{line_end}b") == "a\n\nb"
    assert ONE_LINE(f"a{line_end}b") == "a b"


@pytest.mark.parametrize("space", "\t\u00a0\u1680\u2003\u2007\u2009\u200a\u202f\u205f\u3000")
def test_special_spaces_become_a_space_and_are_trimmed_at_the_ends(space: str) -> None:
    assert ONE_LINE(f"{space}Test{space}Person{space}") == "Test Person"


@pytest.mark.parametrize("mark", "\u00ad\u200b\u200e\u200f\u2060\ufeff")
def test_invisible_characters_without_meaning_are_dropped(mark: str) -> None:
    assert ONE_LINE(f"{mark}Te{mark}st{mark}") == "Test"


@pytest.mark.parametrize("joiner", ["\u200c", "\u200d"])
def test_a_joiner_inside_a_name_stays_and_one_at_its_end_is_trimmed(joiner: str) -> None:
    assert ONE_LINE(f"{joiner}می{joiner}خواهم{joiner}") == f"می{joiner}خواهم"


def test_a_name_has_one_form_however_its_accents_are_composed() -> None:
    assert ONE_LINE("Zoe\u0308 Test") == ONE_LINE("Zo\u00eb Test") == "Zo\u00eb Test"


@pytest.mark.parametrize(
    "text", ["=1+1", "@home care", "Ann  Test", "O'Test-Person", "李 测试", "Ṣọlá", "👩‍⚕️", "a\u0301\u0323"]
)
def test_what_people_write_is_accepted_as_they_write_it(text: str) -> None:
    assert ONE_LINE(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("character", "kind"),
    [
        ("\x00", "a control character (U+0000)"),
        ("\x1b", "a control character (U+001B)"),
        ("\x85", "a control character (U+0085)"),
        ("\u2028", "a line separator (U+2028)"),
        ("\u2029", "a paragraph separator (U+2029)"),
        ("\u202e", "a text direction control (U+202E)"),
        ("\u2066", "a text direction control (U+2066)"),
        ("\ud800", "half of a surrogate pair (U+D800)"),
        ("\ue000", "a private use character (U+E000)"),
        ("\U000e0041", "a tag character (U+E0041)"),
        ("\uffff", "an unassigned character (U+FFFF)"),
        ("\u0378", "an unassigned character (U+0378)"),
    ],
)
def test_other_control_characters_are_refused_with_kind_code_point_and_position(character: str, kind: str) -> None:
    for rule in (ONE_LINE, LINES):
        assert refuse(rule, f"Test{character}Person") == f"has {kind} at position 5; remove it"


def test_length_is_judged_after_trimming_and_told_without_the_text() -> None:
    assert ONE_LINE(f"  {'x' * 40}\u00a0") == "x" * 40
    assert refuse(ONE_LINE, "Z" * 41) == "is longer than 40 characters; shorten it"
    assert refuse(ONE_LINE, "\u00a0 \u200b") == "is empty; fill it in or leave it out"
    assert refuse(TextRule(40, min_length=3), "ab") == "is shorter than 3 characters"


@pytest.mark.parametrize("value", [7, 1.5, True, None, b"Test", ["Test"], {"a": 1}])
def test_only_text_is_text(value: object) -> None:
    assert refuse(ONE_LINE, value) == "must be text in quotation marks"


def test_a_text_that_takes_long_to_compose_is_refused_before_it_is_composed() -> None:
    started = time.process_time()
    assert "shorten" in refuse(TextRule(4000, has_lines=True), "e" + "\u0301\u0323" * 40_000)
    TextRule(4000, has_lines=True)("e" + "\u0301\u0323" * 1_900)
    assert time.process_time() - started < 2, "composing the longer text takes 6 seconds of the processor"


def test_a_code_is_trimmed_and_folded_and_its_error_has_words_instead_of_a_pattern() -> None:
    assert TOWN(" co1\u00a0") == "CO1"
    assert refuse(TOWN, "C01") == "must be two letters and a digit, such as CO1"
    assert refuse(TOWN, "CO1\n2") == "must be two letters and a digit, such as CO1"


def test_a_foreign_key_stays_as_it_is_unless_no_database_can_hold_it() -> None:
    assert ExactTextRule(9)(" \u202e\u00a0k ") == " \u202e\u00a0k "
    for value in ("a\x00", "\ud800", "x" * 10):
        refuse(ExactTextRule(9), value)


@given(st.text(alphabet=st.characters(), max_size=40))
def test_whatever_is_typed_is_stored_in_one_form_or_refused_without_being_repeated(text: str) -> None:
    rule, refusal = TextRule(200, has_lines=True), ""
    try:
        stored = rule(f"Zzyzx{text}")
    except ValueError as error:
        stored, refusal = "", str(error)
    assert "Zzyzx" not in refusal
    assert bool(stored) is not bool(refusal)
    assert not {*stored} & {"\r", "\x00", "\u00a0", "\u202e"}
    assert stored == stored.strip()
    assert not stored or rule(stored) == stored
    assert stored.encode().decode() == stored
