"""Builds the returned rows from the lines of a list, and finds those that repeat or contradict each other."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from list_documents.columns import ALL_FACTS, CHECK, INTERESTED, RATE, REFERENCE, START, WAYS
from list_documents.content_hash import compute_check
from list_documents.returns.answers import Fault, parse_day, parse_rate, parse_yes_or_no
from list_documents.returns.returned import ProblemKind, ReturnedRow, RowProblem
from list_documents.returns.tables import ListLine, parse_reference

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answers:
    """The cells that a provider filled in one row, read; the first cell that cannot be read is the `fault`."""

    is_interested: bool | None
    rate: Decimal | None
    variations: tuple[str, ...]
    can_start_on: date | None
    fault: Fault | None

    @property
    def are_given(self) -> bool:
        return self.fault is not None or (self.is_interested, self.rate, self.variations, self.can_start_on) != (
            None,
            None,
            (),
            None,
        )


def build_rows(lines: Iterable[ListLine]) -> Iterator[ReturnedRow]:
    """Yields a row for each line with a reference or an answer; other lines are notes."""
    for line in lines:
        row = _build_row(line)
        if row is not None:
            yield row


def mark_repeated_rows(rows: Iterable[ReturnedRow]) -> tuple[ReturnedRow, ...]:
    """Of rows that answer alike for one package the first counts; of rows that contradict each other none does."""
    together = tuple(rows)
    by_reference = defaultdict[UUID | None, list[ReturnedRow]](list)
    for row in together:
        if _counts_alone(row):
            by_reference[row.reference].append(row)
    contradicted = {key for key, group in by_reference.items() if len({row.answer for row in group}) > 1}
    return tuple(
        _mark(row, by_reference[row.reference], is_contradicted=row.reference in contradicted)
        if _counts_alone(row)
        else row
        for row in together
    )


def _counts_alone(row: ReturnedRow) -> bool:
    return row.reference is not None and row.problem is None and row.has_answer


def _mark(row: ReturnedRow, answering: list[ReturnedRow], *, is_contradicted: bool) -> ReturnedRow:
    first = answering[0]
    if is_contradicted:
        other = next(each for each in answering if each.answer != row.answer)
        return _add_problem(row, ProblemKind.CONTRADICTED, f"answers differently from {other.where} for one package")
    if row is first:
        return row
    return _add_problem(row, ProblemKind.REPEATED, f"repeats {first.where}; the answer counts once")


def _build_row(line: ListLine) -> ReturnedRow | None:
    answers = _read_answers(line)
    text, reference = str(line.get(REFERENCE)).strip(), parse_reference(line.get(REFERENCE))
    if reference is None and not answers.are_given:
        return None
    where = f"row {line.number}" if line.sheet == 1 else f"row {line.number} of sheet {line.sheet}"
    row = build_row(where, line.number, reference, answers)
    if reference is not None:
        return replace(row, is_edited=_is_edited(line, reference))
    if text:
        return _add_problem(row, ProblemKind.NOT_A_REFERENCE, "the reference is not one of a list")
    return _add_problem(row, ProblemKind.NO_REFERENCE, "has an answer and no reference")


def build_row(where: str, number: int, reference: UUID | None, answers: Answers) -> ReturnedRow:
    """Builds a row with its answers, or with the fault in them; a fault in one cell leaves the others unused."""
    if answers.fault is not None:
        row = ReturnedRow(where, number, reference)
        return _add_problem(row, answers.fault.kind, answers.fault.detail)
    row = ReturnedRow(
        where,
        number,
        reference,
        answers.is_interested,
        answers.rate,
        answers.variations,
        answers.can_start_on,
    )
    if answers.rate is None and (answers.variations or answers.can_start_on is not None):
        return _add_problem(row, ProblemKind.NO_RATE, "proposes no rate; give one, or leave the row empty")
    return row


def _read_answers(line: ListLine) -> Answers:
    return gather_answers(
        is_interested=parse_yes_or_no(line.get(INTERESTED)),
        rate=parse_rate(line.get(RATE)),
        ways=(str(line.get(header)) for header in WAYS),
        can_start_on=parse_day(line.get(START)),
    )


def gather_answers(
    *,
    is_interested: bool | Fault | None,
    rate: Decimal | Fault | None,
    ways: Iterable[str],
    can_start_on: date | Fault | None,
) -> Answers:
    """Gathers what was read of one row; a way that is named twice counts once."""
    fault = next((each for each in (is_interested, rate, can_start_on) if isinstance(each, Fault)), None)
    return Answers(
        is_interested=_drop_fault(is_interested),
        rate=_drop_fault(rate),
        variations=tuple(dict.fromkeys(way for text in ways if (way := " ".join(text.split())))),
        can_start_on=_drop_fault(can_start_on),
        fault=fault,
    )


def _drop_fault(read: T | Fault | None) -> T | None:
    return None if isinstance(read, Fault) else read


def _is_edited(line: ListLine, reference: UUID) -> bool:
    """A file without checks, written by other software, has no edited rows."""
    check = str(line.get(CHECK)).strip()
    facts = [line.get(fact.header) for fact in ALL_FACTS if fact.header in line.cells]
    return bool(check) and check != compute_check(reference, facts)


def _add_problem(row: ReturnedRow, kind: ProblemKind, detail: str) -> ReturnedRow:
    return replace(row, problem=RowProblem(kind, f"{row.where}: {detail}"))
