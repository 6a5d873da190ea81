"""What providers' systems received: signed, about their own, and of an open package nothing that points at anybody."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from judge.market import Market
from judge.record import Story, of_kind

# A line of the receivers' log, as JSON has it.
Receipt = Mapping[str, Any]


def signed(receipts: Iterable[Receipt]) -> Iterator[str]:
    for receipt in receipts:
        if not receipt["verified"]:
            yield f"webhook {_id(receipt)} was not signed as it should be"


def to_the_right_provider(stories: Iterable[Story], receipts: Iterable[Receipt]) -> Iterator[str]:
    """Each webhook about an offer or a placement went to its provider."""
    offered = {
        said.data["offer_id"]: said.data["provider_id"] for story in stories for said in of_kind(story, "OfferMade")
    }
    with_the_package = {
        (said.key, said.data["provider_id"])
        for story in stories
        for said in story
        if said.kind in {"OfferMade", "PackagePlaced"}
    }
    for receipt in receipts:
        offer_id, provider, package = receipt["offer_id"], receipt["provider_id"], receipt.get("package_id")
        if offer_id in offered and offered[offer_id] != provider:
            yield f"webhook {_id(receipt)} about offer {offer_id} went to {provider}"
        elif offer_id in offered or package is None:
            continue
        elif (package, provider) not in with_the_package:
            yield f"webhook {_id(receipt)} about package {package} went to {provider}"


def delivered_as_told(stories: Iterable[Story], receipts: Sequence[Receipt]) -> Iterator[str]:
    """What the register says was delivered by webhook, a system has taken."""
    taken = {(each["offer_id"], each["provider_id"]) for each in receipts if each.get("receipt") == "taken"}
    for story in stories:
        for said in of_kind(story, "OfferDelivered"):
            by_webhook = said.data["channel"] == "webhook"
            if by_webhook and (said.data["offer_id"], said.data["provider_id"]) not in taken:
                yield f"offer {said.data['offer_id']} counts as delivered, and nobody received it"


def open_to_all(stories: Sequence[Story], receipts: Iterable[Receipt], market: Market) -> Iterator[str]:
    listed = {
        said.data["advert"]["reference"]: (said, of_kind(story, "PackageRequested")[0])
        for story in stories
        for said in of_kind(story, "PackageListed")
    }
    for receipt in receipts:
        reference = receipt.get("reference")
        if reference is None:
            continue
        if reference not in listed:
            yield f"webhook {_id(receipt)} tells of {reference}, which is on no list"
            continue
        package, request = listed[reference]
        if receipt["package_id"] is not None or package.key in (receipt.get("body") or ""):
            yield f"webhook {_id(receipt)} about an open package names the package {package.key}"
        care, provider = request.data["care"], receipt["provider_id"]
        if not any(known.works_in(care["framework"], care["area"]) for known in market.possible(provider, package.at)):
            yield f"webhook {_id(receipt)} about an open package of {care['area']} went to {provider}, who is not there"


def _id(receipt: Receipt) -> str:
    return receipt["headers"].get("webhook-id", "without an id")
