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

Words = Mapping[str, Callable[..., object]]
"""Sentences, and what is done about them."""


class Unreadable(Exception):
    """A table says something that nobody understands."""


@dataclass(frozen=True)
class Row:
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
class Diary:
    """Reads days and times as the office says them: `Tuesday 08:30`, `2 April 2026 16:45`, `09:15` of the same day.

    Weekdays are those of the week that begins on `monday`; in the hour that October has twice, GMT or BST says which.
    """

    monday: date
    today: date

    @staticmethod
    def of_week(monday: date) -> "Diary":
        return Diary(monday, monday)

    def instant(self, said: str) -> datetime:
        zone = next((OFFSETS[name] for name in OFFSETS if said.endswith(name)), LONDON)
        *day, clock = said.removesuffix(" GMT").removesuffix(" BST").split(" ")
        if day:
            self.today = self._day(" ".join(day))
        return datetime.combine(self.today, time.fromisoformat(clock), zone).astimezone(UTC)

    def _day(self, said: str) -> date:
        if said in WEEKDAYS:
            return self.monday + timedelta(days=WEEKDAYS.index(said))
        return datetime.strptime(f"{said} +0000", "%d %B %Y %z").date()


class Player(Protocol):
    """Plays rows, by a method for each sentence that it knows."""

    @property
    def diary(self) -> Diary: ...
    def passes_time(self, until: datetime) -> object:
        """It becomes `until`, and everything that falls due before it happens."""
        ...


def rows_in(folder: Path) -> list[Row]:
    """The rows of all tables in `folder`. Raises Unreadable for a table with other columns."""
    files = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
    return [row for path in files for row in _rows_of(path)]


async def play(row: Row, player: Player) -> None:
    """Raises Unreadable for a sentence that the player does not know, AssertionError where the row is not true."""
    given, when, then = (_known_to(player, sentences) for sentences in (GIVEN, WHEN, THEN))
    for said in row.given:
        await _do(said, given, player.diary, row)
    for said in row.when:
        await _happens(said, {**given, **when}, player, row)
    for said in row.then:
        await _do(said, then, player.diary, row)


def _known_to(player: Player, sentences: Mapping[str, str]) -> Words:
    return {sentence: getattr(player, verb) for sentence, verb in sentences.items() if hasattr(player, verb)}


async def _happens(said: str, words: Words, player: Player, row: Row) -> None:
    """`09:15 Alder accepts`: first time passes, then it happens."""
    timed = re.fullmatch(rf"({_INSTANT}) (.+)", said)
    if timed is not None:
        await _finished(player.passes_time(player.diary.instant(timed[1])))
    await _do(said if timed is None else timed[2], words, player.diary, row)


async def _do(said: str, words: Words, diary: Diary, row: Row) -> None:
    for sentence, verb in words.items():
        match = re.fullmatch(_pattern(sentence), said)
        if match is not None:
            kinds = re.findall(r"{(\w+)}", sentence)
            try:
                await _finished(verb(*map(_read(diary), kinds, match.groups())))
            except (AssertionError, LookupError) as wrong:
                raise AssertionError(f"{row.place}: '{said}' is not true: {wrong}") from wrong
            return
    near = get_close_matches(said, list(words), n=3, cutoff=0.3)
    raise Unreadable(f"{row.place}: nobody knows what '{said}' means; near to it are {near}")


async def _finished(done: object) -> None:
    if isawaitable(done):
        await done


def _pattern(sentence: str) -> str:
    """The sentence with a group for each kind in braces."""
    parts = re.split(r"{(\w+)}", sentence)
    return "".join(f"({KINDS[part]})" if index % 2 else re.escape(part) for index, part in enumerate(parts))


def _read(diary: Diary) -> Callable[[str, str], object]:
    def read(kind: str, said: str) -> object:
        match kind:
            case "providers":
                return () if said == "nobody" else tuple(said.split(", "))
            case "instant":
                return diary.instant(said)
            case "pounds" | "number":
                return Decimal(said.removeprefix("£"))
            case _:
                return said

    return read


def _rows_of(path: Path) -> Iterator[Row]:
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    table = [(number, _cells(line)) for number, line in lines if line.startswith("|")]
    for number, cells in table:
        place = f"{path.name}:{number}"
        if len(cells) != len(COLUMNS):
            raise Unreadable(f"{place}: a row has the columns {', '.join(COLUMNS)}")
        if cells != COLUMNS and set("".join(cells)) != {"-"}:
            yield _row(place, cells)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _row(place: str, cells: Sequence[str]) -> Row:
    sentence, given, when, then, also = cells
    if also not in {"", RUNNING_STACK}:
        raise Unreadable(f"{place}: the last column is empty or says '{RUNNING_STACK}', not '{also}'")
    return Row(place, sentence, _sentences(given), _sentences(when), _sentences(then), also)


def _sentences(cell: str) -> tuple[str, ...]:
    return tuple(said.strip() for said in cell.split(";") if said.strip())
