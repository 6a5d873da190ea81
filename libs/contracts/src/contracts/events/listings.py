"""Events of a package that is open to all: the advert, the proposals, the award; topic `homecare.packages.v1`."""

from datetime import date
from enum import StrEnum

from pydantic import Field

from contracts.events.actors import Actor
from contracts.events.base import HasProjectionVersions, HasProvider, HasReason, HasReasons, HasStage, ProjectionVersion
from contracts.ids import (
    AreaCode,
    AwardId,
    CounterOfferId,
    FrameworkKey,
    ListingReference,
    LotKey,
    NeedKey,
    NoteId,
    ProposalId,
    ProviderId,
    ReasonKey,
    SearchId,
    ServiceTypeKey,
    UnitKey,
)
from contracts.values import (
    AgeBand,
    Care,
    CarerGender,
    Hours,
    Instant,
    ListReach,
    Money,
    OutwardCode,
    Rating,
    StageName,
    Terms,
    UnitKind,
    Value,
)


class Advert(Value):
    """What all providers of the area may see of an open package (DOMAIN, who may see what of the adult: on a list)."""

    reference: ListingReference
    lot: LotKey
    area: AreaCode
    outward_code: OutwardCode | None = Field(description="only where enough people live behind it")
    age_band: AgeBand
    carer_gender: CarerGender | None = Field(description="only where it matters to the care")
    service_type: ServiceTypeKey
    weekly_hours: Hours
    carers_at_once: int = Field(ge=1)
    skills: tuple[NeedKey, ...]


class ProposalRefusal(StrEnum):
    """Why a proposal is refused."""

    NOT_OF_THIS_AREA = "neither a framework provider of the area nor a spot provider there"
    NOT_OF_THE_COUNCIL = "neither a provider of the framework nor a spot provider of the council"
    EMBARGOED = "embargoed"
    REFUSED_BY_PERSON = "refused by the person"
    NOT_OPEN_YET = "the package is on no list yet"
    NO_LONGER_OPEN = "the package is no longer open"


class AwardRefusal(StrEnum):
    """Why an award is refused."""

    EMBARGOED = "embargoed"
    REFUSED_BY_PERSON = "refused by the person"
    NOT_OF_THIS_AREA = "neither a framework provider of the area nor a spot provider there"
    NOT_OF_THE_COUNCIL = "neither a provider of the framework nor a spot provider of the council"
    SAME_OFFICER = "the officer who awarded cannot be the second one"
    INADEQUATE_WITHOUT_REASON = "rated Inadequate, and the officer gave no reason"
    NO_LONGER_OPEN = "the package is no longer open"
    ANOTHER_WAITS = "another award waits for a second officer"


class AwardEnd(StrEnum):
    """How an award that is pending approval ends without a second officer's approval."""

    PROPOSAL_REPLACED = "the provider replaced its proposal"
    PRICE_REFUSED = "the second officer refused the price"
    AWARDED_OTHERWISE = "another proposal was awarded"
    PACKAGE_WITHDRAWN = "the council withdrew the package"
    WITHDRAWN_BY_OFFICER = "an officer withdrew the award"
    COMPETITION_ENDED = "an officer ended the competition"
    SCORE_CHANGED = "a score of the competition was changed"


class PackageListed(HasStage, HasProjectionVersions):
    """sourcing: the package is open to proposals at once, or from the next list on (`opens_at`).

    Its reference is random; each list gives it a new one (ListRowAdded).
    """

    search_id: SearchId
    stage: StageName
    framework: FrameworkKey
    members: bool = True
    spot: bool
    reach: ListReach = Field(default=ListReach.AREA, description="whose providers may propose")
    opens_at: Instant | None = Field(default=None, description="when the first list with the package goes out")
    advert: Advert
    unit: UnitKey
    unit_kind: UnitKind
    ceiling: Money = Field(description="up to this rate one officer awards alone")
    second_officer_always: bool = Field(default=False, description="every award needs a second officer")
    views: tuple[ProjectionVersion, ...] = ()


class StillListed(HasStage):
    """sourcing: the package has no accepted proposal after the time that the definition sets; an officer has to act."""

    search_id: SearchId
    stage: StageName
    listed_at: Instant


class ProposalReceived(HasProvider, HasStage, HasProjectionVersions):
    """sourcing: a provider proposes a rate and a way of delivering; it replaces the provider's earlier one."""

    search_id: SearchId
    stage: StageName
    proposal_id: ProposalId
    provider_id: ProviderId
    care: Care
    terms: Terms
    variations: tuple[ReasonKey, ...]
    can_start_on: date | None
    replaces: ProposalId | None
    rating: Rating
    views: tuple[ProjectionVersion, ...]
    counter_offer_id: CounterOfferId | None = Field(
        default=None, description="the council's counter-offer that the provider accepts by this proposal"
    )
    entered_by: Actor | None = Field(
        default=None, description="the officer who entered it for the provider; null where the provider did"
    )


class ProposalRefused(HasProvider, HasReasons, HasProjectionVersions):
    """sourcing: a proposal is refused for all of these reasons; it is recorded."""

    search_id: SearchId
    provider_id: ProviderId
    rate: Money
    reasons: tuple[ProposalRefusal, ...] = Field(min_length=1)
    views: tuple[ProjectionVersion, ...]


class SecondOfficerNeeded(StrEnum):
    """Why an award needs a second officer."""

    ABOVE_CEILING = "above the ceiling"
    ALWAYS = "the definition asks for two officers"
    OVERRULED = "not the first of the ranking"


class AwardAwaitsApproval(HasProvider):
    """sourcing: an officer awards a proposal or a bid that a second officer has to approve, at pricing."""

    search_id: SearchId
    award_id: AwardId
    proposal_id: ProposalId = Field(description="the proposal; of a competition the id of the bid")
    provider_id: ProviderId
    terms: Terms
    ceiling: Money
    officer: Actor
    inadequate_reason: ReasonKey | None
    because: tuple[SecondOfficerNeeded, ...] = Field(
        default=(SecondOfficerNeeded.ABOVE_CEILING,), description="why one officer cannot award alone"
    )
    overrule_reason: ReasonKey | None = Field(default=None, description="why not the first of a competition's ranking")
    note_id: NoteId | None = Field(default=None, description="the officer's note is stored under it")


class AwardRefused(HasProvider, HasReasons, HasProjectionVersions):
    """sourcing: the award was not carried out; the package and its pending award are unchanged."""

    search_id: SearchId
    award_id: AwardId
    proposal_id: ProposalId
    provider_id: ProviderId
    officer: Actor
    reasons: tuple[AwardRefusal, ...] = Field(min_length=1)
    views: tuple[ProjectionVersion, ...]


class AwardLapsed(HasProvider, HasReason):
    """sourcing: an award that was pending approval has ended; a new award needs both officers again."""

    search_id: SearchId
    award_id: AwardId
    proposal_id: ProposalId
    provider_id: ProviderId
    reason: AwardEnd
    officer: Actor | None = Field(default=None, description="who withdrew it; null where no officer did")
    officer_reason: ReasonKey | None = Field(default=None, description="why the officer withdrew it")
    note_id: NoteId | None = None


class ProposalAwarded(HasProvider):
    """sourcing: the council awards the package to the proposal; PackagePlaced follows in the same transaction."""

    search_id: SearchId
    award_id: AwardId
    proposal_id: ProposalId
    provider_id: ProviderId
    officer: Actor
    second_officer: Actor | None
    rating: Rating
    inadequate_reason: ReasonKey | None
