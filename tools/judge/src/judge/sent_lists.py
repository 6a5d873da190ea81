"""Checks the lists that were sent: every row of a package once, nothing else, to everybody who gets the list."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from judge.batching_rows import MAX_DELAY
from judge.events import PackageHistory, RecordedEvent, parse_instant, select_kinds
from judge.list_recipients import find_recipients
from judge.list_rules import BATCHING_LIST, read_dated_list
from judge.market import MarketHistory
from judge.rules import FrameworkRules, Json, RuleBook

ISSUED: Final[Mapping[str, str]] = {
    BATCHING_LIST: "BatchingListIssued",
    "available-packages": "AvailablePackagesIssued",
}
"""The event of a sent list, by the kind of its rows."""
_RETURNED: Final = {"interested": "InterestRegistered", "recorded and not used": "InterestNotUsed"}
"""The event that is on record for a row of a returned list, by what came of the row."""
_SHOWN: Final = ("advert", "unit", "listed_since")


@dataclass(frozen=True)
class ListedPackage:
    """A package's row on a list, with the package's own history."""

    row: RecordedEvent
    story: PackageHistory


@dataclass(frozen=True)
class SentList:
    """A list's own history, and the rows of the packages on it."""

    list_id: str
    history: PackageHistory
    listed: Sequence[ListedPackage]


def collect_rows(stories: Sequence[PackageHistory]) -> dict[str, list[ListedPackage]]:
    """Collect the rows of all packages by list."""
    found = dict[str, list[ListedPackage]]()
    for story in stories:
        for row in select_kinds(story, "ListRowAdded"):
            found.setdefault(row.data["list_id"], []).append(ListedPackage(row, story))
    return found


def check_lists(
    lists: Mapping[str, PackageHistory],
    stories: Sequence[PackageHistory],
    book: RuleBook,
    market: MarketHistory,
    now: datetime,
) -> Iterator[str]:
    """Check each list's own history against the rows of its packages."""
    rows = collect_rows(stories)
    yield from _check_identity(rows)
    for list_id in sorted({*lists, *rows}):
        checks = _ListChecks(SentList(list_id, lists.get(list_id, ()), rows.get(list_id, ())), book, market, now)
        yield from (f"list {list_id}: {fault}" for fault in checks.check())


def _check_identity(rows: Mapping[str, Sequence[ListedPackage]]) -> Iterator[str]:
    """Check that there is one list for a framework, a kind and a day."""
    ids = dict[tuple[str, str, str], str]()
    for list_id, listed in rows.items():
        for each in listed:
            key = each.row.data["framework"], each.row.data["kind"], each.row.data["day"]
            if ids.setdefault(key, list_id) != list_id:
                yield f"lists {ids[key]} and {list_id} are both the {key[1]} of {key[0]} on {key[2]}"
    if len({*ids.values()}) != len(ids):
        yield "one list id stands for several lists"


class _ListChecks:
    """The checks of one list."""

    def __init__(self, sent: SentList, book: RuleBook, market: MarketHistory, now: datetime) -> None:
        self._list_id, self._history, self._listed = sent.list_id, sent.history, sent.listed
        self._market, self._now = market, now
        self._book = book
        self._parts = select_kinds(self._history, *ISSUED.values())

    def check(self) -> Iterator[str]:
        if not self._listed:
            yield "was issued, although no package was on it"
            return
        if not self._parts:
            if self._now > max(each.row.at for each in self._listed) + MAX_DELAY:
                yield f"was not issued, although {len(self._listed)} packages were on it"
            return
        yield from self._check_rows()
        for number, part in enumerate(self._parts, 1):
            yield from self._check_part(number, part)
        yield from self._check_closing()
        yield from self._check_returns()

    def _check_rows(self) -> Iterator[str]:
        """Check that the parts have the rows of the packages, each once."""
        expected = {each.row.data["advert"]["reference"]: each for each in self._listed}
        sent = [(row["advert"]["reference"], row, part) for part in self._parts for row in part.data["rows"]]
        for reference, row, part in sent:
            listed = expected.pop(reference, None)
            if listed is None:
                yield f"has the row {reference}, which is no package's or stands twice"
            elif any(row[name] != listed.row.data[name] for name in _SHOWN):
                yield f"shows the row {reference} other than its package has it"
            elif not listed.row.at <= part.at <= listed.row.at + MAX_DELAY:
                yield f"was sent at {part.at.isoformat()}, its row {reference} joined at {listed.row.at.isoformat()}"
        yield from (f"was sent without the row {reference}" for reference in expected)

    def _check_part(self, number: int, part: RecordedEvent) -> Iterator[str]:
        row = self._listed[0].row.data
        if part.kind != ISSUED[row["kind"]]:
            yield f"was sent as {part.kind}, but its rows are of {row['kind']}"
            return
        expected = {"part": number, "day": row["day"], "framework": row["framework"], "stage": row["stage"]}
        late = any(each.row.data["late"] for each in self._listed)
        for name, value in {**expected, "late": late, **self._list_dates(part, row)}.items():
            if part.data[name] != value:
                yield f"says {name} {part.data[name]}, not {value}"
        if parse_instant(part.data["issued_at"]) != part.at:
            yield f"says that it was issued at {part.data['issued_at']}, and was at {part.at.isoformat()}"
        if part.data["content_hash"] != compute_hash(self._list_id, part.data["rows"]):
            yield f"has another content than its hash {part.data['content_hash']} says"
        yield from self._check_recipients(part)

    def _list_dates(self, part: RecordedEvent, row: Json) -> dict[str, object]:
        if row["kind"] == BATCHING_LIST:
            return {"closes_at": row["closes_at"]}
        rules = self._get_rules(part)
        dated = read_dated_list(rules, row["stage"])
        assert dated is not None, "rows are checked to be of a stage with dated lists"
        following = dated.find_issue_after(rules.present_hours, row["day"])
        return {"moved_from": row["moved_from"], "next_list_on": following.day.isoformat()}

    def _get_rules(self, part: RecordedEvent) -> FrameworkRules:
        framework, version = part.data["framework"], part.data["definition_version"]
        return self._book[framework, version].add_proclaimed_holidays(self._book.values())

    def _check_recipients(self, part: RecordedEvent) -> Iterator[str]:
        """Check that everybody got the list who had to, with its own areas, and nobody else."""
        references = {row["advert"]["reference"] for row in part.data["rows"]}
        rows = [each.row.data for each in self._listed if each.row.data["advert"]["reference"] in references]
        if not rows:
            return  # none of its rows is a package's
        stated = {each["provider_id"]: each["areas"] for each in part.data["recipients"]}
        rules = self._get_rules(part)
        for provider in sorted({*stated, *self._market.list_providers()}):
            possible = find_recipients(provider, rows, rules, self._market, part.at)
            if stated.get(provider, []) not in possible:
                yield f"went to {provider} for {stated.get(provider, [])}, not for {possible[-1]}"

    def _check_closing(self) -> Iterator[str]:
        row = self._listed[0].row.data
        closed = select_kinds(self._history, "BatchingListClosed")
        if row["kind"] != BATCHING_LIST:
            yield from ("was closed, although available packages stay open" for _ in closed)
            return
        closes_at = parse_instant(row["closes_at"])
        if len(closed) > 1 or (not closed and self._now > closes_at + MAX_DELAY):
            yield f"was closed {len(closed)} times"
        for event in closed:
            if not closes_at <= event.at <= closes_at + MAX_DELAY:
                yield f"was closed at {event.at.isoformat()}, not at {closes_at.isoformat()}"
            ticked = sum(self._has_ticks(each, event.at) for each in self._listed)
            if (event.data["rows"], event.data["rows_with_interest"]) != (len(self._listed), ticked):
                stated = f"{event.data['rows']} rows, {event.data['rows_with_interest']} ticked"
                yield f"was closed with {stated}, not {len(self._listed)} and {ticked}"

    def _check_returns(self) -> Iterator[str]:
        """Check that what a return says of its rows is on record in the packages' own histories."""
        listed = {each.row.data["advert"]["reference"]: each for each in self._listed}
        recipients = {each["provider_id"] for part in self._parts for each in part.data["recipients"]}
        for event in select_kinds(self._history, "ListReturned"):
            provider = event.data["provider_id"]
            if provider not in recipients:
                yield f"was returned by {provider}, which had not got it"
            for row in event.data["rows"]:
                kind = _RETURNED.get(row["result"])
                story = listed[row["reference"]].story if row["reference"] in listed else ()
                about = (self._list_id, provider)
                recorded = {(each.data["list_id"], each.data["provider_id"]) for each in story if each.kind == kind}
                if kind is not None and about not in recorded:
                    yield f"was returned by {provider} with {row['reference']} {row['result']}, but there is no {kind}"

    def _has_ticks(self, listed: ListedPackage, at: datetime) -> bool:
        ticked = set[str]()
        for event in listed.story:
            if event.at <= at and event.data.get("list_id") == self._list_id:
                if event.kind == "InterestRegistered":
                    ticked.add(event.data["provider_id"])
                if event.kind == "InterestWithdrawn":
                    ticked.discard(event.data["provider_id"])
        return bool(ticked)


def count_issued(lists: Sequence[PackageHistory], kind: str) -> int:
    """Count the lists that were sent as `kind`, in one part or several."""
    return sum(bool(select_kinds(history, kind)) for history in lists)


def compute_hash(list_id: str, rows: Sequence[Json]) -> str:
    """Return the SHA-256 of the list's id and rows as canonical JSON: keys sorted, no spaces."""
    content = json.dumps({"list_id": list_id, "rows": list(rows)}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()
