"""Compares a return with the list that was issued: foreign references, and titles of other ways to deliver."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from contracts.ids import ReasonKey
from list_documents.document import ListDocument
from list_documents.returns.returned import ProblemKind, ReturnedList, ReturnedRow, RowProblem


def match_return(returned: ReturnedList, document: ListDocument) -> ReturnedList:
    """Returns the rows with the keys of the definition in place of titles.

    A row of another list, or one with an unknown way to deliver, gets a problem; every other row stays as it is.
    """
    references = frozenset(row.reference for row in document.rows)
    keys = {_fold(text): each.key for each in document.variations for text in (each.key, each.title)}
    return replace(returned, rows=tuple(_match(row, references, keys) for row in returned.rows))


def _match(row: ReturnedRow, references: frozenset[UUID], keys: Mapping[str, ReasonKey]) -> ReturnedRow:
    if row.problem is not None:
        return row
    if row.reference not in references:
        detail = "the reference is not one of this list"
        return replace(row, problem=RowProblem(ProblemKind.NOT_ON_THIS_LIST, f"{row.where}: {detail}"))
    if any(_fold(title) not in keys for title in row.variations):
        detail = "a way to deliver is not one of those on the list; choose from them"
        return replace(row, problem=RowProblem(ProblemKind.UNKNOWN_VARIATION, f"{row.where}: {detail}"))
    return replace(row, variations=tuple(dict.fromkeys(keys[_fold(title)] for title in row.variations)))


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())
