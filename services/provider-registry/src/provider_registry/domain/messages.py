"""What a provider's system is told by webhook: what it has to know to act, and nothing about who the person is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contracts.events.listings import PackageListed
from contracts.events.packages import (
    OfferExpired,
    OfferExtended,
    OfferMade,
    OfferWithdrawn,
    PackagePlaced,
    PlacementVoided,
)

OFFER_MADE: Final = "offer.made"
OFFER_MAILED: Final = "offer.mailed"
OFFER_EXTENDED: Final = "offer.extended"
OFFER_WITHDRAWN: Final = "offer.withdrawn"
OFFER_EXPIRED: Final = "offer.expired"
PACKAGE_PLACED: Final = "package.placed"
PLACEMENT_VOIDED: Final = "placement.voided"
PACKAGE_AVAILABLE: Final = "package.available"

Said = Mapping[str, object]


@dataclass(frozen=True)
class Message:
    """One thing to tell a provider: `kind`, what it is about, and the data that JSON can say."""

    kind: str
    about: str
    data: Said


@dataclass(frozen=True)
class Addresses:
    """Where providers find the services that webhooks point to: base URLs without a slash at the end."""

    sourcing: str
    referral: str


def offer_made(event: OfferMade, addresses: Addresses) -> Message:
    """The offer with its time to answer as a duration: the instant depends on when it is delivered, `GET` knows it."""
    offer = f"{addresses.sourcing}/v1/offers/{event.offer_id}"
    data = {
        "offer_id": str(event.offer_id),
        "package_id": str(event.package_id),
        "care": event.care.model_dump(mode="json"),
        "weekly_hours": f"{event.weekly_hours:.2f}",
        "terms": event.terms.model_dump(mode="json"),
        "answer_within": f"PT{event.answer_by.minutes}M",
        "answer_time_is": "brokerage time" if event.answer_by.brokerage_time else "plain time",
        "links": {"offer": offer, "accept": f"{offer}/accept", "decline": f"{offer}/decline"},
    }
    return Message(OFFER_MADE, str(event.offer_id), data)


def offer_extended(event: OfferExtended, addresses: Addresses) -> Message:
    """We were down: the offer can be answered until a later instant than the provider has worked out."""
    data = {
        **_offer(event),
        "answer_by": event.answer_by.isoformat(),
        "links": {"offer": f"{addresses.sourcing}/v1/offers/{event.offer_id}"},
    }
    return Message(OFFER_EXTENDED, str(event.offer_id), data)


def offer_withdrawn(event: OfferWithdrawn) -> Message:
    data = {**_offer(event), "reason": event.reason.value}
    return Message(OFFER_WITHDRAWN, str(event.offer_id), data)


def offer_expired(event: OfferExpired) -> Message:
    return Message(OFFER_EXPIRED, str(event.offer_id), _offer(event))


def package_placed(event: PackagePlaced, addresses: Addresses) -> Message:
    """Who the person is stands behind a URL that asks for the provider's own token."""
    data = {
        **_won_by(event),
        "package_id": str(event.package_id),
        "placement_id": str(event.placement_id),
        "weekly_hours": f"{event.weekly_hours:.2f}",
        "terms": event.terms.model_dump(mode="json"),
        "links": {"person": f"{addresses.referral}/v1/packages/{event.package_id}/person"},
    }
    return Message(PACKAGE_PLACED, str(event.placement_id), data)


def placement_voided(event: PlacementVoided) -> Message:
    data = {
        "placement_id": str(event.placement_id),
        "package_id": str(event.package_id),
        "weekly_hours": f"{event.weekly_hours:.2f}",
        "reason": event.reason.value,
    }
    return Message(PLACEMENT_VOIDED, str(event.placement_id), data)


def package_available(event: PackageListed, addresses: Addresses) -> Message:
    """The advert as it stands on the list, under the reference that is made for this list alone.

    Nothing else of the package: with its id, whoever was once offered it would know whom the advert is about. The
    ceiling is the officers' business.
    """
    package = f"{addresses.sourcing}/v1/available-packages/{event.advert.reference}"
    data = {
        "advert": event.advert.model_dump(mode="json"),
        "unit": event.unit.value,
        "links": {"package": package, "propose": f"{package}/proposals"},
    }
    return Message(PACKAGE_AVAILABLE, str(event.advert.reference), data)


def _offer(event: OfferExtended | OfferWithdrawn | OfferExpired) -> dict[str, object]:
    return {"offer_id": str(event.offer_id), "package_id": str(event.package_id)}


def _won_by(event: PackagePlaced) -> dict[str, object]:
    """What the provider said yes with: an offer that it accepted, or a proposal of its own that was awarded."""
    if event.offer_id is not None:
        return {"offer_id": str(event.offer_id)}
    return {"proposal_id": str(event.proposal_id)}
