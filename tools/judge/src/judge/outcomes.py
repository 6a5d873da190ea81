"""One end for each package: accepted is placed, a withdrawal is answered, and never two of anything."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from judge.record import SOURCING, Story, of_kind


def one_end(story: Story) -> Iterator[str]:
    sourcing = [said for said in story if said.source == SOURCING]
    kinds = Counter(said.kind for said in sourcing)
    placements = [said.data for said in sourcing if said.kind == "PackagePlaced"]
    accepted = [said.data["offer_id"] for said in sourcing if said.kind == "OfferAccepted"]
    awarded = [said.data["proposal_id"] for said in sourcing if said.kind == "ProposalAwarded"]
    if accepted != [each["offer_id"] for each in placements if each["offer_id"] is not None]:
        yield f"accepted {accepted}, placed {[each['offer_id'] for each in placements]}"
    if awarded != [each["proposal_id"] for each in placements if each.get("proposal_id") is not None]:
        yield f"awarded {awarded}, placed {[each.get('proposal_id') for each in placements]}"
    if kinds["PackagePlaced"] > 1:
        yield f"placed {kinds['PackagePlaced']} times in one search"
    if kinds["PackagePlaced"] and kinds["SourcingStopped"]:
        yield "both placed and stopped"
    if kinds["SourcingStarted"] > 1:
        yield f"started {kinds['SourcingStarted']} times"
    if kinds["PlacementVoided"] > kinds["PackagePlaced"]:
        yield "a placement was voided that never was"
    yield from _nothing_after_the_end(story)


def _nothing_after_the_end(story: Story) -> Iterator[str]:
    ended = False
    for said in story:
        if said.source == SOURCING:
            if ended and said.kind in {"OfferMade", "StageEntered", "PackageListed", "PackagePlaced"}:
                yield f"{said.kind} after the search had ended"
            ended = ended or said.kind in {"PackagePlaced", "SourcingStopped"}


def withdrawal_is_answered(story: Story) -> Iterator[str]:
    kinds = Counter(said.kind for said in story)
    answers = kinds["SourcingStopped"] + kinds["PlacementVoided"]
    if bool(kinds["WithdrawalRequested"]) != bool(answers) or answers > 1:
        yield f"{kinds['WithdrawalRequested']} withdrawals requested, answered {answers} times"
    if kinds["PackageWithdrawn"] != answers:
        yield f"withdrawn {kinds['PackageWithdrawn']} times, while sourcing said so {answers} times"


@dataclass(frozen=True)
class Tally:
    """How many packages stand where in the end."""

    referrals: int
    placed: Counter[str] = field(default_factory=Counter[str])
    """By the stage in which they were placed; voided ones not."""
    withdrawn: int = 0
    offers: int = 0

    @property
    def open(self) -> int:
        return self.referrals - self.placed.total() - self.withdrawn


def tally(stories: Sequence[Story]) -> Tally:
    asked = [story for story in stories if of_kind(story, "PackageRequested")]
    stages = [stage for story in asked if (stage := placed_in(story)) is not None]
    return Tally(
        referrals=len(asked),
        placed=Counter(stages),
        withdrawn=sum(bool(of_kind(story, "SourcingStopped", "PlacementVoided")) for story in asked),
        offers=sum(len(of_kind(story, "OfferMade")) for story in asked),
    )


def placed_in(story: Story) -> str | None:
    """The stage of the placement that stands."""
    placements = of_kind(story, "PackagePlaced")
    return placements[-1].data["stage"] if placements and not of_kind(story, "PlacementVoided") else None


def is_open(story: Story) -> bool:
    return not of_kind(story, "PackagePlaced", "SourcingStopped")
