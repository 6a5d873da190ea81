"""Events of a package that is open to all: the advert, the proposals, the award; topic `homecare.packages.v1`."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from contracts.events.base import HasProjectionVersions, HasProvider, HasReason, HasReasons, HasStage, ProjectionVersion
from contracts.ids import AreaCode, AwardId, FrameworkKey, ListingReference, ProposalId, ProviderId, SearchId
from contracts.values import (
    AgeBand,
    Care,
    CarerGender,
    Hours,
    Instant,
    Money,
    Need,
    OutwardCode,
    PriceUnit,
    Rating,
    ServiceType,
    StageName,
    Terms,
    Value,
)

Actor = Annotated[str, Field(pattern=r"^[a-z]+:[A-Za-z0-9._:|-]{1,64}$")]
"""Who acted, by kind and opaque id, `officer:7f3a`: two people are two actors."""


class Advert(Value):
    """What all providers of the area may see of an open package (DOMAIN, who may see what of the adult: on a list)."""

    reference: ListingReference
    area: AreaCode
    outward_code: OutwardCode | None = Field(description="only where enough people live behind it")
    age_band: AgeBand
    carer_gender: CarerGender | None = Field(description="only where it matters to the care")
    service_type: ServiceType
    weekly_hours: Hours
    carers_at_once: int = Field(ge=1)
    skills: tuple[Need, ...]


class Variation(StrEnum):
    """Another way to deliver a package that makes it viable (Essex FAQ 1, Available Packages)."""

    OTHER_TIMES = "at other times of day"
    FEWER_LONGER_VISITS = "fewer and longer visits"
    SHARED = "shared with another provider"
    LATER_START = "from a later date"


class ProposalRefusal(StrEnum):
    """Why a proposal is refused."""

    NOT_OF_THIS_AREA = "neither a framework provider of the area nor a spot provider there"
    EMBARGOED = "embargoed"
    REFUSED_BY_PERSON = "refused by the person"
    NO_LONGER_OPEN = "the package is no longer open"


class AwardRefusal(StrEnum):
    """Why an award is refused."""

    EMBARGOED = "embargoed"
    REFUSED_BY_PERSON = "refused by the person"
    NOT_OF_THIS_AREA = "neither a framework provider of the area nor a spot provider there"
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


class InadequateReason(StrEnum):
    """Why an officer awards a package to a provider that is rated Inadequate."""

    NO_OTHER_PROPOSAL = "no other proposal"
    CONTINUITY = "the person's own choice of a provider it knows"
    SAFEGUARDS_AGREED = "safeguards agreed with the provider"


class PackageListed(HasStage, HasProjectionVersions):
    """sourcing: the package is open to all providers of its area; its reference on the list is random."""

    search_id: SearchId
    stage: StageName
    framework: FrameworkKey
    spot: bool
    advert: Advert
    unit: PriceUnit
    ceiling: Money = Field(description="up to this rate one officer awards alone")
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
    variations: tuple[Variation, ...]
    can_start_on: date | None
    replaces: ProposalId | None
    rating: Rating
    views: tuple[ProjectionVersion, ...]


class ProposalRefused(HasProvider, HasReasons, HasProjectionVersions):
    """sourcing: a proposal is refused for all of these reasons; it is recorded."""

    search_id: SearchId
    provider_id: ProviderId
    rate: Money
    reasons: tuple[ProposalRefusal, ...] = Field(min_length=1)
    views: tuple[ProjectionVersion, ...]


class AwardAwaitsApproval(HasProvider):
    """sourcing: an officer awards a proposal above the ceiling; a second officer decides about the price."""

    search_id: SearchId
    award_id: AwardId
    proposal_id: ProposalId
    provider_id: ProviderId
    terms: Terms
    ceiling: Money
    officer: Actor
    inadequate_reason: InadequateReason | None


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


class ProposalAwarded(HasProvider):
    """sourcing: the council awards the package to the proposal; PackagePlaced follows in the same transaction."""

    search_id: SearchId
    award_id: AwardId
    proposal_id: ProposalId
    provider_id: ProviderId
    officer: Actor
    second_officer: Actor | None
    rating: Rating
    inadequate_reason: InadequateReason | None
