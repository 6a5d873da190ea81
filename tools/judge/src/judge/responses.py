"""Checks the services' responses: to providers that an answer is accepted, to the council about its referrals."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from judge.events import RecordedEvent

# Plain JSON, because the response's class could hide mistakes.
JsonObject = Mapping[str, Any]
PROVING_EVENTS: Final = {
    "accept": ("OfferAccepted", "AcceptanceReceived"),
    "decline": ("OfferDeclined",),
    "person": ("PackagePlaced",),
}
"""The events of which one is on record if a request of a provider had success."""


def check_provider_responses(
    stories: Mapping[str, Sequence[RecordedEvent]], answers: Iterable[JsonObject]
) -> Iterator[str]:
    """Check that each accepted answer has its event, and that the person was shown only to the placed provider."""
    on_record = {
        (event.kind, event.data["provider_id"], package)
        for package, story in stories.items()
        for event in story
        if any(event.kind in kinds for kinds in PROVING_EVENTS.values())
    }
    for answer in answers:
        if answer["what"] not in PROVING_EVENTS or not 0 < answer["status"] < 300:
            continue
        kinds, about = PROVING_EVENTS[answer["what"]], (answer["provider_id"], answer["package_id"])
        if not any((kind, *about) in on_record for kind in kinds):
            yield f"{answer['provider_id']} got a success response to {answer['what']}, but there is no {kinds[0]}"


TICK_EVENTS: Final = {200: "InterestRegistered", 409: "InterestNotUsed"}
"""The event that is on record after a tick, by the status of the response."""


def check_tick_responses(
    stories: Mapping[str, Sequence[RecordedEvent]],
    lists: Mapping[str, Sequence[RecordedEvent]],
    answers: Iterable[JsonObject],
) -> Iterator[str]:
    """Check that each tick that a provider sent is on record, as used or not used, and each list that it returned."""
    returned = {
        (list_id, event.data["provider_id"])
        for list_id, history in lists.items()
        for event in history
        if event.kind == "ListReturned"
    }
    packages = {
        event.data["advert"]["reference"]: package
        for package, story in stories.items()
        for event in story
        if event.kind == "ListRowAdded"
    }
    on_record = {
        (event.kind, event.data["provider_id"], package)
        for package, story in stories.items()
        for event in story
        if event.kind in TICK_EVENTS.values()
    }
    for answer in answers:
        if answer["what"] == "tick" and answer["status"] in TICK_EVENTS:
            kind, package = TICK_EVENTS[answer["status"]], packages.get(answer["reference"])
            if (kind, answer["provider_id"], package) not in on_record:
                yield f"{answer['provider_id']} ticked {answer['reference']}, but there is no {kind}"
        if answer["what"] == "return a list" and (answer["reference"], answer["provider_id"]) not in returned:
            yield f"{answer['provider_id']} returned list {answer['reference']}, but there is no ListReturned"


def check_council_referrals(
    stories: Mapping[str, Sequence[RecordedEvent]], referrals: Iterable[JsonObject]
) -> Iterator[str]:
    """Check that the council's API agrees with the record: the placed provider and the withdrawal."""
    for referral in referrals:
        package = referral["package_id"]
        holder, withdrawn = _find_outcome(stories.get(package, ()))
        if referral["placed_with"] != holder or (referral["status"] == "withdrawn") != withdrawn:
            outcome = "withdrawn" if withdrawn else f"placed with {holder}"
            yield f"package {package} is {outcome}; the council sees {referral['status']}, {referral['placed_with']}"


def _find_outcome(story: Sequence[RecordedEvent]) -> tuple[str | None, bool]:
    """Return the provider that has the package, and whether the package was withdrawn."""
    holder: str | None = None
    for event in story:
        if event.kind in {"PackagePlaced", "PlacementVoided"}:
            holder = event.data["provider_id"] if event.kind == "PackagePlaced" else None
    return holder, any(event.kind == "PackageWithdrawn" for event in story)
