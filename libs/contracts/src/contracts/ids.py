"""Identifier types: a provider's id cannot be passed where a package's id is expected."""

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import NewType
from uuid import UUID

PackageId = NewType("PackageId", UUID)
ReferralId = NewType("ReferralId", UUID)
SearchId = NewType("SearchId", UUID)
OfferId = NewType("OfferId", UUID)
PlacementId = NewType("PlacementId", UUID)
ProviderId = NewType("ProviderId", UUID)
BranchId = NewType("BranchId", UUID)
NoteId = NewType("NoteId", UUID)
ListingReference = NewType("ListingReference", UUID)
"""The reference of an open package on a list: random and new for every list, so that no person can be traced."""
ListId = NewType("ListId", UUID)
"""A list that is sent out; it follows from the framework, the stage and the day."""
ProposalId = NewType("ProposalId", UUID)
AwardId = NewType("AwardId", UUID)
NoticeId = NewType("NoticeId", UUID)
"""What one provider is told of one event; the id of its webhook or first mail too."""
OrderId = NewType("OrderId", UUID)
ActId = NewType("ActId", UUID)
"""An officer's act that waits for a second officer or for its turn: an offer out of order, a placement by hand."""
CounterOfferId = NewType("CounterOfferId", UUID)
CompetitionId = NewType("CompetitionId", UUID)
BidId = NewType("BidId", UUID)
QuestionId = NewType("QuestionId", UUID)

FrameworkKey = NewType("FrameworkKey", str)
"""A framework's short name."""
AreaCode = NewType("AreaCode", str)
"""An area of a framework: a district's ONS code (`E07000071`), or the key of a zone or scheme."""
CouncilKey = NewType("CouncilKey", str)
"""A council's short name."""

LotKey = NewType("LotKey", str)
"""A lot of a framework."""
TierKey = NewType("TierKey", str)
"""A tier of a framework, `tier-1`."""
ServiceTypeKey = NewType("ServiceTypeKey", str)
"""A type of care, `personal-care`."""
UnitKey = NewType("UnitKey", str)
"""What a rate is for, `hour`; its kind (`contracts.values.UnitKind`) decides the arithmetic."""
ItemKey = NewType("ItemKey", str)
"""One line of a price: the key of its service type, or of a part of it, `on-site-care`."""
RouteKey = NewType("RouteKey", str)
"""The way by which a referral comes, `hospital-discharge`."""
NeedKey = NewType("NeedKey", str)
"""A skill that the care needs, or a circumstance of the home."""
ReasonKey = NewType("ReasonKey", str)
"""A reason of one of the framework's lists, `no-capacity`."""
GroupKey = NewType("GroupKey", str)
"""A group of packages with ranked lists of its own: a cohort or a group of service types."""
CriterionKey = NewType("CriterionKey", str)
"""A criterion by which the bids of a competition are scored, `continuity-of-carers`."""
BandKey = NewType("BandKey", str)
"""A band of areas by price or by travel time, `rural`."""

NewId = Callable[[], UUID]
"""A source of new ids. It is an argument of the domain, so that a replay can use the same ids."""


def uuid7(now: datetime, *, random_bits: int | None = None) -> UUID:
    """Returns a time-ordered UUID (RFC 9562, version 7) for the instant `now`; 74 `random_bits` make it repeatable."""
    milliseconds = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    randomness = secrets.randbits(74) if random_bits is None else random_bits
    high, low = randomness >> 62, randomness & ((1 << 62) - 1)
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | ((high & 0xFFF) << 64) | (0b10 << 62) | low)
