"""What the page's form sends is read by the same rules as a file."""

from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from list_documents import NotAList, ProblemKind, ReturnTooLarge, hash_content, match_return, read_form
from testkit.listed_documents import (
    LIST_ID,
    OTHER_TIMES,
    SHARED,
    a_batching_list,
    a_reference,
    an_available_packages_list,
)

ONE, TWO = a_reference(1), a_reference(2)


def encode(*fields: tuple[str, str]) -> bytes:
    return urlencode(fields).encode()


def test_answers_come_back_with_list_and_hash() -> None:
    content_hash = hash_content(a_batching_list())
    body = encode(("list", str(LIST_ID)), ("content-hash", f"sha256:{content_hash}"), (f"interested-{TWO}", "yes"))
    returned = read_form(body)
    assert (returned.list_id, returned.content_hash) == (LIST_ID, content_hash)
    assert [(row.reference, row.is_interested) for row in returned.counting_rows] == [(TWO, True)]


def test_a_proposal_has_several_ways_and_a_day() -> None:
    body = encode(
        (f"rate-{ONE}", "£21.50"),
        (f"ways-{ONE}", OTHER_TIMES.key),
        (f"ways-{ONE}", SHARED.key),
        (f"start-{ONE}", "2026-05-01"),
        (f"rate-{TWO}", ""),
        (f"start-{TWO}", ""),
    )
    (row,) = match_return(read_form(body), an_available_packages_list()).counting_rows
    assert row.answer == (None, Decimal("21.50"), (OTHER_TIMES.key, SHARED.key), date(2026, 5, 1))


def test_two_answers_for_one_package_do_not_count() -> None:
    (row,) = read_form(encode((f"interested-{ONE}", "yes"), (f"interested-{ONE}", "no"))).rows
    assert row.problem is not None
    assert row.problem.kind is ProblemKind.NEITHER_YES_NOR_NO


def test_a_rate_that_cannot_be_read_names_the_package() -> None:
    (row,) = read_form(encode((f"rate-{ONE}", "21,50"))).rows
    assert str(row.problem) == "package 1: '21,50' is not a rate; write pounds and pence, like 21.50"


def test_fields_of_others_are_passed_over() -> None:
    assert read_form(encode(("csrf", "x"), ("rate-abc", "1"), (f"rate-{ONE}-x", "1"))).rows == ()


@pytest.mark.parametrize("body", ["rate=ü".encode(), b"a=%ff", b"&".join([b"a=1"] * 70_000)])
def test_a_body_that_the_page_cannot_send_is_refused(body: bytes) -> None:
    with pytest.raises(NotAList, match="open the page again"):
        read_form(body)


def test_a_body_larger_than_any_list_is_refused() -> None:
    with pytest.raises(ReturnTooLarge):
        read_form(b"a" * (2 * 1024 * 1024 + 1))
