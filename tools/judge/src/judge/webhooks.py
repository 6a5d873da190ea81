"""Checks received webhooks: signatures, recipients, and that open packages are anonymous."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from judge.dated_lists import AVAILABLE_PACKAGES
from judge.events import PackageHistory, RecordedEvent, select_kinds
from judge.list_recipients import may_propose
from judge.market import MarketHistory
from judge.rules import FrameworkRules
from judge.sent_lists import ISSUED

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
    stories: Sequence[PackageHistory],
    requests: Iterable[LoggedRequest],
    market: MarketHistory,
    find_rules: Callable[[PackageHistory], FrameworkRules | None],
) -> Iterator[str]:
    """Check that webhooks about open packages name no package, and went to providers that may propose for it."""
    listed = {
        event.data["advert"]["reference"]: (event, story)
        for story in stories
        for event in select_kinds(story, "PackageListed", "ListRowAdded")
    }
    for receipt in requests:
        reference = receipt.get("reference")
        if reference is None:
            continue
        if reference not in listed:
            yield f"webhook {_get_webhook_id(receipt)} is about {reference}, which is on no list"
            continue
        package, story = listed[reference]
        if receipt["package_id"] is not None or package.key in (receipt.get("body") or ""):
            yield f"webhook {_get_webhook_id(receipt)} about an open package names the package {package.key}"
        rules, provider = find_rules(story), receipt["provider_id"]
        if rules is None:
            continue
        area, stage = package.data["advert"]["area"], rules.get_stage(package.data["stage"])
        possible = market.list_possible_states(provider, package.at)
        if not any(may_propose(known, area, rules, stage) for known in possible):
            webhook_id = _get_webhook_id(receipt)
            yield f"webhook {webhook_id} about an open package went to {provider}, which is not active there"


def check_list_webhooks(
    lists: Mapping[str, PackageHistory], packages: Collection[str], requests: Iterable[LoggedRequest]
) -> Iterator[str]:
    """Check that each list went to its recipients, with the rows of their areas, and that it names no package."""
    for receipt in requests:
        list_id = receipt.get("list_id")
        if list_id is None:
            continue
        webhook_id, parts = _get_webhook_id(receipt), select_kinds(lists.get(list_id, ()), *ISSUED.values())
        shown = _list_shown(parts, receipt["provider_id"])
        content = json.loads(receipt["body"])
        sent = {row["advert"]["reference"] for row in content["data"]["rows"]}
        if not sent or not sent <= shown:
            yield f"webhook {webhook_id} shows {receipt['provider_id']} rows of list {list_id} that are not for it"
        if any(package in receipt["body"] for package in packages):
            yield f"webhook {webhook_id} of list {list_id} names a package"


def _list_shown(parts: Sequence[RecordedEvent], provider: str) -> set[str]:
    """List the references that a provider may see: of a Batching List those of its areas, else all."""
    found = set[str]()
    for part in parts:
        areas = [each["areas"] for each in part.data["recipients"] if each["provider_id"] == provider]
        is_open = part.kind == ISSUED[AVAILABLE_PACKAGES]
        adverts = [row["advert"] for row in part.data["rows"]]
        found |= {each["reference"] for each in adverts if areas and (is_open or each["area"] in areas[0])}
    return found


def _get_webhook_id(request: LoggedRequest) -> str:
    return request["headers"].get("webhook-id", "without an id")
