"""The judge recomputes the dated lists of available packages, and checks every list that was sent."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import pytest

from contracts.events.listings import PackageListed, ProposalReceived
from contracts.events.lists import (
    AvailablePackagesIssued,
    BatchingListIssued,
    ListRecipient,
    ListRowAdded,
    hash_rows,
)
from contracts.examples import COLCHESTER, an_id
from contracts.ids import AreaCode, ListId, ProviderId
from judge import find_violations
from testkit.judge_events import OPEN_TO_ALL, PackageEventBuilder, build_open_list_events
from testkit.judge_lists import AVAILABLE_REFERENCE, THURSDAY_NOON, build_advert, issue_available
from testkit.judge_market import ALDER, BIRCH, CEDAR, ELM, GORSE, TimedEvent, build_market_events
from testkit.judge_records import build_evidence, change_event, move_event, remove_event

HOUR: Final = timedelta(hours=1)
VALID: Final = [*build_market_events(), *build_open_list_events()]
HARLOW: Final = AreaCode("E07000073")
_ISSUED: Final = next(each.event for each in VALID if isinstance(each.event, AvailablePackagesIssued))


def judge(events: Sequence[TimedEvent]) -> list[str]:
    return find_violations(build_evidence(events))


def get_recipient(provider: ProviderId, *areas: AreaCode) -> ListRecipient:
    return ListRecipient(provider_id=provider, areas=areas or (COLCHESTER,))


def send_to(*recipients: ListRecipient) -> list[TimedEvent]:
    return change_event(VALID, AvailablePackagesIssued, recipients=recipients)


def remove_list(kind: type[BatchingListIssued | AvailablePackagesIssued]) -> list[TimedEvent]:
    """The list was not sent; what follows is an event of another package an hour later."""
    events = remove_event(VALID, kind)
    return [*events, *PackageEventBuilder(an_id("another"), events[-1].at + HOUR).start_sourcing()]


def stay_open_until_monday() -> list[TimedEvent]:
    """Nobody is awarded the package, and Monday's list goes out without it."""
    events = [each for each in VALID if each.at <= THURSDAY_NOON - HOUR or isinstance(each.event, ListRowAdded)]
    return [*events, *PackageEventBuilder(an_id("another"), THURSDAY_NOON + 97 * HOUR).start_sourcing()]


def send_twice_a_row() -> list[TimedEvent]:
    rows = (*_ISSUED.rows, *_ISSUED.rows)
    content_hash = hash_rows(_ISSUED.list_id, rows)
    return change_event(VALID, AvailablePackagesIssued, rows=rows, content_hash=content_hash)


def send_another_row() -> list[TimedEvent]:
    (row,) = _ISSUED.rows
    rows = (row.model_copy(update={"advert": build_advert(an_id("no package's row"))}),)
    content_hash = hash_rows(_ISSUED.list_id, rows)
    return change_event(VALID, AvailablePackagesIssued, rows=rows, content_hash=content_hash)


def send_other_hours() -> list[TimedEvent]:
    (row,) = _ISSUED.rows
    advert = row.advert.model_copy(update={"weekly_hours": row.advert.weekly_hours * 2})
    rows = (row.model_copy(update={"advert": advert}),)
    content_hash = hash_rows(_ISSUED.list_id, rows)
    return change_event(VALID, AvailablePackagesIssued, rows=rows, content_hash=content_hash)


def send_empty_list() -> list[TimedEvent]:
    """A list of Monday without any package that is on it."""
    another = _ISSUED.model_copy(update={"list_id": ListId(an_id("an empty list"))})
    return [*VALID, TimedEvent(another, THURSDAY_NOON + 96 * HOUR)]


def list_after_placement() -> list[TimedEvent]:
    later = THURSDAY_NOON + 96 * HOUR
    listed_at = next(each.at for each in VALID if isinstance(each.event, PackageListed))
    return [*VALID, *issue_available(OPEN_TO_ALL, listed_at, (ALDER,), at=later)]


EVERYBODY: Final = [get_recipient(each) for each in (ALDER, BIRCH, CEDAR, ELM, GORSE)]
PLANTED: Final[dict[str, tuple[Sequence[TimedEvent], str]]] = {
    "open before its first list": (change_event(VALID, PackageListed, opens_at=None), "is open to proposals from None"),
    "open from another list on": (
        change_event(VALID, PackageListed, opens_at=THURSDAY_NOON + 96 * HOUR),
        "not from the list of 2026-03-05T12:00",
    ),
    "not on a list": (stay_open_until_monday(), "was not on the list of 2026-03-09"),
    "on a list of no day": (change_event(VALID, ListRowAdded, 1, day=date(2026, 3, 4)), "has day 2026-03-04"),
    "on a list when none goes out": (move_event(VALID, ListRowAdded, -48 * HOUR, 1), "when none goes out for it"),
    "on a list that did not move": (
        change_event(VALID, ListRowAdded, 1, moved_from=date(2026, 3, 4)),
        "has moved_from 2026-03-04, not None",
    ),
    "on a list after its placement": (list_after_placement(), "while it was not open to all"),
    "listed since another instant": (
        change_event(VALID, ListRowAdded, 1, listed_since=THURSDAY_NOON),
        "is listed since 2026-03-05T12:00",
    ),
    "a proposal before the list": (
        [*remove_event(VALID, ListRowAdded, 1)],
        "although the package was on no list yet",
    ),
    "the reference of another list": (
        change_event(VALID, ListRowAdded, advert=build_advert(AVAILABLE_REFERENCE)),
        "is not new",
    ),
    "an advert that shows the outward code": (
        change_event(
            VALID, ListRowAdded, 1, advert=build_advert(AVAILABLE_REFERENCE).model_copy(update={"outward_code": "CO1"})
        ),
        "shows outward_code other than",
    ),
    "a Batching List that was not sent": (remove_list(BatchingListIssued), "was not issued, although 1 packages"),
    "a list that was not sent": (remove_list(AvailablePackagesIssued), "was not issued, although 1 packages"),
    "a row that stands twice": (send_twice_a_row(), "which is no package's or stands twice"),
    "a row of no package": (send_another_row(), "was sent without the row"),
    "a row with other hours": (send_other_hours(), "other than its package has it"),
    "a list without packages": (send_empty_list(), "was issued, although no package was on it"),
    "a list that was sent late": (move_event(VALID, AvailablePackagesIssued, HOUR), "was sent at 2026-03-05T13:00"),
    "another content than the hash says": (
        change_event(VALID, AvailablePackagesIssued, content_hash="0f" * 32),
        "has another content than its hash",
    ),
    "another part": (change_event(VALID, AvailablePackagesIssued, part=2), "says part 2, not 1"),
    "another day of the next list": (
        change_event(VALID, AvailablePackagesIssued, next_list_on=date(2026, 3, 12)),
        "says next_list_on 2026-03-12, not 2026-03-09",
    ),
    "a provider that did not get it": (send_to(*EVERYBODY[:-1]), f"went to {GORSE} for [], not for"),
    "a provider that is no provider of the council": (
        send_to(*EVERYBODY, get_recipient(ProviderId(an_id("Fern")))),
        f"went to {an_id('Fern')} for",
    ),
    "for an area in which it does not work": (
        send_to(get_recipient(ALDER, COLCHESTER, HARLOW), *EVERYBODY[1:]),
        f"went to {ALDER} for",
    ),
    "a Batching List to a provider of tier 2": (
        change_event(
            VALID, BatchingListIssued, recipients=tuple(get_recipient(each) for each in (ALDER, BIRCH, CEDAR, ELM))
        ),
        f"went to {ELM} for",
    ),
    "a Batching List that says another closing": (
        change_event(VALID, BatchingListIssued, closes_at=THURSDAY_NOON),
        "says closes_at 2026-03-05T12:00",
    ),
    "an award to a provider that may not propose": (
        change_event(VALID, ProposalReceived, provider_id=an_id("Fern")),
        "was awarded but is not valid",
    ),
}


@pytest.mark.parametrize(("events", "message"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_violation_is_found(events: Sequence[TimedEvent], message: str) -> None:
    found = judge(events)
    assert any(message in each for each in found), found


def test_a_list_goes_to_the_whole_council_whatever_districts_it_serves() -> None:
    assert judge(VALID) == []
    assert {each.provider_id for each in _ISSUED.recipients} == {ALDER, BIRCH, CEDAR, ELM, GORSE}
