"""Events of officers' acts on a search: each with the officer, a coded reason, and the id of an erasable note."""

from enum import StrEnum

from pydantic import Field

from contracts.events.actors import Actor
from contracts.events.base import (
    HasProjectionVersions,
    HasProvider,
    HasReason,
    HasStage,
    PackageEvent,
    ProjectionVersion,
)
from contracts.ids import (
    ActId,
    AreaCode,
    CounterOfferId,
    ListId,
    LotKey,
    NoteId,
    PlacementId,
    ProposalId,
    ProviderId,
    ReasonKey,
    SearchId,
    TierKey,
)
from contracts.values import Hours, Instant, Money, PassOverReason, Rating, StageName, Terms


class ActEnd(StrEnum):
    """How an act that officers proposed ends without being carried out."""

    REFUSED = "a second officer refused it"
    WITHDRAWN = "the officer who proposed it withdrew it"
    PROVIDER_NOT_ELIGIBLE = "the provider may not have this package"
    INADEQUATE_WITHOUT_REASON = "rated Inadequate, and the officer gave no reason"
    PLACED = "the package was placed"
    PACKAGE_WITHDRAWN = "the council withdrew the package"


class SearchPaused(HasReason):
    """sourcing: an officer paused the search; no new offers are made, live ones can be answered."""

    officer: Actor
    reason: ReasonKey
    note_id: NoteId | None = None


class SearchResumed(HasReason):
    """sourcing: an officer resumed a paused search; it goes on from where it was."""

    officer: Actor
    reason: ReasonKey
    note_id: NoteId | None = None


class ProviderSkipped(HasProvider, HasStage, HasReason):
    """sourcing: an officer decided that the provider is not asked in this stage; the next in order follows."""

    search_id: SearchId
    stage: StageName
    provider_id: ProviderId
    rank: int = Field(ge=1)
    officer: Actor
    reason: ReasonKey
    note_id: NoteId | None = None


class OfferDirected(HasProvider, HasReason, HasProjectionVersions):
    """sourcing: an officer wants the package offered to this provider out of order, by this place of the provider.

    The offer is made as soon as a second officer has approved it, where one is needed, and no other offer is live.
    """

    search_id: SearchId
    act_id: ActId
    provider_id: ProviderId
    lot: LotKey
    tier: TierKey
    area: AreaCode
    second_officer_needed: bool
    list_id: ListId | None = Field(default=None, description="the list whose late tick the officer takes up")
    officer: Actor
    reason: ReasonKey
    note_id: NoteId | None = None
    views: tuple[ProjectionVersion, ...]


class SuspensionOverridden(HasReason):
    """sourcing: an officer has the offers of a package go on while a Batching List with it is out."""

    search_id: SearchId
    list_id: ListId
    officer: Actor
    reason: ReasonKey
    note_id: NoteId | None = None


class PlacementByHandProposed(HasProvider, HasReason, HasProjectionVersions):
    """sourcing: an officer wants to record a placement made by hand above the ceiling; a second officer decides."""

    search_id: SearchId
    act_id: ActId
    provider_id: ProviderId
    terms: Terms
    ceiling: Money | None = Field(description="up to this rate one officer places alone; null where none is known")
    rating: Rating
    inadequate_reason: ReasonKey | None
    officer: Actor
    reason: ReasonKey
    note_id: NoteId | None = None
    views: tuple[ProjectionVersion, ...]


class OfficerActApproved(HasProvider):
    """sourcing: a second officer approved an offer out of order; it is made as soon as no other offer is live."""

    search_id: SearchId
    act_id: ActId
    provider_id: ProviderId
    officer: Actor


class OfficerActEnded(HasProvider, HasReason, HasProjectionVersions):
    """sourcing: an offer out of order or a placement by hand that was proposed is not carried out."""

    search_id: SearchId
    act_id: ActId
    provider_id: ProviderId
    reason: ActEnd
    passed_over: tuple[PassOverReason, ...] = Field(default=(), description="what bars the provider")
    officer: Actor | None = Field(description="who ended it; null where it ended by itself")
    views: tuple[ProjectionVersion, ...] = ()


class PlacedByHand(HasProvider, HasReason):
    """sourcing: the council places the package by hand; PackagePlaced follows in the same transaction."""

    search_id: SearchId
    act_id: ActId
    provider_id: ProviderId
    terms: Terms
    weekly_hours: Hours
    rating: Rating
    inadequate_reason: ReasonKey | None
    officer: Actor
    second_officer: Actor | None
    reason: ReasonKey
    note_id: NoteId | None = None


class PackageResourced(HasReason):
    """sourcing: an officer has the package sourced again; the offers, ticks and proposals until now stand.

    After a placement that fell through the search goes on after that provider; otherwise it enters the road again.
    """

    search_id: SearchId
    placement_id: PlacementId | None = Field(description="the placement that fell through before care started")
    former_provider_id: ProviderId | None = Field(description="whose placement fell through")
    restarts: bool = Field(description="the road is entered again; false: the search goes on where it was")
    from_stage: StageName | None = Field(description="the stage that is entered; null: the first, or where it was")
    is_listed: bool = Field(description="the package is open to proposals again")
    tried: tuple[ProviderId, ...] = Field(description="the providers that were offered the package until now")
    officer: Actor
    reason: ReasonKey
    note_id: NoteId | None = None


class OfficerAssigned(PackageEvent):
    """sourcing: the package is assigned to an officer, whose work list shows it."""

    assigned_to: Actor | None = Field(description="null: to nobody any more")
    officer: Actor = Field(description="who assigned it")


class CounterOfferMade(HasProvider, HasReason):
    """sourcing: an officer answers a proposal by another rate; the provider accepts, declines, or proposes anew."""

    search_id: SearchId
    counter_offer_id: CounterOfferId
    proposal_id: ProposalId
    provider_id: ProviderId
    terms: Terms
    valid_until: Instant = Field(description="exclusive")
    officer: Actor
    reason: ReasonKey
    note_id: NoteId | None = None


class CounterOfferDeclined(HasProvider):
    """sourcing: the provider declines a counter-offer; its proposal stands."""

    search_id: SearchId
    counter_offer_id: CounterOfferId
    proposal_id: ProposalId
    provider_id: ProviderId
    entered_by: Actor | None = Field(default=None, description="the officer who entered the answer for the provider")
