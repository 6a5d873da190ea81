"""Why a provider did not get a package: the verdict, the reasons, and the events that are their evidence."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from audit.domain.names import Names
from audit.domain.records import ParsedRecord, parse_record
from audit.domain.trail import list_events, select_first_occurrences
from audit.domain.verdicts import RegistryRecord, Verdict, WhyNot
from audit.domain.verification import VerifiedRecord
from audit.domain.why_not import find_verdict
from contracts.catalogue import FRAMEWORKS
from contracts.events.base import Event, ProjectionVersion
from contracts.events.frameworks import Candidate, RankedListPublished
from contracts.events.listings import PackageListed, ProposalAwarded, ProposalReceived, ProposalRefusal, ProposalRefused
from contracts.events.offers import OfferAccepted, OfferDeclined, OfferMade
from contracts.events.packages import PackageRequested
from contracts.events.providers import EligibilityChanged, Place
from contracts.events.searches import (
    ListUsed,
    PackagePlaced,
    PlacementVoided,
    ProviderPassedOver,
    SourcingHeld,
    SourcingStarted,
    SourcingStopped,
    StageCandidate,
    StageEntered,
)
from contracts.example_words import Tiers
from contracts.examples import COLCHESTER, COUNCIL, an_example_of
from contracts.ids import TierKey
from contracts.values import PassOverReason, PlaceState
from testkit.audit.builders import RecordBuilder, make_candidate, make_registration, to_provider_id, verify

NAMES = ("Alder", "Birch", "Cedar", "Dogwood", "Elder", "Fir")
REQUESTED, STARTED = an_example_of(PackageRequested), an_example_of(SourcingStarted)


def enter_stage(*candidates: StageCandidate, **changed: object) -> StageEntered:
    """A stage without a draw and without ranked lists."""
    return an_example_of(StageEntered, **{"candidates": candidates, "lists": (), "seed": None, **changed})


TIER_ONE = enter_stage(
    *(make_candidate(to_provider_id(name), rank) for rank, name in enumerate(("Alder", "Birch", "Cedar"), start=1)),
    lists=(ListUsed(tier=Tiers.ONE, list_version=4),),
)


def a_list(tier: TierKey, *names: str, version: int = 1, live_from: date = date(2026, 1, 1)) -> RankedListPublished:
    ranking = tuple(Candidate(provider_id=to_provider_id(name), rank=rank) for rank, name in enumerate(names, start=1))
    return an_example_of(RankedListPublished, tier=tier, list_version=version, live_from=live_from, ranking=ranking)


def make_offer(name: str, rank: int = 1) -> OfferMade:
    return an_example_of(OfferMade, provider_id=to_provider_id(name), rank=rank)


def make_placement(name: str) -> PackagePlaced:
    return an_example_of(PackagePlaced, provider_id=to_provider_id(name))


def make_listing(*, spot: bool = True) -> PackageListed:
    return an_example_of(PackageListed, spot=spot)


def make_eligibility(
    name: str, *, member: bool = False, spot: bool = False, state: PlaceState = PlaceState.ACTIVE
) -> EligibilityChanged:
    place = an_example_of(Place, tier=Tiers.TWO, number=2, state=state)
    return an_example_of(
        EligibilityChanged,
        provider_id=to_provider_id(name),
        places=(place,) if member else (),
        spot_areas=(COLCHESTER,) if spot else (),
    )


@dataclass
class Registry:
    """The registry's events, published before those of the package."""

    builder: RecordBuilder = field(default_factory=RecordBuilder)
    entries: list[ParsedRecord] = field(default_factory=list[ParsedRecord])

    def publish(self, *events: Event) -> "Registry":
        self.entries += map(parse_record, self.builder.publish(*events))
        return self

    def find_records(self, name: str) -> RegistryRecord:
        rows = select_first_occurrences(verify(self.entries), COUNCIL)
        return RegistryRecord(
            provider=[row for row in rows if row.entry.stream.subject == str(to_provider_id(name))],
            lists=[row for row in rows if row.entry.stream.topic == FRAMEWORKS],
        )


def explain_why_not(name: str, *events: Event, registry: Registry | None = None) -> WhyNot:
    """Explains why `name` did not get the package with these events."""
    registry = registry or Registry().publish(*map(make_registration, NAMES))
    rows = select_first_occurrences(verify(map(parse_record, registry.builder.publish(*events))), COUNCIL)
    names = Names.from_events(list_events(rows), {to_provider_id(provider): provider for provider in NAMES})
    answer = find_verdict(to_provider_id(name), rows, registry.find_records(name), names)
    assert_has_evidence(answer, [*rows, *registry.find_records(name).provider, *registry.find_records(name).lists])
    return answer


def assert_has_evidence(answer: WhyNot, rows: Iterable[VerifiedRecord]) -> None:
    """Checks that every reason has evidence, and that all of it is on record."""
    known_events = {row.entry.event_id for row in rows}
    assert all(reason.evidence for reason in answer.reasons)
    assert {proof.event_id for reason in answer.reasons for proof in reason.evidence} <= known_events


def test_a_provider_that_declined_gets_the_verdict_offered() -> None:
    declined = an_example_of(OfferDeclined, provider_id=to_provider_id("Alder"))
    answer = explain_why_not(
        "Alder",
        REQUESTED,
        STARTED,
        TIER_ONE,
        make_offer("Alder"),
        declined,
        make_offer("Birch"),
        make_placement("Birch"),
    )
    assert (answer.verdict, answer.in_short) == (Verdict.OFFERED, "Alder declined: no capacity")
    assert [reason.text.split(":")[0] for reason in answer.reasons] == [
        "Alder (rank 1 of tier 1) was offered the package by webhook",
        "Alder declined",
        "The package was placed with Birch (rank 1 of tier 1)",
    ]


def test_a_provider_that_was_passed_over_gets_all_reasons_and_their_projection_versions() -> None:
    use = ProjectionVersion(view="eligibility", key=str(to_provider_id("Alder")), sequence=3)
    over = an_example_of(
        ProviderPassedOver,
        provider_id=to_provider_id("Alder"),
        reasons=(PassOverReason.EMBARGOED, PassOverReason.NOT_ELIGIBLE),
        views=(use,),
    )
    answer = explain_why_not("Alder", REQUESTED, STARTED, TIER_ONE, over, make_offer("Birch", 2))
    assert (answer.verdict, answer.reasons[0].projection_versions) == (Verdict.PASSED_OVER, (use,))
    assert "embargoed and entry requirement not met" in answer.in_short


def test_a_provider_behind_the_winner_was_not_reached() -> None:
    answer = explain_why_not("Cedar", REQUESTED, STARTED, TIER_ONE, make_offer("Alder"), make_placement("Alder"))
    assert answer.verdict is Verdict.NOT_REACHED
    assert answer.in_short == "Alder (rank 1 of tier 1) was placed first; Cedar is rank 3 of tier 1, list version 4"


def test_a_provider_of_a_running_search_is_not_yet_reached() -> None:
    assert explain_why_not("Cedar", REQUESTED, STARTED, TIER_ONE, make_offer("Alder")).verdict is Verdict.NOT_YET


def test_a_stopped_search_did_not_reach_later_providers() -> None:
    answer = explain_why_not("Cedar", REQUESTED, STARTED, TIER_ONE, an_example_of(SourcingStopped))
    assert answer.verdict is Verdict.NOT_REACHED
    assert answer.in_short.startswith("The search ended: withdrawn by the council")


def test_a_voided_placement_does_not_end_the_search() -> None:
    undone = an_example_of(PlacementVoided, provider_id=to_provider_id("Alder"))
    answer = explain_why_not("Cedar", REQUESTED, STARTED, TIER_ONE, make_placement("Alder"), undone)
    assert answer.verdict is Verdict.NOT_YET


def test_a_provider_of_a_tier_that_was_not_entered_is_found_on_the_list_in_force() -> None:
    lists = (
        a_list(Tiers.TWO, "Fir", version=1),
        a_list(Tiers.TWO, "Fir", "Elder", version=2),
        a_list(Tiers.TWO, "Elder", version=3, live_from=date(2026, 3, 3)),
    )
    registry = Registry().publish(*map(make_registration, NAMES), *lists)
    answer = explain_why_not("Elder", REQUESTED, STARTED, TIER_ONE, make_placement("Alder"), registry=registry)
    assert answer.verdict is Verdict.NOT_REACHED
    assert "Elder is rank 2 of tier 2, list version 2; the search did not come to that tier" in answer.in_short


def test_a_provider_on_no_list_gets_the_lists_that_were_used() -> None:
    registry = Registry().publish(*map(make_registration, NAMES), a_list(Tiers.TWO, "Elder", version=2))
    answer = explain_why_not("Fir", REQUESTED, STARTED, TIER_ONE, make_placement("Alder"), registry=registry)
    assert answer.verdict is Verdict.ON_NO_LIST
    assert [reason.text for reason in answer.reasons] == [
        "Tier 1 was worked through by ranked list (version 4 of tier 1)",
        "The list of tier 2 in force was version 2",
    ]


def test_a_spot_provider_without_a_proposal_did_not_propose() -> None:
    registry = Registry().publish(*map(make_registration, NAMES), make_eligibility("Fir", spot=True))
    answer = explain_why_not("Fir", REQUESTED, STARTED, TIER_ONE, make_listing(), registry=registry)
    assert answer.verdict is Verdict.DID_NOT_PROPOSE
    assert len(answer.reasons[-1].evidence) == 2


def test_a_spot_provider_is_on_no_list_if_spot_providers_were_not_asked() -> None:
    registry = Registry().publish(*map(make_registration, NAMES), make_eligibility("Fir", spot=True))
    answer = explain_why_not("Fir", REQUESTED, STARTED, TIER_ONE, make_listing(spot=False), registry=registry)
    assert (answer.verdict, answer.reasons[-1].text.endswith("Fir is none of them")) == (Verdict.ON_NO_LIST, True)


def test_a_provider_that_declined_and_then_did_not_propose_gets_both_reasons() -> None:
    registry = Registry().publish(*map(make_registration, NAMES), make_eligibility("Alder", member=True))
    declined = an_example_of(OfferDeclined, provider_id=to_provider_id("Alder"))
    story = (REQUESTED, STARTED, TIER_ONE, make_offer("Alder"), declined, make_listing(), make_placement("Fir"))
    answer = explain_why_not("Alder", *story, registry=registry)
    assert answer.verdict is Verdict.DID_NOT_PROPOSE
    assert [reason.evidence[0].type.split(".")[1] for reason in answer.reasons] == [
        "OfferMade",
        "OfferDeclined",
        "PackageListed",
        "PackagePlaced",
    ]


def test_a_proposal_that_was_not_awarded_gets_the_verdict_proposed() -> None:
    proposals = [an_example_of(ProposalReceived, provider_id=to_provider_id(name)) for name in ("Elder", "Fir")]
    awarded = an_example_of(ProposalAwarded, provider_id=to_provider_id("Fir"))
    story = (REQUESTED, STARTED, TIER_ONE, make_listing(), *proposals, awarded, make_placement("Fir"))
    assert explain_why_not("Elder", *story).verdict is Verdict.PROPOSED
    assert explain_why_not("Fir", *story).verdict is Verdict.PLACED


def test_a_refused_proposal_has_the_reason() -> None:
    refused = an_example_of(
        ProposalRefused, provider_id=to_provider_id("Fir"), reasons=(ProposalRefusal.NOT_OF_THIS_AREA,)
    )
    answer = explain_why_not("Fir", REQUESTED, STARTED, TIER_ONE, make_listing(), refused)
    assert answer.verdict is Verdict.PROPOSAL_REFUSED
    assert "neither a framework provider of the area nor a spot provider there" in answer.in_short


def test_before_the_first_list_the_verdict_is_not_yet() -> None:
    held = an_example_of(SourcingHeld, missing=("definitions/nowhere",))
    answer = explain_why_not("Alder", REQUESTED, held)
    assert (answer.verdict, len(answer.reasons)) == (Verdict.NOT_YET, 1)


def test_an_unknown_provider_gets_the_verdict_unknown() -> None:
    answer = explain_why_not(
        "Stranger", REQUESTED, STARTED, TIER_ONE, make_offer("Alder"), an_example_of(OfferAccepted)
    )
    assert (answer.verdict, answer.reasons) == (Verdict.UNKNOWN, ())
