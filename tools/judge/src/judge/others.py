"""What others were told: providers that an answer counts, the council where its referral stands."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from judge.record import Said

# A checker that knew the class of what it reads would share its mistakes.
Read = Mapping[str, Any]
PROOF: Final = {"accept": "OfferAccepted", "decline": "OfferDeclined", "person": "PackagePlaced"}


def told_without_reason(stories: Mapping[str, Sequence[Said]], answers: Iterable[Read]) -> Iterator[str]:
    """Who was told that an answer counts finds it on record, and who was shown the person had the package."""
    on_record = {
        (said.kind, said.data["provider_id"], package)
        for package, story in stories.items()
        for said in story
        if said.kind in PROOF.values()
    }
    for answer in answers:
        if answer["what"] not in PROOF or not 0 < answer["status"] < 300:
            continue
        fact = PROOF[answer["what"]], answer["provider_id"], answer["package_id"]
        if fact not in on_record:
            yield f"{answer['provider_id']} was told that its {answer['what']} counts, and there is no {fact[0]}"


def shown_otherwise(stories: Mapping[str, Sequence[Said]], referrals: Iterable[Read]) -> Iterator[str]:
    """The council sees what the record says: who has the package, and that a withdrawal is done."""
    for referral in referrals:
        package = referral["package_id"]
        holder, withdrawn = _outcome(stories.get(package, ()))
        if referral["placed_with"] != holder or (referral["status"] == "withdrawn") != withdrawn:
            said = "withdrawn" if withdrawn else f"placed with {holder}"
            yield f"package {package} is {said}; the council sees {referral['status']}, {referral['placed_with']}"


def _outcome(story: Sequence[Said]) -> tuple[str | None, bool]:
    """Who has the package in the end, and whether it was withdrawn."""
    holder: str | None = None
    for said in story:
        if said.kind in {"PackagePlaced", "PlacementVoided"}:
            holder = said.data["provider_id"] if said.kind == "PackagePlaced" else None
    return holder, any(said.kind == "PackageWithdrawn" for said in story)
