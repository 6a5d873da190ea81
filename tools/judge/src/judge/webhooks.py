"""Checks received webhooks: signatures, recipients, and that open packages are anonymous."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from judge.events import PackageHistory, select_kinds
from judge.market import MarketHistory

# One entry of the webhook log as plain JSON.
LoggedRequest = Mapping[str, Any]


def check_signatures(requests: Iterable[LoggedRequest]) -> Iterator[str]:
    for receipt in requests:
        if not receipt["verified"]:
            yield f"webhook {_get_webhook_id(receipt)} has an invalid signature"


def check_recipients(stories: Iterable[PackageHistory], requests: Iterable[LoggedRequest]) -> Iterator[str]:
    """Check that each webhook about an offer or a placement went to its provider."""
    offered = {
        event.data["offer_id"]: event.data["provider_id"]
        for story in stories
        for event in select_kinds(story, "OfferMade")
    }
    entitled = {
        (event.key, event.data["provider_id"])
        for story in stories
        for event in story
        if event.kind in {"OfferMade", "PackagePlaced"}
    }
    for receipt in requests:
        offer_id, provider, package = receipt["offer_id"], receipt["provider_id"], receipt.get("package_id")
        if offer_id in offered and offered[offer_id] != provider:
            yield f"webhook {_get_webhook_id(receipt)} about offer {offer_id} went to {provider}"
        elif offer_id in offered or package is None:
            continue
        elif (package, provider) not in entitled:
            yield f"webhook {_get_webhook_id(receipt)} about package {package} went to {provider}"


def check_deliveries(stories: Iterable[PackageHistory], requests: Sequence[LoggedRequest]) -> Iterator[str]:
    """Check that each webhook delivery in the record was acknowledged by the provider's system."""
    acknowledged = {
        (each["offer_id"], each["provider_id"]) for each in requests if each.get("reaction") == "acknowledged"
    }
    for story in stories:
        for event in select_kinds(story, "OfferDelivered"):
            by_webhook = event.data["channel"] == "webhook"
            if by_webhook and (event.data["offer_id"], event.data["provider_id"]) not in acknowledged:
                yield f"offer {event.data['offer_id']} counts as delivered, but no system acknowledged it"


def check_open_list_webhooks(
    stories: Sequence[PackageHistory], requests: Iterable[LoggedRequest], market: MarketHistory
) -> Iterator[str]:
    listed = {
        event.data["advert"]["reference"]: (event, select_kinds(story, "PackageRequested")[0])
        for story in stories
        for event in select_kinds(story, "PackageListed")
    }
    for receipt in requests:
        reference = receipt.get("reference")
        if reference is None:
            continue
        if reference not in listed:
            yield f"webhook {_get_webhook_id(receipt)} is about {reference}, which is on no list"
            continue
        package, request = listed[reference]
        if receipt["package_id"] is not None or package.key in (receipt.get("body") or ""):
            yield f"webhook {_get_webhook_id(receipt)} about an open package names the package {package.key}"
        care, provider = request.data["care"], receipt["provider_id"]
        if not any(
            known.is_active_in(care["framework"], care["area"])
            for known in market.list_possible_states(provider, package.at)
        ):
            webhook_id = _get_webhook_id(receipt)
            yield f"webhook {webhook_id} about an open package went to {provider}, which is not active there"


def _get_webhook_id(request: LoggedRequest) -> str:
    return request["headers"].get("webhook-id", "without an id")
