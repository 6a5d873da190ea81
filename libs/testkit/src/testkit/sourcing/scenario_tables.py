"""Scenarios in tables that an officer reads: each row is played as a test, and a word that nobody knows fails it.

The sentences stand in `sentences`, each with the method of the player that it calls. What stands in braces is handed to
the method, read as its kind (`KINDS`).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from difflib import get_close_matches
from inspect import isawaitable
from pathlib import Path
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from testkit.sourcing.scenario_steps import GIVEN, THEN, WHEN

LONDON: Final = ZoneInfo("Europe/London")
OFFSETS: Final = {"GMT": UTC, "BST": timezone(timedelta(hours=1))}
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
COLUMNS: Final = ["Scenario", "Given", "When", "Then", "Also"]
RUNNING_STACK: Final = "running stack"

_DAY: Final = rf"(?:(?:{'|'.join(WEEKDAYS)}|\d{{1,2}} [A-Z][a-z]+ \d{{4}}) )?"
_INSTANT: Final = rf"{_DAY}\d\d:\d\d(?::\d\d)?(?: GMT| BST)?"
_NAME: Final = r"[A-Z][a-z]+"
KINDS: Final[Mapping[str, str]] = {
    "provider": _NAME,
    "providers": rf"nobody|{_NAME}(?:, {_NAME})*",
    "instant": _INSTANT,
    "pounds": r"£\d+\.\d\d",
    "number": r"\d+(?:\.\d+)?",
    "words": r".+",
}

SentenceHandlers = Mapping[str, Callable[..., object]]
"""Sentences, and what is done about them."""


class UnreadableTable(Exception):
    """A table says something that nobody understands."""


@dataclass(frozen=True)
class ScenarioRow:
    """One scenario: a sentence that says what is promised, and how it is tried."""

    place: str
    sentence: str
    given: tuple[str, ...]
    when: tuple[str, ...]
    then: tuple[str, ...]
    also: str

    @property
    def is_for_running_stack(self) -> bool:
        return self.also == RUNNING_STACK


@dataclass
class InstantReader:
    """Reads days and times as the office says them: `Tuesday 08:30`, `2 April 2026 16:45`, `09:15` of the same day.

    Weekdays are those of the week that begins on `monday`; in the hour that October has twice, GMT or BST says which.
    """

    monday: date
    today: date

    @staticmethod
    def from_monday(monday: date) -> "InstantReader":
        return InstantReader(monday, monday)

    def parse_instant(self, text: str) -> datetime:
        zone = next((OFFSETS[name] for name in OFFSETS if text.endswith(name)), LONDON)
        *day, clock = text.removesuffix(" GMT").removesuffix(" BST").split(" ")
        if day:
            self.today = self._parse_day(" ".join(day))
        return datetime.combine(self.today, time.fromisoformat(clock), zone).astimezone(UTC)

    def _parse_day(self, text: str) -> date:
        if text in WEEKDAYS:
            return self.monday + timedelta(days=WEEKDAYS.index(text))
        return datetime.strptime(f"{text} +0000", "%d %B %Y %z").date()


class ScenarioRunner(Protocol):
    """Plays rows, by a method for each sentence that it knows."""

    @property
    def reader(self) -> InstantReader: ...
    def advance_time(self, until: datetime) -> object:
        """It becomes `until`, and everything that falls due before it happens."""
        ...


def read_rows(folder: Path) -> list[ScenarioRow]:
    """The rows of all tables in `folder`. Raises Unreadable for a table with other columns."""
    files = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
    return [row for path in files for row in _parse_table(path)]


async def run_scenario(row: ScenarioRow, runner: ScenarioRunner) -> None:
    """Raises Unreadable for a sentence that the player does not know, AssertionError where the row is not true."""
    given, when, then = (_bind_handlers(runner, sentences) for sentences in (GIVEN, WHEN, THEN))
    for said in row.given:
        await _run_sentence(said, given, runner.reader, row)
    for said in row.when:
        await _run_event(said, {**given, **when}, runner, row)
    for said in row.then:
        await _run_sentence(said, then, runner.reader, row)


def _bind_handlers(runner: ScenarioRunner, sentences: Mapping[str, str]) -> SentenceHandlers:
    return {sentence: getattr(runner, verb) for sentence, verb in sentences.items() if hasattr(runner, verb)}


async def _run_event(text: str, handlers: SentenceHandlers, runner: ScenarioRunner, row: ScenarioRow) -> None:
    """`09:15 Alder accepts`: first time passes, then it happens."""
    timed = re.fullmatch(rf"({_INSTANT}) (.+)", text)
    if timed is not None:
        await _await_result(runner.advance_time(runner.reader.parse_instant(timed[1])))
    await _run_sentence(text if timed is None else timed[2], handlers, runner.reader, row)


async def _run_sentence(text: str, handlers: SentenceHandlers, reader: InstantReader, row: ScenarioRow) -> None:
    for sentence, verb in handlers.items():
        match = re.fullmatch(_build_pattern(sentence), text)
        if match is not None:
            kinds = re.findall(r"{(\w+)}", sentence)
            try:
                await _await_result(verb(*map(_make_reader(reader), kinds, match.groups())))
            except (AssertionError, LookupError) as wrong:
                raise AssertionError(f"{row.place}: '{text}' is not true: {wrong}") from wrong
            return
    near = get_close_matches(text, list(handlers), n=3, cutoff=0.3)
    raise UnreadableTable(f"{row.place}: nobody knows what '{text}' means; near to it are {near}")


async def _await_result(result: object) -> None:
    if isawaitable(result):
        await result


def _build_pattern(sentence: str) -> str:
    """The sentence with a group for each kind in braces."""
    parts = re.split(r"{(\w+)}", sentence)
    return "".join(f"({KINDS[part]})" if index % 2 else re.escape(part) for index, part in enumerate(parts))


def _make_reader(reader: InstantReader) -> Callable[[str, str], object]:
    def read(kind: str, said: str) -> object:
        match kind:
            case "providers":
                return () if said == "nobody" else tuple(said.split(", "))
            case "instant":
                return reader.parse_instant(said)
            case "pounds" | "number":
                return Decimal(said.removeprefix("£"))
            case _:
                return said

    return read


def _parse_table(path: Path) -> Iterator[ScenarioRow]:
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    table = [(number, _split_cells(line)) for number, line in lines if line.startswith("|")]
    for number, cells in table:
        place = f"{path.name}:{number}"
        if len(cells) != len(COLUMNS):
            raise UnreadableTable(f"{place}: a row has the columns {', '.join(COLUMNS)}")
        if cells != COLUMNS and set("".join(cells)) != {"-"}:
            yield _build_row(place, cells)


def _split_cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _build_row(place: str, cells: Sequence[str]) -> ScenarioRow:
    sentence, given, when, then, also = cells
    if also not in {"", RUNNING_STACK}:
        raise UnreadableTable(f"{place}: the last column is empty or says '{RUNNING_STACK}', not '{also}'")
    return ScenarioRow(place, sentence, _split_sentences(given), _split_sentences(when), _split_sentences(then), also)


def _split_sentences(cell: str) -> tuple[str, ...]:
    return tuple(said.strip() for said in cell.split(";") if said.strip())
