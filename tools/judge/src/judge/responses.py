"""What others were told: providers that an answer counts, the council where its referral stands."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from judge.events import RecordedEvent

# A checker that knew the class of what it reads would share its mistakes.
JsonObject = Mapping[str, Any]
PROVING_EVENTS: Final = {"accept": "OfferAccepted", "decline": "OfferDeclined", "person": "PackagePlaced"}


def check_provider_responses(
    stories: Mapping[str, Sequence[RecordedEvent]], answers: Iterable[JsonObject]
) -> Iterator[str]:
    """Who was told that an answer counts finds it on record, and who was shown the person had the package."""
    on_record = {
        (event.kind, event.data["provider_id"], package)
        for package, story in stories.items()
        for event in story
        if event.kind in PROVING_EVENTS.values()
    }
    for answer in answers:
        if answer["what"] not in PROVING_EVENTS or not 0 < answer["status"] < 300:
            continue
        fact = PROVING_EVENTS[answer["what"]], answer["provider_id"], answer["package_id"]
        if fact not in on_record:
            yield f"{answer['provider_id']} was told that its {answer['what']} counts, and there is no {fact[0]}"


def check_council_view(
    stories: Mapping[str, Sequence[RecordedEvent]], referrals: Iterable[JsonObject]
) -> Iterator[str]:
    """The council sees what the record says: who has the package, and that a withdrawal is done."""
    for referral in referrals:
        package = referral["package_id"]
        holder, withdrawn = _find_outcome(stories.get(package, ()))
        if referral["placed_with"] != holder or (referral["status"] == "withdrawn") != withdrawn:
            outcome = "withdrawn" if withdrawn else f"placed with {holder}"
            yield f"package {package} is {outcome}; the council sees {referral['status']}, {referral['placed_with']}"


def _find_outcome(story: Sequence[RecordedEvent]) -> tuple[str | None, bool]:
    """Who has the package in the end, and whether it was withdrawn."""
    holder: str | None = None
    for event in story:
        if event.kind in {"PackagePlaced", "PlacementVoided"}:
            holder = event.data["provider_id"] if event.kind == "PackagePlaced" else None
    return holder, any(event.kind == "PackageWithdrawn" for event in story)
