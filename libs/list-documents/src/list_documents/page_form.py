"""The fields of the page's form, and what comes back in them."""

from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import parse_qs
from uuid import UUID

from contracts.events.lists import MAX_RETURNED_ROWS
from list_documents.errors import NotAList, ReturnTooLarge
from list_documents.returns.answers import parse_day, parse_rate, parse_yes_or_no
from list_documents.returns.returned import ReturnedList, ReturnedRow
from list_documents.returns.rows import build_row, gather_answers
from list_documents.returns.tables import parse_hash, parse_reference

LIST_FIELD: Final = "list"
HASH_FIELD: Final = "content-hash"
MAX_FORM_BYTES: Final = 2 * 1024 * 1024
_FIELDS_PER_ROW: Final = 30
"""An answer, a rate, a day, and the ways to deliver."""

Fields = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class FieldNames:
    """Names of the fields of one package."""

    interested: str
    rate: str
    ways: str
    start: str

    @classmethod
    def for_package(cls, reference: UUID) -> Self:
        return cls(f"interested-{reference}", f"rate-{reference}", f"ways-{reference}", f"start-{reference}")


def read_form(body: bytes) -> ReturnedList:
    """Reads `application/x-www-form-urlencoded`; raises a ReturnRefused for a body that the page cannot have sent.

    Rows stand in the order in which their references first occur; they are named `package 3`, as nothing else of the
    page is known here. Ways to deliver come as keys.
    """
    fields = _parse(body)
    references = dict.fromkeys(
        reference for name in fields if (reference := parse_reference(name.partition("-")[2])) is not None
    )
    return ReturnedList(
        list_id=parse_reference(_get_first(fields, LIST_FIELD)),
        content_hash=parse_hash(_get_first(fields, HASH_FIELD)),
        rows=tuple(_build_row(number, reference, fields) for number, reference in enumerate(references, start=1)),
    )


def _parse(body: bytes) -> Fields:
    if len(body) > MAX_FORM_BYTES:
        raise ReturnTooLarge("the form is larger than any list; open the page again and send it from there")
    try:
        return parse_qs(body.decode("ascii"), errors="strict", max_num_fields=MAX_RETURNED_ROWS * _FIELDS_PER_ROW)
    except ValueError as error:
        raise NotAList("this is not the form of a list; open the page again and send it from there") from error


def _build_row(number: int, reference: UUID, fields: Fields) -> ReturnedRow:
    names = FieldNames.for_package(reference)
    answers = gather_answers(
        is_interested=parse_yes_or_no(_get_only(fields, names.interested)),
        rate=parse_rate(_get_only(fields, names.rate)),
        ways=fields.get(names.ways, []),
        can_start_on=parse_day(_get_only(fields, names.start)),
    )
    return build_row(f"package {number}", number, reference, answers)


def _get_first(fields: Fields, name: str) -> str:
    return fields.get(name, [""])[0]


def _get_only(fields: Fields, name: str) -> str:
    """Returns the value; two different values are joined, so that the row has a problem and not the first of them."""
    return " and ".join(dict.fromkeys(fields.get(name, [])))
