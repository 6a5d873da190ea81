"""The tables of events and topics. Only events and topics in these tables can be published and read.

An event has a class, a type, a topic and an owner; a topic has partitions and settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeVar

from contracts.events import (
    competitions,
    frameworks,
    listings,
    lists,
    notices,
    offers,
    officer_acts,
    operations,
    orders,
    packages,
    providers,
    rates,
    searches,
)
from contracts.events.base import Event

EventT = TypeVar("EventT", bound=Event)

PACKAGES: Final = "homecare.packages.v1"
PROVIDERS: Final = "homecare.providers.v1"
FRAMEWORKS: Final = "homecare.frameworks.v1"
RATES: Final = "homecare.rates.v1"
LISTS: Final = "homecare.lists.v1"
PARKED: Final = "homecare.parked.v1"

PARTITIONS: Final = 12
"""Partitions of every topic. Never change it: keys would move to other partitions and lose their order."""
KEPT_FOREVER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cleanup.policy": "delete",  # compaction would delete all events of a key but the last
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "max.message.bytes": "1048588",  # of a batch: Kafka's default, above the largest batch of a relay
        "unclean.leader.election.enable": "false",  # a replica without the newest events never becomes the leader
        "compression.type": "producer",  # as the relay sends; the broker spends no time on another codec
        "message.timestamp.type": "CreateTime",
        # A relay sends again what Kafka did not acknowledge, however long that lasted and whatever its clock shows.
        "message.timestamp.before.max.ms": "9223372036854775807",
        "message.timestamp.after.max.ms": "3600000",  # Kafka's default; a smaller limit refuses ordinary clocks
    }
)
"""Settings of a topic from which nothing is deleted, and to which every batch of a relay can be written."""


@dataclass(frozen=True)
class TopicSpecification:
    """How a topic is set up, apart from the number of its replicas, which depends on the installation."""

    name: str
    partitions: int = PARTITIONS
    settings: Mapping[str, str] = field(default_factory=lambda: KEPT_FOREVER)


SPECIFICATIONS: Final = (
    TopicSpecification(PACKAGES),
    TopicSpecification(PROVIDERS),
    TopicSpecification(FRAMEWORKS),
    TopicSpecification(RATES),
    TopicSpecification(LISTS),
    TopicSpecification(PARKED),
)
TOPICS: Final = tuple(specification.name for specification in SPECIFICATIONS)

REFERRAL: Final = "referral"
SOURCING: Final = "sourcing"
REGISTRY: Final = "provider-registry"
PRICING: Final = "pricing"
ANY: Final = "any-service"


@dataclass(frozen=True)
class CatalogueEntry:
    """One event type: its topic, and the only service that publishes it."""

    event: type[Event]
    topic: str
    owner: str


CATALOGUE: Final = (
    CatalogueEntry(packages.PackageRequested, PACKAGES, REFERRAL),
    CatalogueEntry(packages.WithdrawalRequested, PACKAGES, REFERRAL),
    CatalogueEntry(packages.PackageWithdrawn, PACKAGES, REFERRAL),
    CatalogueEntry(packages.PersonDisclosed, PACKAGES, REFERRAL),
    CatalogueEntry(searches.SourcingStarted, PACKAGES, SOURCING),
    CatalogueEntry(searches.DefinitionVersionChanged, PACKAGES, SOURCING),
    CatalogueEntry(searches.SourcingHeld, PACKAGES, SOURCING),
    CatalogueEntry(searches.StageEntered, PACKAGES, SOURCING),
    CatalogueEntry(searches.ProviderPassedOver, PACKAGES, SOURCING),
    CatalogueEntry(offers.OfferMade, PACKAGES, SOURCING),
    CatalogueEntry(offers.OfferRedirected, PACKAGES, SOURCING),
    CatalogueEntry(offers.CallRecorded, PACKAGES, SOURCING),
    CatalogueEntry(offers.OfferClockStarted, PACKAGES, SOURCING),
    CatalogueEntry(offers.OfferExtended, PACKAGES, SOURCING),
    CatalogueEntry(offers.AcceptanceReceived, PACKAGES, SOURCING),
    CatalogueEntry(offers.AcceptancesOrdered, PACKAGES, SOURCING),
    CatalogueEntry(offers.OfferAccepted, PACKAGES, SOURCING),
    CatalogueEntry(offers.OfferDeclined, PACKAGES, SOURCING),
    CatalogueEntry(offers.OfferExpired, PACKAGES, SOURCING),
    CatalogueEntry(offers.OfferWithdrawn, PACKAGES, SOURCING),
    CatalogueEntry(offers.LateAnswerRefused, PACKAGES, SOURCING),
    CatalogueEntry(listings.PackageListed, PACKAGES, SOURCING),
    CatalogueEntry(listings.StillListed, PACKAGES, SOURCING),
    CatalogueEntry(lists.ListRowAdded, PACKAGES, SOURCING),
    CatalogueEntry(lists.ListRowRemoved, PACKAGES, SOURCING),
    CatalogueEntry(lists.InterestRegistered, PACKAGES, SOURCING),
    CatalogueEntry(lists.InterestWithdrawn, PACKAGES, SOURCING),
    CatalogueEntry(lists.InterestNotUsed, PACKAGES, SOURCING),
    CatalogueEntry(lists.InterestClosed, PACKAGES, SOURCING),
    CatalogueEntry(listings.ProposalReceived, PACKAGES, SOURCING),
    CatalogueEntry(listings.ProposalRefused, PACKAGES, SOURCING),
    CatalogueEntry(listings.AwardAwaitsApproval, PACKAGES, SOURCING),
    CatalogueEntry(listings.AwardRefused, PACKAGES, SOURCING),
    CatalogueEntry(listings.AwardLapsed, PACKAGES, SOURCING),
    CatalogueEntry(listings.ProposalAwarded, PACKAGES, SOURCING),
    CatalogueEntry(officer_acts.SearchPaused, PACKAGES, SOURCING),
    CatalogueEntry(officer_acts.SearchResumed, PACKAGES, SOURCING),
    CatalogueEntry(officer_acts.ProviderSkipped, PACKAGES, SOURCING),
    CatalogueEntry(officer_acts.OfferDirected, PACKAGES, SOURCING),
    CatalogueEntry(officer_acts.SuspensionOverridden, PACKAGES, SOURCING),
    CatalogueEntry(officer_acts.PlacementByHandProposed, PACKAGES, SOURCING),
    CatalogueEntry(officer_acts.OfficerActApproved, PACKAGES, SOURCING),
    CatalogueEntry(officer_acts.OfficerActEnded, PACKAGES, SOURCING),
    CatalogueEntry(officer_acts.PlacedByHand, PACKAGES, SOURCING),
    CatalogueEntry(officer_acts.PackageResourced, PACKAGES, SOURCING),
    CatalogueEntry(officer_acts.OfficerAssigned, PACKAGES, SOURCING),
    CatalogueEntry(officer_acts.CounterOfferMade, PACKAGES, SOURCING),
    CatalogueEntry(officer_acts.CounterOfferDeclined, PACKAGES, SOURCING),
    CatalogueEntry(competitions.CompetitionOpened, PACKAGES, SOURCING),
    CatalogueEntry(competitions.CompetitionExtended, PACKAGES, SOURCING),
    CatalogueEntry(competitions.QuestionAsked, PACKAGES, SOURCING),
    CatalogueEntry(competitions.QuestionAnswered, PACKAGES, SOURCING),
    CatalogueEntry(competitions.BidReceived, PACKAGES, SOURCING),
    CatalogueEntry(competitions.BidWithdrawn, PACKAGES, SOURCING),
    CatalogueEntry(competitions.BidRefused, PACKAGES, SOURCING),
    CatalogueEntry(competitions.CompetitionClosed, PACKAGES, SOURCING),
    CatalogueEntry(competitions.BidOpened, PACKAGES, SOURCING),
    CatalogueEntry(competitions.ScoreGiven, PACKAGES, SOURCING),
    CatalogueEntry(competitions.CompetitionRanked, PACKAGES, SOURCING),
    CatalogueEntry(competitions.CompetitionAwarded, PACKAGES, SOURCING),
    CatalogueEntry(competitions.CompetitionEnded, PACKAGES, SOURCING),
    CatalogueEntry(competitions.FeedbackAvailable, PACKAGES, SOURCING),
    CatalogueEntry(searches.PackagePlaced, PACKAGES, SOURCING),
    CatalogueEntry(searches.PlacementVoided, PACKAGES, SOURCING),
    CatalogueEntry(searches.SourcingExhausted, PACKAGES, SOURCING),
    CatalogueEntry(searches.SourcingStopped, PACKAGES, SOURCING),
    CatalogueEntry(offers.OfferDelivered, PACKAGES, REGISTRY),
    CatalogueEntry(offers.OfferUndeliverable, PACKAGES, REGISTRY),
    CatalogueEntry(notices.ProviderNotified, PACKAGES, REGISTRY),
    CatalogueEntry(notices.CallNeeded, PACKAGES, REGISTRY),
    CatalogueEntry(orders.SpotPriceApproved, PACKAGES, PRICING),
    CatalogueEntry(orders.SpotPriceRefused, PACKAGES, PRICING),
    CatalogueEntry(orders.LateDecisionRefused, PACKAGES, PRICING),
    CatalogueEntry(orders.PurchaseOrderIssued, PACKAGES, PRICING),
    CatalogueEntry(orders.PurchaseOrderCancelled, PACKAGES, PRICING),
    CatalogueEntry(providers.ProviderRegistered, PROVIDERS, REGISTRY),
    CatalogueEntry(providers.ChannelsChanged, PROVIDERS, REGISTRY),
    CatalogueEntry(providers.RatingPublished, PROVIDERS, REGISTRY),
    CatalogueEntry(providers.EligibilityChanged, PROVIDERS, REGISTRY),
    CatalogueEntry(providers.ProviderEmbargoed, PROVIDERS, REGISTRY),
    CatalogueEntry(providers.EmbargoLifted, PROVIDERS, REGISTRY),
    CatalogueEntry(providers.CapacityDeclared, PROVIDERS, REGISTRY),
    CatalogueEntry(providers.EndpointFailing, PROVIDERS, REGISTRY),
    CatalogueEntry(providers.EndpointDisabled, PROVIDERS, REGISTRY),
    CatalogueEntry(rates.RatesSelected, RATES, PRICING),
    CatalogueEntry(lists.BatchingListIssued, LISTS, SOURCING),
    CatalogueEntry(lists.BatchingListClosed, LISTS, SOURCING),
    CatalogueEntry(lists.AvailablePackagesIssued, LISTS, SOURCING),
    CatalogueEntry(lists.ListReturned, LISTS, SOURCING),
    CatalogueEntry(notices.ListDelivered, LISTS, REGISTRY),
    CatalogueEntry(notices.ListCallNeeded, LISTS, REGISTRY),
    CatalogueEntry(frameworks.FrameworkPublished, FRAMEWORKS, REGISTRY),
    CatalogueEntry(frameworks.RankedListPublished, FRAMEWORKS, REGISTRY),
    CatalogueEntry(operations.KeyParked, PARKED, ANY),
)

BY_TYPE: Final = {entry.event.get_type_name(): entry for entry in CATALOGUE}
BY_CLASS: Final = {entry.event: entry for entry in CATALOGUE}


def list_owned_topics(service: str) -> tuple[str, ...]:
    """Returns the topics of the events that `service` may publish."""
    owned = {entry.topic for entry in CATALOGUE if entry.owner in {service, ANY}}
    return tuple(topic for topic in TOPICS if topic in owned)


def find_entry(event: type[Event]) -> CatalogueEntry:
    """Returns the catalogue entry of an event class. Raises KeyError for a class that is not in the table."""
    return BY_CLASS[event]


def encode(event: Event) -> bytes:
    """Encodes the payload. The same bytes are hashed, stored and sent."""
    return event.model_dump_json().encode()


def decode(event: type[EventT], payload: bytes) -> EventT:
    """Decodes a payload; unknown fields are skipped. Raises pydantic's ValidationError."""
    return event.model_validate_json(payload, extra="ignore")
