"""What providers' systems received: signed, about their own, and of an open package nothing that points at anybody."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from judge.events import PackageHistory, select_kinds
from judge.market import MarketHistory

# A line of the receivers' log, as JSON has it.
Receipt = Mapping[str, Any]


def check_signatures(receipts: Iterable[Receipt]) -> Iterator[str]:
    for receipt in receipts:
        if not receipt["verified"]:
            yield f"webhook {_get_webhook_id(receipt)} was not signed as it should be"


def check_recipients(stories: Iterable[PackageHistory], receipts: Iterable[Receipt]) -> Iterator[str]:
    """Each webhook about an offer or a placement went to its provider."""
    offered = {
        event.data["offer_id"]: event.data["provider_id"]
        for story in stories
        for event in select_kinds(story, "OfferMade")
    }
    with_the_package = {
        (event.key, event.data["provider_id"])
        for story in stories
        for event in story
        if event.kind in {"OfferMade", "PackagePlaced"}
    }
    for receipt in receipts:
        offer_id, provider, package = receipt["offer_id"], receipt["provider_id"], receipt.get("package_id")
        if offer_id in offered and offered[offer_id] != provider:
            yield f"webhook {_get_webhook_id(receipt)} about offer {offer_id} went to {provider}"
        elif offer_id in offered or package is None:
            continue
        elif (package, provider) not in with_the_package:
            yield f"webhook {_get_webhook_id(receipt)} about package {package} went to {provider}"


def check_deliveries(stories: Iterable[PackageHistory], receipts: Sequence[Receipt]) -> Iterator[str]:
    """What the register says was delivered by webhook, a system has taken."""
    taken = {(each["offer_id"], each["provider_id"]) for each in receipts if each.get("receipt") == "taken"}
    for story in stories:
        for event in select_kinds(story, "OfferDelivered"):
            by_webhook = event.data["channel"] == "webhook"
            if by_webhook and (event.data["offer_id"], event.data["provider_id"]) not in taken:
                yield f"offer {event.data['offer_id']} counts as delivered, and nobody received it"


def check_open_list_webhooks(
    stories: Sequence[PackageHistory], receipts: Iterable[Receipt], market: MarketHistory
) -> Iterator[str]:
    listed = {
        event.data["advert"]["reference"]: (event, select_kinds(story, "PackageRequested")[0])
        for story in stories
        for event in select_kinds(story, "PackageListed")
    }
    for receipt in receipts:
        reference = receipt.get("reference")
        if reference is None:
            continue
        if reference not in listed:
            yield f"webhook {_get_webhook_id(receipt)} tells of {reference}, which is on no list"
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
            yield f"webhook {webhook_id} about an open package of {care['area']} went to {provider}, who is not there"


def _get_webhook_id(receipt: Receipt) -> str:
    return receipt["headers"].get("webhook-id", "without an id")
