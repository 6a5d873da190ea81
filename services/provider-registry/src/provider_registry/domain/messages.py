"""Content of webhooks to providers' systems. It never identifies the person."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contracts.events.listings import Advert, PackageListed
from contracts.events.lists import AvailablePackagesIssued, BatchingListIssued, ListKind
from contracts.events.notices import NoticeKind
from contracts.events.offers import OfferExpired, OfferExtended, OfferMade, OfferWithdrawn
from contracts.events.officer_acts import CounterOfferMade
from contracts.events.searches import PackagePlaced, PlacementVoided
from contracts.ids import UnitKey

OFFER_MADE: Final = NoticeKind.OFFER_MADE.value
OFFER_MAILED: Final = "offer.mailed"
OFFER_EXTENDED: Final = NoticeKind.OFFER_EXTENDED.value
OFFER_WITHDRAWN: Final = NoticeKind.OFFER_WITHDRAWN.value
OFFER_EXPIRED: Final = NoticeKind.OFFER_EXPIRED.value
PACKAGE_PLACED: Final = NoticeKind.PACKAGE_PLACED.value
PLACEMENT_VOIDED: Final = NoticeKind.PLACEMENT_VOIDED.value
PACKAGE_AVAILABLE: Final = NoticeKind.PACKAGE_AVAILABLE.value
COUNTER_OFFER_MADE: Final = NoticeKind.COUNTER_OFFER_MADE.value
LIST_ISSUED: Final = NoticeKind.LIST_ISSUED.value

_LIST_FIELDS: Final = {
    "part",
    "framework",
    "stage",
    "day",
    "moved_from",
    "closes_at",
    "next_list_on",
    "late",
    "issued_at",
    "content_hash",
}

MessageData = Mapping[str, object]


@dataclass(frozen=True)
class Message:
    """Content of one webhook: its type, the id it is about, and JSON data."""

    kind: str
    about: str
    data: MessageData


@dataclass(frozen=True)
class BaseUrls:
    """Base URLs of the services that webhooks link to, without a trailing slash."""

    sourcing: str
    referral: str


def build_offer_made(event: OfferMade, addresses: BaseUrls) -> Message:
    """Builds the offer. The time to answer is a duration: the instant depends on the delivery, `GET` returns it."""
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


def build_offer_extended(event: OfferExtended, addresses: BaseUrls) -> Message:
    """Builds the new end of an offer that was extended by an outage of Call-off."""
    data = {
        **_build_offer_reference(event),
        "answer_by": event.answer_by.isoformat(),
        "links": {"offer": f"{addresses.sourcing}/v1/offers/{event.offer_id}"},
    }
    return Message(OFFER_EXTENDED, str(event.offer_id), data)


def build_offer_withdrawn(event: OfferWithdrawn) -> Message:
    data = {**_build_offer_reference(event), "reason": event.reason.value}
    return Message(OFFER_WITHDRAWN, str(event.offer_id), data)


def build_offer_expired(event: OfferExpired) -> Message:
    return Message(OFFER_EXPIRED, str(event.offer_id), _build_offer_reference(event))


def build_package_placed(event: PackagePlaced, addresses: BaseUrls) -> Message:
    """Builds the placement. The person's details are behind a URL that requires the provider's token."""
    data = {
        **_build_award_reference(event),
        "package_id": str(event.package_id),
        "placement_id": str(event.placement_id),
        "weekly_hours": f"{event.weekly_hours:.2f}",
        "terms": event.terms.model_dump(mode="json"),
        "links": {"person": f"{addresses.referral}/v1/packages/{event.package_id}/person"},
    }
    return Message(PACKAGE_PLACED, str(event.placement_id), data)


def build_placement_voided(event: PlacementVoided) -> Message:
    data = {
        "placement_id": str(event.placement_id),
        "package_id": str(event.package_id),
        "weekly_hours": f"{event.weekly_hours:.2f}",
        "reason": event.reason,
    }
    return Message(PLACEMENT_VOIDED, str(event.placement_id), data)


def build_package_available(event: PackageListed, addresses: BaseUrls) -> Message:
    """Builds the advert under the reference made for this list.

    It omits the package id, by which a provider that was offered the package before could identify the person, and
    the ceiling, which only officers see.
    """
    data = _describe_open_package(event.advert, event.unit, addresses)
    return Message(PACKAGE_AVAILABLE, str(event.advert.reference), data)


def build_counter_offer(event: CounterOfferMade, addresses: BaseUrls) -> Message:
    """Builds the council's answer to a proposal; like an advert it omits the package id."""
    data = {
        "counter_offer_id": str(event.counter_offer_id),
        "proposal_id": str(event.proposal_id),
        "terms": event.terms.model_dump(mode="json"),
        "valid_until": event.valid_until.isoformat(),
        "links": {"packages": f"{addresses.sourcing}/v1/available-packages"},
    }
    return Message(COUNTER_OFFER_MADE, str(event.counter_offer_id), data)


def build_list_issued(
    event: BatchingListIssued | AvailablePackagesIssued, kind: ListKind, addresses: BaseUrls
) -> Message:
    """Builds a list with the rows of its event, each under the reference made for this list."""
    is_open, url = kind is ListKind.AVAILABLE_PACKAGES, f"{addresses.sourcing}/v1/lists/{event.list_id}"
    data = {
        "list_id": str(event.list_id),
        "list": kind.value,
        **event.model_dump(mode="json", include=_LIST_FIELDS),
        "rows": [
            _describe_open_package(row.advert, row.unit, addresses)
            if is_open
            else _describe_listed_package(row.advert, row.unit, at=url)
            for row in event.rows
        ],
        "links": {"list": url},
    }
    return Message(LIST_ISSUED, str(event.list_id), data)


def _describe_row(advert: Advert, unit: UnitKey) -> dict[str, object]:
    return {"advert": advert.model_dump(mode="json"), "unit": unit}


def _describe_listed_package(advert: Advert, unit: UnitKey, *, at: str) -> dict[str, object]:
    return {**_describe_row(advert, unit), "links": {"interest": f"{at}/rows/{advert.reference}/interest"}}


def _describe_open_package(advert: Advert, unit: UnitKey, addresses: BaseUrls) -> dict[str, object]:
    package = f"{addresses.sourcing}/v1/available-packages/{advert.reference}"
    return {**_describe_row(advert, unit), "links": {"package": package, "propose": f"{package}/proposals"}}


def _build_offer_reference(event: OfferExtended | OfferWithdrawn | OfferExpired) -> dict[str, object]:
    return {"offer_id": str(event.offer_id), "package_id": str(event.package_id)}


def _build_award_reference(event: PackagePlaced) -> dict[str, object]:
    """Builds the reference to the accepted offer, or the awarded proposal or bid; a placement by hand has none."""
    references = (("offer_id", event.offer_id), ("proposal_id", event.proposal_id), ("bid_id", event.bid_id))
    return {name: str(each) for name, each in references if each is not None}
