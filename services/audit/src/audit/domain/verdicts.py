"""The answer to why a provider did not get a package: a verdict, and reasons with their evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from audit.domain.evidence import Evidence
from audit.domain.verification import VerifiedRecord
from contracts.events.base import PackageEvent, ProjectionVersion
from contracts.events.competitions import (
    BidOpened,
    BidReceived,
    BidRefused,
    BidWithdrawn,
    CompetitionAwarded,
    FeedbackAvailable,
)
from contracts.events.listings import (
    AwardAwaitsApproval,
    AwardLapsed,
    AwardRefused,
    ProposalAwarded,
    ProposalReceived,
    ProposalRefused,
)
from contracts.events.offers import (
    AcceptanceReceived,
    LateAnswerRefused,
    OfferAccepted,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferUndeliverable,
    OfferWithdrawn,
)
from contracts.events.officer_acts import (
    CounterOfferDeclined,
    CounterOfferMade,
    OfficerActEnded,
    PlacedByHand,
    ProviderSkipped,
)
from contracts.events.orders import SpotPriceRefused
from contracts.events.searches import PackagePlaced, PlacementVoided, ProviderPassedOver


class Verdict(StrEnum):
    """The last decision about the provider, or why there was none."""

    PLACED = "placed with it"
    OFFERED = "offered"
    PASSED_OVER = "passed over"
    PROPOSED = "proposed, not awarded"
    PROPOSAL_REFUSED = "proposal refused"
    BID = "bid, not awarded"
    BID_REFUSED = "bid refused"
    DID_NOT_PROPOSE = "did not propose"
    NOT_REACHED = "not reached"
    NOT_YET = "not yet reached"
    ON_NO_LIST = "on no list"
    UNKNOWN = "never heard of"


@dataclass(frozen=True)
class Reason:
    """One sentence, its evidence, and the projection versions that the decision used."""

    text: str
    evidence: tuple[Evidence, ...]
    projection_versions: tuple[ProjectionVersion, ...] = ()


@dataclass(frozen=True)
class WhyNot:
    verdict: Verdict
    in_short: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class RegistryRecord:
    """The registry's events about the provider, and the ranked lists that could apply to the package, by tier."""

    provider: Sequence[VerifiedRecord]
    lists: Sequence[VerifiedRecord]


VERDICTS_BY_EVENT: Final[dict[type[PackageEvent], Verdict]] = {
    PackagePlaced: Verdict.PLACED,
    PlacementVoided: Verdict.PLACED,
    OfferMade: Verdict.OFFERED,
    AcceptanceReceived: Verdict.OFFERED,
    OfferAccepted: Verdict.OFFERED,
    OfferDeclined: Verdict.OFFERED,
    OfferExpired: Verdict.OFFERED,
    OfferUndeliverable: Verdict.OFFERED,
    OfferWithdrawn: Verdict.OFFERED,
    LateAnswerRefused: Verdict.OFFERED,
    ProviderPassedOver: Verdict.PASSED_OVER,
    ProviderSkipped: Verdict.PASSED_OVER,
    OfficerActEnded: Verdict.PASSED_OVER,
    PlacedByHand: Verdict.PLACED,
    CounterOfferMade: Verdict.PROPOSED,
    CounterOfferDeclined: Verdict.PROPOSED,
    ProposalReceived: Verdict.PROPOSED,
    AwardAwaitsApproval: Verdict.PROPOSED,
    AwardRefused: Verdict.PROPOSED,
    AwardLapsed: Verdict.PROPOSED,
    SpotPriceRefused: Verdict.PROPOSED,
    ProposalAwarded: Verdict.PROPOSED,
    ProposalRefused: Verdict.PROPOSAL_REFUSED,
    BidReceived: Verdict.BID,
    BidOpened: Verdict.BID,
    FeedbackAvailable: Verdict.BID,
    CompetitionAwarded: Verdict.BID,
    BidWithdrawn: Verdict.BID,
    BidRefused: Verdict.BID_REFUSED,
}
