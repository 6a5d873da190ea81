"""Events of the lists that are sent out: the Batching List and the list of available packages.

What happens to one package on a list is in the package's stream (`homecare.packages.v1`); the list as it was sent is in
a stream of its own (`homecare.lists.v1`).
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from pydantic import Field

from contracts.events.actors import Actor
from contracts.events.base import Event, HasProvider, HasReason, HasStage
from contracts.events.listings import Advert
from contracts.ids import AreaCode, FrameworkKey, ListId, ListingReference, ProviderId, SearchId, UnitKey
from contracts.values import Instant, StageName, Value

MAX_ROWS_OF_PART = 500
"""Rows of one event of a list; a longer list is issued in several parts."""


MAX_RETURNED_ROWS = 2_000
"""Rows of a returned list; a longer file is refused."""


class ListKind(StrEnum):
    """The kinds of lists; each is the procedure of a stage."""

    BATCHING_LIST = "batching-list"
    AVAILABLE_PACKAGES = "available-packages"


class RowEnd(StrEnum):
    """Why a package leaves a list before the list closes, other than by its placement or withdrawal."""

    STAGE_EXHAUSTED = "the stage has no provider left, and the package is urgent"


class InterestRefusal(StrEnum):
    """Why a tick on a list is not used."""

    LATE = "the list is closed"
    NOT_A_RECIPIENT = "not a provider to which the list of this area goes"
    OFF_THE_LIST = "the package is not on the list any more"
    PLACED = "the package is placed"
    WITHDRAWN = "the package is withdrawn"


class ListRowAdded(HasStage):
    """sourcing: the package is a row of a list that goes out; its reference is random, and new for every list."""

    search_id: SearchId
    list_id: ListId
    kind: ListKind
    framework: FrameworkKey
    stage: StageName = Field(description="the stage of the list")
    taken_from: StageName | None = Field(default=None, description="the stage whose packages a Batching List takes")
    day: date = Field(description="of the list")
    moved_from: date | None = Field(default=None, description="the usual day of the list, where it was a bank holiday")
    late: bool = Field(default=False, description="the service was down when the list was due")
    advert: Advert
    unit: UnitKey
    listed_since: Instant = Field(description="when the package became open to those to whom the list goes")
    closes_at: Instant | None = Field(default=None, description="until when ticks count (inclusive)")
    providers: tuple[ProviderId, ...] = Field(
        default=(), description="to whom a Batching List is open: the providers of the stage, in their order"
    )


class ListRowRemoved(HasStage, HasReason):
    """sourcing: the package is off a list that is still out."""

    search_id: SearchId
    list_id: ListId
    stage: StageName
    reason: RowEnd


class InterestRegistered(HasProvider):
    """sourcing: the provider ticked the package on a list."""

    search_id: SearchId
    list_id: ListId
    provider_id: ProviderId


class InterestWithdrawn(HasProvider):
    """sourcing: the provider took its tick back while the list was out."""

    search_id: SearchId
    list_id: ListId
    provider_id: ProviderId


class InterestNotUsed(HasProvider, HasReason):
    """sourcing: a tick that is recorded and not used. An officer may take a late one up."""

    search_id: SearchId
    list_id: ListId
    provider_id: ProviderId
    reason: InterestRefusal


class InterestClosed(HasStage):
    """sourcing: the list is closed for the package; these providers ticked it, in their order in the stage."""

    search_id: SearchId
    list_id: ListId
    stage: StageName
    providers: tuple[ProviderId, ...]


class ListRow(Value):
    """One package as a list shows it."""

    advert: Advert
    unit: UnitKey
    listed_since: Instant


class ListRecipient(Value):
    """A provider to whom a list goes.

    Of a Batching List it gets the rows of `areas`; a list of available packages shows `areas` first.
    """

    provider_id: ProviderId
    areas: tuple[AreaCode, ...]


class ListEvent(Event):
    """An event in the stream of one list."""

    list_id: ListId

    @property
    def key(self) -> str:
        return str(self.list_id)


class ListIssued(ListEvent):
    """What the events of both lists have in common: a part of the list as it was sent."""

    part: int = Field(ge=1, description="packages that join the list late come in a part of their own")
    framework: FrameworkKey
    definition_version: int = Field(ge=1, description="whose titles the list's documents show")
    stage: StageName
    day: date
    late: bool
    issued_at: Instant
    rows: tuple[ListRow, ...] = Field(min_length=1, max_length=MAX_ROWS_OF_PART)
    recipients: tuple[ListRecipient, ...]
    content_hash: str = Field(pattern=r"^[0-9a-f]{64}$", description="of the rows (`hash_rows`)")


class BatchingListIssued(ListIssued):
    """sourcing: the Batching List of a framework and day; each provider gets the rows of its areas."""

    closes_at: Instant = Field(description="until when it can be returned (inclusive)")


class AvailablePackagesIssued(ListIssued):
    """sourcing: a list of available packages; every recipient gets all rows."""

    moved_from: date | None = Field(default=None, description="the usual day of the list, where it was a bank holiday")
    next_list_on: date


class BatchingListClosed(ListEvent):
    """sourcing: the Batching List is closed; offers follow to those who ticked."""

    framework: FrameworkKey
    day: date
    rows: int = Field(ge=0)
    rows_with_interest: int = Field(ge=0)


class ReturnChannel(StrEnum):
    """How a list came back."""

    FILE = "file"
    PAGE = "page"


class RowResult(StrEnum):
    """What came of one row of a returned list."""

    INTERESTED = "interested"
    NOT_INTERESTED = "not interested"
    PROPOSED = "proposal received"
    EMPTY = "left empty"
    NOT_USED = "recorded and not used"
    REFUSED = "not accepted"
    UNREADABLE = "cannot be read"
    CONTRADICTORY = "stands more than once, with different answers"
    NOT_OF_THIS_LIST = "not a row of this list for this provider"
    TRY_AGAIN = "not handled; return the list again"


class ReturnedListRow(Value):
    """One row of a returned list."""

    line: int = Field(ge=1, description="in the file, or the position on the page")
    reference: ListingReference | None = Field(description="null where it cannot be read")
    result: RowResult = Field(description="what came of the row")
    edited: bool = Field(default=False, description="cells that the provider does not fill in were changed")


class ListReturned(ListEvent):
    """sourcing: a provider, or an officer for it, returned a list; what came of each row is in its package's stream."""

    provider_id: ProviderId
    channel: ReturnChannel
    entered_by: Actor | None = Field(default=None, description="the officer who returned it for the provider")
    file_hash: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of what was received")
    rows: tuple[ReturnedListRow, ...] = Field(max_length=MAX_RETURNED_ROWS)


def hash_rows(list_id: ListId, rows: Sequence[ListRow]) -> str:
    """Returns the SHA-256 of a list's rows as canonical JSON; every document of these rows shows it."""
    content = {"list_id": str(list_id), "rows": [row.model_dump(mode="json") for row in rows]}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
