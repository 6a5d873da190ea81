"""The one table of event class ↔ type ↔ topic ↔ owner. An event that is not in it does not exist."""

from dataclasses import dataclass
from typing import Final, TypeVar

from contracts.events import frameworks, listings, operations, orders, packages, providers, rates
from contracts.events.base import Event

EventT = TypeVar("EventT", bound=Event)

PACKAGES: Final = "homecare.packages.v1"
PROVIDERS: Final = "homecare.providers.v1"
FRAMEWORKS: Final = "homecare.frameworks.v1"
RATES: Final = "homecare.rates.v1"
PARKED: Final = "homecare.parked.v1"
TOPICS: Final = (PACKAGES, PROVIDERS, FRAMEWORKS, RATES, PARKED)

REFERRAL: Final = "referral"
SOURCING: Final = "sourcing"
REGISTRY: Final = "provider-registry"
PRICING: Final = "pricing"
ANY: Final = "any-service"


@dataclass(frozen=True)
class Entry:
    """One event type: who alone publishes it, and where."""

    event: type[Event]
    topic: str
    owner: str


CATALOGUE: Final = (
    Entry(packages.PackageRequested, PACKAGES, REFERRAL),
    Entry(packages.WithdrawalRequested, PACKAGES, REFERRAL),
    Entry(packages.PackageWithdrawn, PACKAGES, REFERRAL),
    Entry(packages.PersonDisclosed, PACKAGES, REFERRAL),
    Entry(packages.SourcingStarted, PACKAGES, SOURCING),
    Entry(packages.SourcingHeld, PACKAGES, SOURCING),
    Entry(packages.StageEntered, PACKAGES, SOURCING),
    Entry(packages.ProviderPassedOver, PACKAGES, SOURCING),
    Entry(packages.OfferMade, PACKAGES, SOURCING),
    Entry(packages.OfferRedirected, PACKAGES, SOURCING),
    Entry(packages.CallRecorded, PACKAGES, SOURCING),
    Entry(packages.OfferClockStarted, PACKAGES, SOURCING),
    Entry(packages.OfferExtended, PACKAGES, SOURCING),
    Entry(packages.OfferAccepted, PACKAGES, SOURCING),
    Entry(packages.OfferDeclined, PACKAGES, SOURCING),
    Entry(packages.OfferExpired, PACKAGES, SOURCING),
    Entry(packages.OfferWithdrawn, PACKAGES, SOURCING),
    Entry(packages.LateAnswerRefused, PACKAGES, SOURCING),
    Entry(listings.PackageListed, PACKAGES, SOURCING),
    Entry(listings.StillListed, PACKAGES, SOURCING),
    Entry(listings.ProposalReceived, PACKAGES, SOURCING),
    Entry(listings.ProposalRefused, PACKAGES, SOURCING),
    Entry(listings.AwardAwaitsApproval, PACKAGES, SOURCING),
    Entry(listings.AwardRefused, PACKAGES, SOURCING),
    Entry(listings.AwardLapsed, PACKAGES, SOURCING),
    Entry(listings.ProposalAwarded, PACKAGES, SOURCING),
    Entry(packages.PackagePlaced, PACKAGES, SOURCING),
    Entry(packages.PlacementVoided, PACKAGES, SOURCING),
    Entry(packages.SourcingExhausted, PACKAGES, SOURCING),
    Entry(packages.SourcingStopped, PACKAGES, SOURCING),
    Entry(packages.OfferDelivered, PACKAGES, REGISTRY),
    Entry(packages.OfferUndeliverable, PACKAGES, REGISTRY),
    Entry(orders.SpotPriceApproved, PACKAGES, PRICING),
    Entry(orders.SpotPriceRefused, PACKAGES, PRICING),
    Entry(orders.LateDecisionRefused, PACKAGES, PRICING),
    Entry(orders.PurchaseOrderIssued, PACKAGES, PRICING),
    Entry(orders.PurchaseOrderCancelled, PACKAGES, PRICING),
    Entry(providers.ProviderRegistered, PROVIDERS, REGISTRY),
    Entry(providers.ChannelsChanged, PROVIDERS, REGISTRY),
    Entry(providers.RatingPublished, PROVIDERS, REGISTRY),
    Entry(providers.EligibilityChanged, PROVIDERS, REGISTRY),
    Entry(providers.ProviderEmbargoed, PROVIDERS, REGISTRY),
    Entry(providers.EmbargoLifted, PROVIDERS, REGISTRY),
    Entry(providers.CapacityDeclared, PROVIDERS, REGISTRY),
    Entry(providers.EndpointDisabled, PROVIDERS, REGISTRY),
    Entry(rates.RatesSelected, RATES, PRICING),
    Entry(frameworks.FrameworkPublished, FRAMEWORKS, REGISTRY),
    Entry(frameworks.RankedListPublished, FRAMEWORKS, REGISTRY),
    Entry(operations.KeyParked, PARKED, ANY),
)

BY_TYPE: Final = {entry.event.type_name(): entry for entry in CATALOGUE}
BY_CLASS: Final = {entry.event: entry for entry in CATALOGUE}


def entry_of(event: type[Event]) -> Entry:
    """The catalogue's line for an event class. Raises KeyError for a class that is not in the table."""
    return BY_CLASS[event]


def encode(event: Event) -> bytes:
    """The payload's bytes, the same ones that are hashed, stored and sent."""
    return event.model_dump_json().encode()


def decode(event: type[EventT], payload: bytes) -> EventT:
    """The event that `payload` spells; unknown fields are skipped. Raises pydantic's ValidationError."""
    return event.model_validate_json(payload, extra="ignore")
