"""Why a provider did not get a package: one verdict, its reasons, and the events that prove them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from uuid import uuid4

from audit.domain.evidence import place_of
from audit.domain.names import Cast
from audit.domain.records import Place, Recorded, StreamName, read
from audit.domain.story import events_of, first_occurrences
from audit.domain.verification import Checked
from audit.domain.why_not import Market, Verdict, WhyNot, stories_area, why_not
from contracts.catalogue import FRAMEWORKS, PROVIDERS
from contracts.events.base import Event
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
    ViewUse,
)
from contracts.events.providers import EligibilityChanged, Membership
from contracts.values import PassOverReason, Tier
from testkit.audit.builders import COUNCIL, Press, provider, registered, told
from testkit.contract_examples import COLCHESTER, ESSEX, an_example_of

NAMES = ("Alder", "Birch", "Cedar", "Dogwood", "Elder", "Fir")
REQUESTED, STARTED = an_example_of(PackageRequested), an_example_of(SourcingStarted)


def ranked(*names: str) -> tuple[Candidate, ...]:
    return tuple(Candidate(provider_id=provider(name), rank=rank) for rank, name in enumerate(names, start=1))


TIER_ONE = an_example_of(StageEntered, list_version=4, candidates=ranked("Alder", "Birch", "Cedar"))


def a_list(tier: Tier, *names: str, version: int = 1, live_from: date = date(2026, 1, 1)) -> RankedListPublished:
    return an_example_of(
        RankedListPublished, tier=tier, list_version=version, live_from=live_from, ranking=ranked(*names)
    )


def offered(name: str, rank: int = 1) -> OfferMade:
    return an_example_of(OfferMade, provider_id=provider(name), rank=rank)


def placed(name: str) -> PackagePlaced:
    return an_example_of(PackagePlaced, provider_id=provider(name))


def listed(*, spot: bool = True) -> PackageListed:
    return an_example_of(PackageListed, spot=spot)


def may_take(name: str, *, member: bool = False, spot: bool = False) -> EligibilityChanged:
    membership = Membership(framework=ESSEX, area=COLCHESTER, tier=Tier.TWO, eligible=True)
    return an_example_of(
        EligibilityChanged,
        provider_id=provider(name),
        memberships=(membership,) if member else (),
        spot_areas=(COLCHESTER,) if spot else (),
    )


@dataclass
class Registry:
    """What the record has from the registry, said before the story."""

    press: Press = field(default_factory=Press)
    entries: list[Recorded] = field(default_factory=list[Recorded])

    def says(self, *events: Event) -> "Registry":
        self.entries += map(read, self.press.says(*events))
        return self

    def market(self, name: str) -> Market:
        rows = first_occurrences(told(self.entries), COUNCIL)
        return Market(
            provider=[row for row in rows if row.entry.stream.subject == str(provider(name))],
            lists=[row for row in rows if row.entry.stream.topic == FRAMEWORKS],
        )


def asked(name: str, *events: Event, registry: Registry | None = None) -> WhyNot:
    """Why `name` did not get the package whose story `events` are."""
    known = registry or Registry().says(*map(registered, NAMES))
    rows = first_occurrences(told(map(read, known.press.says(*events))), COUNCIL)
    cast = Cast.of(events_of(rows), {provider(each): each for each in NAMES})
    answer = why_not(provider(name), rows, known.market(name), cast)
    assert_proved(answer, [*rows, *known.market(name).provider, *known.market(name).lists])
    return answer


def assert_proved(answer: WhyNot, rows: Iterable[Checked]) -> None:
    """Every reason rests on events that are there."""
    there = {row.entry.event_id for row in rows}
    assert all(reason.evidence for reason in answer.reasons)
    assert {proof.event_id for reason in answer.reasons for proof in reason.evidence} <= there


def test_a_provider_that_declined_was_offered_and_said_no() -> None:
    declined = an_example_of(OfferDeclined, provider_id=provider("Alder"))
    answer = asked("Alder", REQUESTED, STARTED, TIER_ONE, offered("Alder"), declined, offered("Birch"), placed("Birch"))
    assert (answer.verdict, answer.in_short) == (Verdict.OFFERED, "Alder declined: no capacity")
    assert [reason.text.split(":")[0] for reason in answer.reasons] == [
        "Alder (rank 1 of tier 1) was offered the package by webhook",
        "Alder declined",
        "The package was placed with Birch (rank 1 of tier 1)",
    ]


def test_a_provider_that_was_passed_over_hears_all_reasons_and_the_versions_they_rest_on() -> None:
    use = ViewUse(view="eligibility", key=str(provider("Alder")), sequence=3)
    over = an_example_of(
        ProviderPassedOver,
        provider_id=provider("Alder"),
        reasons=(PassOverReason.EMBARGOED, PassOverReason.NOT_ELIGIBLE),
        views=(use,),
    )
    answer = asked("Alder", REQUESTED, STARTED, TIER_ONE, over, offered("Birch", 2))
    assert (answer.verdict, answer.reasons[0].views) == (Verdict.PASSED_OVER, (use,))
    assert "embargoed and entry requirement not met" in answer.in_short


def test_a_provider_behind_the_winner_was_not_reached() -> None:
    answer = asked("Cedar", REQUESTED, STARTED, TIER_ONE, offered("Alder"), placed("Alder"))
    assert answer.verdict is Verdict.NOT_REACHED
    assert answer.in_short == "Alder (rank 1 of tier 1) was placed first; Cedar is rank 3 of tier 1, list version 4"


def test_a_provider_whose_turn_can_still_come_is_told_so() -> None:
    assert asked("Cedar", REQUESTED, STARTED, TIER_ONE, offered("Alder")).verdict is Verdict.NOT_YET


def test_a_search_that_was_stopped_reached_nobody_more() -> None:
    answer = asked("Cedar", REQUESTED, STARTED, TIER_ONE, an_example_of(SourcingStopped))
    assert answer.verdict is Verdict.NOT_REACHED
    assert answer.in_short.startswith("The search ended: withdrawn by the council")


def test_a_placement_that_was_undone_keeps_nobody_out() -> None:
    undone = an_example_of(PlacementVoided, provider_id=provider("Alder"))
    answer = asked("Cedar", REQUESTED, STARTED, TIER_ONE, placed("Alder"), undone)
    assert answer.verdict is Verdict.NOT_YET


def test_a_provider_of_a_tier_that_was_not_come_to_is_compared_by_the_list_in_force() -> None:
    lists = (
        a_list(Tier.TWO, "Fir", version=1),
        a_list(Tier.TWO, "Fir", "Elder", version=2),
        a_list(Tier.TWO, "Elder", version=3, live_from=date(2026, 3, 3)),
    )
    registry = Registry().says(*map(registered, NAMES), *lists)
    answer = asked("Elder", REQUESTED, STARTED, TIER_ONE, placed("Alder"), registry=registry)
    assert answer.verdict is Verdict.NOT_REACHED
    assert "Elder is rank 2 of tier 2, list version 2; the search did not come to that tier" in answer.in_short


def test_a_provider_on_no_list_hears_which_lists_were_used() -> None:
    registry = Registry().says(*map(registered, NAMES), a_list(Tier.TWO, "Elder", version=2))
    answer = asked("Fir", REQUESTED, STARTED, TIER_ONE, placed("Alder"), registry=registry)
    assert answer.verdict is Verdict.ON_NO_LIST
    assert [reason.text for reason in answer.reasons] == [
        "Tier 1 was worked through with list version 4",
        "The list of tier 2 in force was version 2",
    ]


def test_a_spot_provider_that_did_not_propose_could_have() -> None:
    registry = Registry().says(*map(registered, NAMES), may_take("Fir", spot=True))
    answer = asked("Fir", REQUESTED, STARTED, TIER_ONE, listed(), registry=registry)
    assert answer.verdict is Verdict.DID_NOT_PROPOSE
    assert len(answer.reasons[-1].evidence) == 2


def test_a_spot_provider_where_none_were_asked_is_on_no_list() -> None:
    registry = Registry().says(*map(registered, NAMES), may_take("Fir", spot=True))
    answer = asked("Fir", REQUESTED, STARTED, TIER_ONE, listed(spot=False), registry=registry)
    assert (answer.verdict, answer.reasons[-1].text.endswith("Fir is none of them")) == (Verdict.ON_NO_LIST, True)


def test_a_provider_that_declined_and_then_did_not_propose_hears_both() -> None:
    registry = Registry().says(*map(registered, NAMES), may_take("Alder", member=True))
    declined = an_example_of(OfferDeclined, provider_id=provider("Alder"))
    story = (REQUESTED, STARTED, TIER_ONE, offered("Alder"), declined, listed(), placed("Fir"))
    answer = asked("Alder", *story, registry=registry)
    assert answer.verdict is Verdict.DID_NOT_PROPOSE
    assert [reason.evidence[0].type.split(".")[1] for reason in answer.reasons] == [
        "OfferMade",
        "OfferDeclined",
        "PackageListed",
        "PackagePlaced",
    ]


def test_a_proposal_that_another_one_beat_was_proposed() -> None:
    proposals = [an_example_of(ProposalReceived, provider_id=provider(name)) for name in ("Elder", "Fir")]
    awarded = an_example_of(ProposalAwarded, provider_id=provider("Fir"))
    story = (REQUESTED, STARTED, TIER_ONE, listed(), *proposals, awarded, placed("Fir"))
    assert asked("Elder", *story).verdict is Verdict.PROPOSED
    assert asked("Fir", *story).verdict is Verdict.PLACED


def test_a_proposal_that_was_refused_says_why() -> None:
    refused = an_example_of(ProposalRefused, provider_id=provider("Fir"), reasons=(ProposalRefusal.NOT_OF_THIS_AREA,))
    answer = asked("Fir", REQUESTED, STARTED, TIER_ONE, listed(), refused)
    assert answer.verdict is Verdict.PROPOSAL_REFUSED
    assert "neither a framework provider of the area nor a spot provider there" in answer.in_short


def test_before_any_list_is_used_nothing_is_decided() -> None:
    held = an_example_of(SourcingHeld, missing=("definitions/nowhere",))
    answer = asked("Alder", REQUESTED, held)
    assert (answer.verdict, len(answer.reasons)) == (Verdict.NOT_YET, 1)


def test_nobody_has_ever_heard_of_a_stranger() -> None:
    answer = asked("Stranger", REQUESTED, STARTED, TIER_ONE, offered("Alder"), an_example_of(OfferAccepted))
    assert (answer.verdict, answer.reasons) == (Verdict.UNKNOWN, ())


def test_the_area_of_a_story_is_that_of_its_request() -> None:
    rows = told(map(read, Press().says(STARTED, REQUESTED)))
    assert (stories_area(rows), stories_area(rows[:1])) == ((ESSEX, COLCHESTER), None)


def test_versions_of_views_are_found_in_the_streams_they_came_from() -> None:
    alder = str(uuid4())
    found = {
        view: place_of(ViewUse(view=view, key=key, sequence=2))
        for view, key in (
            ("capacity", f"{alder}/E07000071"),
            ("ranked-lists", "essex/E07000071/1"),
            ("ranked-list-versions", "essex/E07000071/1/7"),
            ("definition-versions", "essex/2"),
            ("weather", "tomorrow"),
        )
    }
    registry = "/calloff/provider-registry"
    a_list_of = Place(StreamName(FRAMEWORKS, "essex/E07000071/1", registry), 2)
    assert found == {
        "capacity": Place(StreamName(PROVIDERS, alder, registry), 2),
        "ranked-lists": a_list_of,
        "ranked-list-versions": a_list_of,
        "definition-versions": Place(StreamName(FRAMEWORKS, "essex", registry), 2),
        "weather": None,
    }
