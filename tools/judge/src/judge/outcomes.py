"""Checks the outcome of each package: an acceptance places it once, and a withdrawal is answered once."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from judge.events import SOURCING, PackageHistory, select_kinds
from judge.rules import RuleBook


def check_one_end(story: PackageHistory) -> Iterator[str]:
    sourcing = [event for event in story if event.source == SOURCING]
    kinds = Counter(event.kind for event in sourcing)
    placements = [event.data for event in sourcing if event.kind == "PackagePlaced"]
    accepted = [event.data["offer_id"] for event in sourcing if event.kind == "OfferAccepted"]
    awarded = [event.data["proposal_id"] for event in sourcing if event.kind == "ProposalAwarded"]
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
        yield "a placement was voided that was not made"
    yield from _check_nothing_after_end(story)


def _check_nothing_after_end(story: PackageHistory) -> Iterator[str]:
    ended = False
    for event in story:
        if event.source == SOURCING:
            if ended and event.kind in {"OfferMade", "StageEntered", "PackageListed", "PackagePlaced"}:
                yield f"{event.kind} after the search had ended"
            ended = ended or event.kind in {"PackagePlaced", "SourcingStopped"}


def check_withdrawals(story: PackageHistory) -> Iterator[str]:
    kinds = Counter(event.kind for event in story)
    answers = kinds["SourcingStopped"] + kinds["PlacementVoided"]
    if bool(kinds["WithdrawalRequested"]) != bool(answers) or answers > 1:
        yield f"{kinds['WithdrawalRequested']} withdrawals requested, answered {answers} times"
    if kinds["PackageWithdrawn"] != answers:
        yield f"withdrawn {kinds['PackageWithdrawn']} times, while sourcing answered {answers} times"


@dataclass(frozen=True)
class Tally:
    """The number of packages by outcome."""

    referrals: int
    placed: Counter[str] = field(default_factory=Counter[str])
    """Placements that are not voided, by stage."""
    withdrawn: int = 0
    offers: int = 0

    @property
    def open(self) -> int:
        return self.referrals - self.placed.total() - self.withdrawn


def count_outcomes(stories: Sequence[PackageHistory]) -> Tally:
    asked = [story for story in stories if select_kinds(story, "PackageRequested")]
    stages = [stage for story in asked if (stage := find_placement_stage(story)) is not None]
    return Tally(
        referrals=len(asked),
        placed=Counter(stages),
        withdrawn=sum(bool(select_kinds(story, "SourcingStopped", "PlacementVoided")) for story in asked),
        offers=sum(len(select_kinds(story, "OfferMade")) for story in asked),
    )


def get_framework(story: PackageHistory) -> str:
    """Return the framework of a requested package."""
    return select_kinds(story, "PackageRequested")[0].data["care"]["framework"]


def group_by_framework(stories: Sequence[PackageHistory]) -> dict[str, list[PackageHistory]]:
    """Group the requested packages by framework."""
    found: dict[str, list[PackageHistory]] = {}
    for story in stories:
        if select_kinds(story, "PackageRequested"):
            found.setdefault(get_framework(story), []).append(story)
    return found


def count_procedures(stories: Sequence[PackageHistory], rules: RuleBook) -> Counter[str]:
    """Count the placements that are not voided by the procedure of their stage."""
    counted = Counter[str]()
    for story in stories:
        stage, started = find_placement_stage(story), select_kinds(story, "SourcingStarted")
        if stage is not None and started:
            definition = rules[get_framework(story), started[-1].data["definition_version"]]
            counted[definition.get_stage(stage)["procedure"]] += 1
    return counted


def find_placement_stage(story: PackageHistory) -> str | None:
    """Return the stage of the placement that is not voided."""
    placements = select_kinds(story, "PackagePlaced")
    return placements[-1].data["stage"] if placements and not select_kinds(story, "PlacementVoided") else None


def is_open(story: PackageHistory) -> bool:
    return not select_kinds(story, "PackagePlaced", "SourcingStopped")
