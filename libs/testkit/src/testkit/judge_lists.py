"""The events of lists for tests of the judge: a package's rows, the lists as they are sent, ticks and the closing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from contracts.events.base import Event
from contracts.events.listings import Advert
from contracts.events.lists import (
    AvailablePackagesIssued,
    BatchingListClosed,
    BatchingListIssued,
    InterestClosed,
    InterestRegistered,
    ListKind,
    ListRecipient,
    ListRow,
    ListRowAdded,
    hash_rows,
)
from contracts.example_words import LOT, Units
from contracts.examples import COLCHESTER, an_example_of, an_id
from contracts.ids import ListId, ListingReference, ProviderId
from contracts.values import AgeBand
from testkit.judge_market import DEFINITION, TimedEvent

FOUR_O_CLOCK: Final = datetime(2026, 3, 2, 16, tzinfo=UTC)
"""The cut-off of the Monday on which the packages of the judge's tests are requested."""
THURSDAY_NOON: Final = datetime(2026, 3, 5, 12, tzinfo=UTC)
BATCHING_LIST: Final = ListId(an_id("Monday's Batching List"))
BATCHING_REFERENCE, AVAILABLE_REFERENCE = an_id("row on the Batching List"), an_id("row on Thursday's list")


def build_advert(reference: UUID) -> Advert:
    """Builds the advert of the package that the judge's tests request."""
    return an_example_of(
        Advert,
        reference=reference,
        lot=LOT,
        area=COLCHESTER,
        outward_code=None,
        age_band=AgeBand.FROM_75,
        carer_gender=None,
        service_type="personal-care",
        weekly_hours="3.50",
        carers_at_once=1,
        skills=(),
    )


def build_recipients(providers: Iterable[UUID]) -> tuple[ListRecipient, ...]:
    return tuple(ListRecipient(provider_id=ProviderId(each), areas=(COLCHESTER,)) for each in providers)


@dataclass(frozen=True)
class BatchingListBuilder:
    """Builds the Batching List of Monday with one package, and what follows it until Tuesday 10:00."""

    package: UUID
    providers: tuple[UUID, ...]
    list_id: ListId = BATCHING_LIST
    at: datetime = FOUR_O_CLOCK

    @property
    def closes_at(self) -> datetime:
        return self.at + timedelta(hours=18)

    def issue(self) -> Iterator[TimedEvent]:
        """Builds the package's row and the list as it is sent."""
        row = ListRow(advert=build_advert(BATCHING_REFERENCE), unit=Units.HOUR, listed_since=self.at)
        named = {"list_id": self.list_id, "framework": DEFINITION.framework, "stage": "batching-list"}
        dated = {"day": self.at.date(), "late": False, "closes_at": self.closes_at}
        taken = {
            "kind": ListKind.BATCHING_LIST,
            "taken_from": "tier-1",
            "moved_from": None,
            "providers": self.providers,
        }
        yield self._build_event(ListRowAdded, self.at, **named, **dated, **taken, **row.model_dump())
        yield TimedEvent(
            BatchingListIssued.model_validate(
                {
                    **named,
                    **dated,
                    "part": 1,
                    "definition_version": DEFINITION.version,
                    "issued_at": self.at,
                    "rows": (row,),
                    "recipients": build_recipients(self.providers),
                    "content_hash": hash_rows(self.list_id, (row,)),
                }
            ),
            self.at,
        )

    def tick(self, provider: UUID, at: datetime | None = None) -> TimedEvent:
        """Builds a tick, by default at 17:30."""
        at = at or self.at + timedelta(minutes=90)
        return self._build_event(InterestRegistered, at, list_id=self.list_id, provider_id=provider)

    def close(self, *ticked: UUID) -> Iterator[TimedEvent]:
        yield self._build_event(
            InterestClosed, self.closes_at, list_id=self.list_id, stage="batching-list", providers=ticked
        )
        counts = {"rows": 1, "rows_with_interest": int(bool(ticked))}
        closed = BatchingListClosed.model_validate(
            {"list_id": self.list_id, "framework": DEFINITION.framework, "day": self.at.date(), **counts}
        )
        yield TimedEvent(closed, self.closes_at)

    def _build_event(self, model: type[Event], at: datetime, **fields: object) -> TimedEvent:
        return TimedEvent(an_example_of(model, package_id=self.package, **fields), at)


def issue_available(
    package: UUID, listed_since: datetime, recipients: Iterable[UUID], *, at: datetime = THURSDAY_NOON
) -> Iterator[TimedEvent]:
    """Builds a package's row on Thursday's list of available packages, and the list as it is sent."""
    list_id = ListId(an_id("Thursday's list"))
    row = ListRow(
        advert=build_advert(ListingReference(AVAILABLE_REFERENCE)), unit=Units.HOUR, listed_since=listed_since
    )
    named = {"list_id": list_id, "framework": DEFINITION.framework, "stage": "available-packages"}
    dated = {"day": at.date(), "late": False, "moved_from": None}
    nothing = {"taken_from": None, "closes_at": None, "providers": ()}
    added = {"kind": ListKind.AVAILABLE_PACKAGES, **named, **dated, **nothing, **row.model_dump()}
    yield TimedEvent(an_example_of(ListRowAdded, package_id=package, **added), at)
    issued = {"part": 1, "definition_version": DEFINITION.version, "issued_at": at, "next_list_on": date(2026, 3, 9)}
    sent = {"rows": (row,), "recipients": build_recipients(recipients), "content_hash": hash_rows(list_id, (row,))}
    yield TimedEvent(AvailablePackagesIssued.model_validate({**named, **dated, **issued, **sent}), at)
