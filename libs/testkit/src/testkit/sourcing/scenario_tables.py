"""Reads scenarios from Markdown tables and runs each row as a test. An unknown sentence fails the row.

`scenario_steps` maps each sentence to a method of the runner. The words in braces become the method's arguments, parsed
by the argument's kind (`ARGUMENT_PATTERNS`).
"""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from difflib import get_close_matches
from functools import partial
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
SHARED_GIVEN: Final = "Given in each row: "
"""Begins a line of sentences that hold for all rows below it, until the next such line."""
FRAMEWORK: Final = "the framework "
"""Begins the sentence that names a definition of `frameworks/`."""

_DAY: Final = rf"(?:(?:{'|'.join(WEEKDAYS)}|\d{{1,2}} [A-Z][a-z]+ \d{{4}}) )?"
_INSTANT: Final = rf"{_DAY}\d\d:\d\d(?::\d\d)?(?: GMT| BST)?"
_NAME: Final = r"[A-Z][a-z]+(?: [A-Z][a-z]+)*"
_POUNDS: Final = r"£\d{1,3}(?:,?\d{3})*\.\d\d"
ARGUMENT_PATTERNS: Final[Mapping[str, str]] = {
    "provider": _NAME,
    "providers": rf"nobody|{_NAME}(?:, {_NAME})*",
    "instant": _INSTANT,
    "date": r"\d{1,2} [A-Z][a-z]+ \d{4}",
    "rates": rf"{_NAME} at {_POUNDS}(?:, {_NAME} at {_POUNDS})*",
    "pounds": _POUNDS,
    "number": r"\d+(?:\.\d+)?",
    "words": r".+",
}

SentenceHandlers = Mapping[str, Callable[..., object]]
"""Sentences, each with the method that runs it."""


class UnreadableTable(Exception):
    """A table has a wrong column, or a row has a sentence that the runner does not support."""


@dataclass(frozen=True)
class ScenarioRow:
    """One scenario. `sentence` states the promise; the other columns test it. `location` is the file and line."""

    location: str
    sentence: str
    given: tuple[str, ...]
    when: tuple[str, ...]
    then: tuple[str, ...]
    also: str

    @property
    def is_for_running_stack(self) -> bool:
        return self.also == RUNNING_STACK

    @property
    def framework(self) -> str | None:
        """The definition of `frameworks/` that a Given sentence names; None: the invented framework."""
        named = (sentence.removeprefix(FRAMEWORK) for sentence in self.given if sentence.startswith(FRAMEWORK))
        return next(named, None)


@dataclass
class InstantReader:
    """Parses London days and times: `Tuesday 08:30`, `2 April 2026 16:45`, or `09:15` of the day parsed last.

    Weekdays are those of the week that begins on `monday`. `GMT` or `BST` names the hour that October has twice.
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
        return parse_date(text)


def parse_date(text: str) -> date:
    """Parses `2 April 2026`."""
    return datetime.strptime(f"{text} +0000", "%d %B %Y %z").date()


class ScenarioRunner(Protocol):
    """Runs the sentences of a row: it has a method for each When sentence that it supports."""

    @property
    def reader(self) -> InstantReader: ...
    @property
    def setup(self) -> object:
        """Has a method for each Given sentence that the runner supports."""
        ...

    @property
    def checks(self) -> object:
        """Has a method for each Then sentence that the runner supports."""
        ...

    async def run_check(self, check: Callable[[], Awaitable[None]]) -> None:
        """Awaits a Then sentence; where the result takes time, again until it is true."""
        ...

    def advance_time(self, until: datetime) -> object:
        """Moves the time to `until`; everything that is due before then happens."""
        ...


def read_rows(folder: Path) -> list[ScenarioRow]:
    """Reads the rows of all tables in `folder`. Raises UnreadableTable if a table has other columns."""
    files = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
    return [row for path in files for row in _parse_table(path)]


async def run_scenario(row: ScenarioRow, runner: ScenarioRunner) -> None:
    """Runs the Given, When and Then sentences of a row.

    Raises UnreadableTable for a sentence that the runner does not support, AssertionError if a sentence is not true.
    """
    given, when = _bind_handlers(runner.setup, GIVEN), _bind_handlers(runner, WHEN)
    then = _bind_handlers(runner.checks, THEN)
    for sentence in row.given:
        await _run_sentence(sentence, given, runner.reader, row)
    for sentence in row.when:
        await _run_event(sentence, {**given, **when}, runner, row)
    for sentence in row.then:
        await runner.run_check(partial(_run_sentence, sentence, then, runner.reader, row))


def _bind_handlers(target: object, sentences: Mapping[str, str]) -> SentenceHandlers:
    return {sentence: getattr(target, verb) for sentence, verb in sentences.items() if hasattr(target, verb)}


async def _run_event(text: str, handlers: SentenceHandlers, runner: ScenarioRunner, row: ScenarioRow) -> None:
    """Runs a sentence with an optional time before it, such as `09:15 Alder accepts`: moves the time first."""
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
            except (AssertionError, LookupError, ValueError) as wrong:
                raise AssertionError(f"{row.location}: '{text}' is not true: {wrong}") from wrong
            return
    near = get_close_matches(text, list(handlers), n=3, cutoff=0.3)
    raise UnreadableTable(f"{row.location}: unknown sentence '{text}'; the most similar ones are {near}")


async def _await_result(result: object) -> None:
    if isawaitable(result):
        await result


def _build_pattern(sentence: str) -> str:
    """Converts a sentence to a regular expression with one group for each argument."""
    parts = re.split(r"{(\w+)}", sentence)
    return "".join(f"({ARGUMENT_PATTERNS[part]})" if index % 2 else re.escape(part) for index, part in enumerate(parts))


def _make_reader(reader: InstantReader) -> Callable[[str, str], object]:
    def read(kind: str, text: str) -> object:
        match kind:
            case "providers":
                return () if text == "nobody" else tuple(text.split(", "))
            case "instant":
                return reader.parse_instant(text)
            case "pounds" | "number":
                return Decimal(text.removeprefix("£").replace(",", ""))
            case "date":
                return parse_date(text)
            case "rates":
                named = (each.split(" at £") for each in text.split(", "))
                return {name: Decimal(rate.replace(",", "")) for name, rate in named}
            case _:
                return text

    return read


def _parse_table(path: Path) -> Iterator[ScenarioRow]:
    shared: tuple[str, ...] = ()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        place = f"{path.name}:{number}"
        if line.startswith(SHARED_GIVEN):
            shared = _split_sentences(line.removeprefix(SHARED_GIVEN).removesuffix("."))
        elif line.startswith("|"):
            yield from _parse_line(place, _split_cells(line), shared)


def _parse_line(place: str, cells: Sequence[str], shared: tuple[str, ...]) -> Iterator[ScenarioRow]:
    if len(cells) != len(COLUMNS):
        raise UnreadableTable(f"{place}: a row has the columns {', '.join(COLUMNS)}")
    if cells != COLUMNS and set("".join(cells)) != {"-"}:
        row = _build_row(place, cells)
        yield replace(row, given=(*shared, *row.given))


def _split_cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _build_row(place: str, cells: Sequence[str]) -> ScenarioRow:
    sentence, given, when, then, also = cells
    if also not in {"", RUNNING_STACK}:
        raise UnreadableTable(f"{place}: the last column is empty or '{RUNNING_STACK}', not '{also}'")
    return ScenarioRow(place, sentence, _split_sentences(given), _split_sentences(when), _split_sentences(then), also)


def _split_sentences(cell: str) -> tuple[str, ...]:
    return tuple(sentence.strip() for sentence in cell.split(";") if sentence.strip())
