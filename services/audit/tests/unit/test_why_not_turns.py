"""Why a provider came where it did: its number, its price, its last award, a draw or its turn among acceptances."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from audit.domain.lists_in_force import find_care, find_definition, list_ranked_list_keys
from audit.domain.names import Names
from audit.domain.records import parse_record
from audit.domain.trail import list_events, select_first_occurrences
from audit.domain.verdicts import RegistryRecord, Verdict, WhyNot
from audit.domain.why_not import find_verdict
from contracts.events.base import Event
from contracts.events.frameworks import FrameworkPublished
from contracts.events.offers import AcceptanceReceived, AcceptancesOrdered, OfferMade, OfferWithdrawn
from contracts.events.packages import PackageRequested
from contracts.events.providers import EligibilityChanged, Place
from contracts.events.reasons import OfferEnd
from contracts.events.searches import PackagePlaced, SourcingStarted, StageCandidate, StageEntered
from contracts.example_words import LOT, ServiceTypes, Tiers
from contracts.examples import COLCHESTER, COUNCIL, FRAMEWORK, a_definition, an_example_of, some_care
from contracts.framework.tiers import Tier
from contracts.framework.words import ListGroup, Lot
from contracts.ids import GroupKey, LotKey, TierKey
from contracts.values import Order, PlaceState
from testkit.audit.builders import RecordBuilder, make_candidate, make_registration, to_provider_id, verify

NAMES = ("Alder", "Birch", "Cedar")
REQUESTED, STARTED = an_example_of(PackageRequested, follows=None), an_example_of(SourcingStarted)
SEED = UUID("00000000-0000-4000-8000-000000000007")
MARCH = datetime(2026, 3, 2, 9, tzinfo=UTC)


def _rank(name: str, rank: int, **grounds: object) -> StageCandidate:
    return make_candidate(to_provider_id(name), rank, **grounds)


def _enter(*candidates: StageCandidate, order: Sequence[Order], **changed: object) -> StageEntered:
    usual: dict[str, object] = {"candidates": candidates, "order": tuple(order), "lists": (), "seed": None}
    return an_example_of(StageEntered, **{**usual, **changed})


def _explain(name: str, *events: Event, registry: Sequence[Event] = ()) -> WhyNot:
    builder = RecordBuilder()
    known = verify(map(parse_record, builder.publish(*map(make_registration, NAMES), *registry)))
    rows = select_first_occurrences(verify(map(parse_record, builder.publish(*events))), COUNCIL)
    names = Names.from_events(list_events(rows), {to_provider_id(each): each for each in NAMES})
    provider = [row for row in known if row.entry.stream.subject == str(to_provider_id(name))]
    return find_verdict(to_provider_id(name), rows, RegistryRecord(provider, ()), names)


GROUNDS = {
    "number": (Order.NUMBER, {"number": 3}, "number 3"),
    "price": (Order.PRICE, {"price": Decimal("90.00")}, "price £90.00"),
    "last award": (
        Order.ROTATION,
        {"last_award_at": MARCH, "joined_on": date(2025, 1, 1)},
        "last award on Mon 2 Mar 2026",
    ),
    "joining": (Order.ROTATION, {"joined_on": date(2025, 1, 1)}, "no award yet, joined on Wed 1 Jan 2025"),
}


@pytest.mark.parametrize("case", GROUNDS)
def test_a_provider_that_was_not_reached_learns_why_it_came_where_it_did(case: str) -> None:
    order, grounds, text = GROUNDS[case]
    stage = _enter(_rank("Alder", 1), _rank("Birch", 2, **grounds), order=[order])
    answer = _explain("Birch", REQUESTED, STARTED, stage)
    assert answer.verdict is Verdict.NOT_YET
    assert answer.in_short == f"Its turn has not come: Birch is rank 2 of tier 1, {text}"


def test_a_draw_is_named_with_its_seed() -> None:
    stage = _enter(_rank("Alder", 1), _rank("Birch", 2), order=[Order.DRAW], seed=SEED)
    assert f"ties by a draw with the seed {SEED}" in _explain("Birch", REQUESTED, STARTED, stage).in_short


def test_a_stage_of_several_tiers_names_the_tier_of_the_provider() -> None:
    stage = _enter(
        _rank("Alder", 1, number=1),
        _rank("Birch", 2, tier=Tiers.TWO, number=1),
        order=[Order.NUMBER],
        tiers=Tiers.ALL,
        stage="designated",
    )
    assert "Birch is rank 2 of designated in tier 2, number 1" in _explain("Birch", REQUESTED, STARTED, stage).in_short


def test_a_provider_that_accepted_and_came_second_gets_its_turn_and_its_price() -> None:
    alder, birch = to_provider_id("Alder"), to_provider_id("Birch")
    order = (Order.PRICE, Order.ROTATION)
    first, second = _rank("Alder", 1, price=Decimal("84.35")), _rank("Birch", 2, price=Decimal("90.00"))
    story = (
        REQUESTED,
        STARTED,
        _enter(_rank("Alder", 1), _rank("Birch", 2), order=order),
        an_example_of(OfferMade, provider_id=birch, asks_all=True),
        an_example_of(AcceptanceReceived, provider_id=birch),
        an_example_of(AcceptancesOrdered, order=order, seed=SEED, candidates=(first, second)),
        an_example_of(OfferWithdrawn, provider_id=birch, reason=OfferEnd.PLACED_WITH_ANOTHER),
        an_example_of(PackagePlaced, provider_id=alder),
    )
    answer = _explain("Birch", *story)
    assert answer.verdict is Verdict.OFFERED
    assert answer.in_short == "The offer to Birch was withdrawn: another provider that accepted comes first"
    assert [reason.text for reason in answer.reasons[1:]] == [
        "Birch accepted; the package waits for the answers of the others",
        (
            "Birch is rank 2 of 2 that accepted, price £90.00; they are considered by price, then rotation; "
            f"ties by a draw with the seed {SEED}"
        ),
        "The offer to Birch was withdrawn: another provider that accepted comes first",
        answer.reasons[-1].text,
    ]
    assert answer.reasons[-1].text.startswith("The package was placed with Alder (rank 1 of tier 1)")


def test_a_provider_with_a_place_in_a_tier_without_a_list_was_not_reached() -> None:
    place = an_example_of(Place, tier=Tiers.TWO, number=2, state=PlaceState.MOBILISING)
    eligible = an_example_of(EligibilityChanged, provider_id=to_provider_id("Cedar"), places=(place,))
    stage = _enter(_rank("Alder", 1), order=[Order.NUMBER])
    answer = _explain("Cedar", REQUESTED, STARTED, stage, registry=[eligible])
    assert answer.verdict is Verdict.NOT_YET
    assert "Cedar has a place in tier 2, number 2 (mobilising); the search did not come to that tier" in answer.in_short


def test_a_place_in_another_lot_does_not_count() -> None:
    place = an_example_of(Place, tier=Tiers.TWO, lot=LotKey("other"))
    eligible = an_example_of(EligibilityChanged, provider_id=to_provider_id("Cedar"), places=(place,))
    stage = _enter(_rank("Alder", 1), order=[Order.NUMBER])
    assert _explain("Cedar", REQUESTED, STARTED, stage, registry=[eligible]).verdict is Verdict.ON_NO_LIST


def test_the_lists_that_could_apply_are_those_of_the_tiers_and_of_the_packages_group() -> None:
    nights = GroupKey("nights")
    tiers = (Tier(tier=Tiers.TWO, title="2"), Tier(tier=Tiers.ONE, title="1", lots=(LotKey("other"),)))
    definition = a_definition(
        version=2,
        lots=(Lot(lot=LOT, title="Home care"), Lot(lot=LotKey("other"), title="Other")),
        tiers=(*tiers, Tier(tier=TierKey("tier-1-b"), title="1b")),
        sourcing=a_definition(tiers=(Tier(tier=Tiers.ONE, title="1"),)).sourcing,
        list_groups=(ListGroup(group=nights, title="Nights", service_types=(ServiceTypes.NIGHT_SLEEP,)),),
    )
    prefix = f"{FRAMEWORK}/{LOT}/{COLCHESTER}"
    assert list_ranked_list_keys(definition, some_care()) == [f"{prefix}/tier-2", f"{prefix}/tier-1-b"]
    night = some_care(service_type=ServiceTypes.NIGHT_SLEEP)
    assert list_ranked_list_keys(definition, night) == [f"{prefix}/tier-2/nights", f"{prefix}/tier-1-b/nights"]


def test_the_definition_is_the_version_that_the_search_keeps() -> None:
    versions = [FrameworkPublished(definition=a_definition(version=number)) for number in (1, 2, 3)]
    published = verify(map(parse_record, RecordBuilder().publish(*versions)))
    story = (REQUESTED, an_example_of(SourcingStarted, definition_version=2))
    rows = verify(map(parse_record, RecordBuilder().publish(*story)))
    found = find_definition(rows, published)
    assert found is not None
    assert found.version == 2
    assert find_definition(rows[:1], published) is None
    assert find_definition(rows, published[:1]) is None
    assert find_care(rows) == REQUESTED.care
    assert find_care(rows[1:]) is None
