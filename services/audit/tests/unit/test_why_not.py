"""Why a provider did not get a package: one verdict, its reasons, and the events that prove them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from uuid import uuid4

from audit.domain.evidence import find_position
from audit.domain.names import Names
from audit.domain.records import ParsedRecord, StreamName, StreamPosition, parse_record
from audit.domain.story import list_events, select_first_occurrences
from audit.domain.verdicts import RegistryRecord, Verdict, WhyNot
from audit.domain.verification import VerifiedRecord
from audit.domain.why_not import find_area, find_verdict
from contracts.catalogue import FRAMEWORKS, PROVIDERS
from contracts.events.base import Event, ViewUse
from contracts.events.frameworks import RankedListPublished
from contracts.events.listings import PackageListed, ProposalAwarded, ProposalReceived, ProposalRefusal, ProposalRefused
from contracts.events.packages import (
    Candidate,
    OfferAccepted,
    OfferDeclined,
    OfferMade,
    PackagePlaced,
    PackageRequested,
    PlacementVoided,
    ProviderPassedOver,
    SourcingHeld,
    SourcingStarted,
    SourcingStopped,
    StageEntered,
)
from contracts.events.providers import EligibilityChanged, Membership
from contracts.examples import COLCHESTER, ESSEX, an_example_of
from contracts.values import PassOverReason, Tier
from testkit.audit.builders import COUNCIL, RecordBuilder, make_provider_id, make_registration, verify

NAMES = ("Alder", "Birch", "Cedar", "Dogwood", "Elder", "Fir")
REQUESTED, STARTED = an_example_of(PackageRequested), an_example_of(SourcingStarted)


def make_candidates(*names: str) -> tuple[Candidate, ...]:
    return tuple(Candidate(provider_id=make_provider_id(name), rank=rank) for rank, name in enumerate(names, start=1))


TIER_ONE = an_example_of(StageEntered, list_version=4, candidates=make_candidates("Alder", "Birch", "Cedar"))


def a_list(tier: Tier, *names: str, version: int = 1, live_from: date = date(2026, 1, 1)) -> RankedListPublished:
    return an_example_of(
        RankedListPublished, tier=tier, list_version=version, live_from=live_from, ranking=make_candidates(*names)
    )


def make_offer(name: str, rank: int = 1) -> OfferMade:
    return an_example_of(OfferMade, provider_id=make_provider_id(name), rank=rank)


def make_placement(name: str) -> PackagePlaced:
    return an_example_of(PackagePlaced, provider_id=make_provider_id(name))


def make_listing(*, spot: bool = True) -> PackageListed:
    return an_example_of(PackageListed, spot=spot)


def make_eligibility(name: str, *, member: bool = False, spot: bool = False) -> EligibilityChanged:
    membership = Membership(framework=ESSEX, area=COLCHESTER, tier=Tier.TWO, eligible=True)
    return an_example_of(
        EligibilityChanged,
        provider_id=make_provider_id(name),
        memberships=(membership,) if member else (),
        spot_areas=(COLCHESTER,) if spot else (),
    )


@dataclass
class Registry:
    """What the record has from the registry, said before the story."""

    press: RecordBuilder = field(default_factory=RecordBuilder)
    entries: list[ParsedRecord] = field(default_factory=list[ParsedRecord])

    def publish(self, *events: Event) -> "Registry":
        self.entries += map(parse_record, self.press.publish(*events))
        return self

    def find_records(self, name: str) -> RegistryRecord:
        rows = select_first_occurrences(verify(self.entries), COUNCIL)
        return RegistryRecord(
            provider=[row for row in rows if row.entry.stream.subject == str(make_provider_id(name))],
            lists=[row for row in rows if row.entry.stream.topic == FRAMEWORKS],
        )


def ask_why_not(name: str, *events: Event, registry: Registry | None = None) -> WhyNot:
    """Why `name` did not get the package whose story `events` are."""
    known = registry or Registry().publish(*map(make_registration, NAMES))
    rows = select_first_occurrences(verify(map(parse_record, known.press.publish(*events))), COUNCIL)
    names = Names.from_events(list_events(rows), {make_provider_id(each): each for each in NAMES})
    answer = find_verdict(make_provider_id(name), rows, known.find_records(name), names)
    assert_proved(answer, [*rows, *known.find_records(name).provider, *known.find_records(name).lists])
    return answer


def assert_proved(answer: WhyNot, rows: Iterable[VerifiedRecord]) -> None:
    """Every reason rests on events that are there."""
    there = {row.entry.event_id for row in rows}
    assert all(reason.evidence for reason in answer.reasons)
    assert {proof.event_id for reason in answer.reasons for proof in reason.evidence} <= there


def test_a_provider_that_declined_was_offered_and_said_no() -> None:
    declined = an_example_of(OfferDeclined, provider_id=make_provider_id("Alder"))
    answer = ask_why_not(
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


def test_a_provider_that_was_passed_over_hears_all_reasons_and_the_versions_they_rest_on() -> None:
    use = ViewUse(view="eligibility", key=str(make_provider_id("Alder")), sequence=3)
    over = an_example_of(
        ProviderPassedOver,
        provider_id=make_provider_id("Alder"),
        reasons=(PassOverReason.EMBARGOED, PassOverReason.NOT_ELIGIBLE),
        views=(use,),
    )
    answer = ask_why_not("Alder", REQUESTED, STARTED, TIER_ONE, over, make_offer("Birch", 2))
    assert (answer.verdict, answer.reasons[0].views) == (Verdict.PASSED_OVER, (use,))
    assert "embargoed and entry requirement not met" in answer.in_short


def test_a_provider_behind_the_winner_was_not_reached() -> None:
    answer = ask_why_not("Cedar", REQUESTED, STARTED, TIER_ONE, make_offer("Alder"), make_placement("Alder"))
    assert answer.verdict is Verdict.NOT_REACHED
    assert answer.in_short == "Alder (rank 1 of tier 1) was placed first; Cedar is rank 3 of tier 1, list version 4"


def test_a_provider_whose_turn_can_still_come_is_told_so() -> None:
    assert ask_why_not("Cedar", REQUESTED, STARTED, TIER_ONE, make_offer("Alder")).verdict is Verdict.NOT_YET


def test_a_search_that_was_stopped_reached_nobody_more() -> None:
    answer = ask_why_not("Cedar", REQUESTED, STARTED, TIER_ONE, an_example_of(SourcingStopped))
    assert answer.verdict is Verdict.NOT_REACHED
    assert answer.in_short.startswith("The search ended: withdrawn by the council")


def test_a_placement_that_was_undone_keeps_nobody_out() -> None:
    undone = an_example_of(PlacementVoided, provider_id=make_provider_id("Alder"))
    answer = ask_why_not("Cedar", REQUESTED, STARTED, TIER_ONE, make_placement("Alder"), undone)
    assert answer.verdict is Verdict.NOT_YET


def test_a_provider_of_a_tier_that_was_not_come_to_is_compared_by_the_list_in_force() -> None:
    lists = (
        a_list(Tier.TWO, "Fir", version=1),
        a_list(Tier.TWO, "Fir", "Elder", version=2),
        a_list(Tier.TWO, "Elder", version=3, live_from=date(2026, 3, 3)),
    )
    registry = Registry().publish(*map(make_registration, NAMES), *lists)
    answer = ask_why_not("Elder", REQUESTED, STARTED, TIER_ONE, make_placement("Alder"), registry=registry)
    assert answer.verdict is Verdict.NOT_REACHED
    assert "Elder is rank 2 of tier 2, list version 2; the search did not come to that tier" in answer.in_short


def test_a_provider_on_no_list_hears_which_lists_were_used() -> None:
    registry = Registry().publish(*map(make_registration, NAMES), a_list(Tier.TWO, "Elder", version=2))
    answer = ask_why_not("Fir", REQUESTED, STARTED, TIER_ONE, make_placement("Alder"), registry=registry)
    assert answer.verdict is Verdict.ON_NO_LIST
    assert [reason.text for reason in answer.reasons] == [
        "Tier 1 was worked through with list version 4",
        "The list of tier 2 in force was version 2",
    ]


def test_a_spot_provider_that_did_not_propose_could_have() -> None:
    registry = Registry().publish(*map(make_registration, NAMES), make_eligibility("Fir", spot=True))
    answer = ask_why_not("Fir", REQUESTED, STARTED, TIER_ONE, make_listing(), registry=registry)
    assert answer.verdict is Verdict.DID_NOT_PROPOSE
    assert len(answer.reasons[-1].evidence) == 2


def test_a_spot_provider_where_none_were_asked_is_on_no_list() -> None:
    registry = Registry().publish(*map(make_registration, NAMES), make_eligibility("Fir", spot=True))
    answer = ask_why_not("Fir", REQUESTED, STARTED, TIER_ONE, make_listing(spot=False), registry=registry)
    assert (answer.verdict, answer.reasons[-1].text.endswith("Fir is none of them")) == (Verdict.ON_NO_LIST, True)


def test_a_provider_that_declined_and_then_did_not_propose_hears_both() -> None:
    registry = Registry().publish(*map(make_registration, NAMES), make_eligibility("Alder", member=True))
    declined = an_example_of(OfferDeclined, provider_id=make_provider_id("Alder"))
    story = (REQUESTED, STARTED, TIER_ONE, make_offer("Alder"), declined, make_listing(), make_placement("Fir"))
    answer = ask_why_not("Alder", *story, registry=registry)
    assert answer.verdict is Verdict.DID_NOT_PROPOSE
    assert [reason.evidence[0].type.split(".")[1] for reason in answer.reasons] == [
        "OfferMade",
        "OfferDeclined",
        "PackageListed",
        "PackagePlaced",
    ]


def test_a_proposal_that_another_one_beat_was_proposed() -> None:
    proposals = [an_example_of(ProposalReceived, provider_id=make_provider_id(name)) for name in ("Elder", "Fir")]
    awarded = an_example_of(ProposalAwarded, provider_id=make_provider_id("Fir"))
    story = (REQUESTED, STARTED, TIER_ONE, make_listing(), *proposals, awarded, make_placement("Fir"))
    assert ask_why_not("Elder", *story).verdict is Verdict.PROPOSED
    assert ask_why_not("Fir", *story).verdict is Verdict.PLACED


def test_a_proposal_that_was_refused_says_why() -> None:
    refused = an_example_of(
        ProposalRefused, provider_id=make_provider_id("Fir"), reasons=(ProposalRefusal.NOT_OF_THIS_AREA,)
    )
    answer = ask_why_not("Fir", REQUESTED, STARTED, TIER_ONE, make_listing(), refused)
    assert answer.verdict is Verdict.PROPOSAL_REFUSED
    assert "neither a framework provider of the area nor a spot provider there" in answer.in_short


def test_before_any_list_is_used_nothing_is_decided() -> None:
    held = an_example_of(SourcingHeld, missing=("definitions/nowhere",))
    answer = ask_why_not("Alder", REQUESTED, held)
    assert (answer.verdict, len(answer.reasons)) == (Verdict.NOT_YET, 1)


def test_nobody_has_ever_heard_of_a_stranger() -> None:
    answer = ask_why_not("Stranger", REQUESTED, STARTED, TIER_ONE, make_offer("Alder"), an_example_of(OfferAccepted))
    assert (answer.verdict, answer.reasons) == (Verdict.UNKNOWN, ())


def test_the_area_of_a_story_is_that_of_its_request() -> None:
    rows = verify(map(parse_record, RecordBuilder().publish(STARTED, REQUESTED)))
    assert (find_area(rows), find_area(rows[:1])) == ((ESSEX, COLCHESTER), None)


def test_versions_of_views_are_found_in_the_streams_they_came_from() -> None:
    alder = str(uuid4())
    found = {
        view: find_position(ViewUse(view=view, key=key, sequence=2))
        for view, key in (
            ("capacity", f"{alder}/E07000071"),
            ("ranked-lists", "essex/E07000071/1"),
            ("ranked-list-versions", "essex/E07000071/1/7"),
            ("definition-versions", "essex/2"),
            ("weather", "tomorrow"),
        )
    }
    registry = "/calloff/provider-registry"
    a_list_of = StreamPosition(StreamName(FRAMEWORKS, "essex/E07000071/1", registry), 2)
    assert found == {
        "capacity": StreamPosition(StreamName(PROVIDERS, alder, registry), 2),
        "ranked-lists": a_list_of,
        "ranked-list-versions": a_list_of,
        "definition-versions": StreamPosition(StreamName(FRAMEWORKS, "essex", registry), 2),
        "weather": None,
    }
