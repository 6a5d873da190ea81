"""The selection of what a replay needs: fragments of payloads, and the facts that decisions can have used."""

from datetime import timedelta
from decimal import Decimal

import pytest

from audit.domain.records import parse_record
from audit.domain.replay_evidence import EvidenceScope, select_facts
from audit.domain.verification import VerifiedRecord
from contracts.catalogue import encode
from contracts.events.base import Event, ProjectionVersion
from contracts.events.offers import OfferMade
from contracts.events.packages import PackageRequested
from contracts.events.providers import (
    CapacityDeclared,
    EligibilityChanged,
    EmbargoLifted,
    Place,
    ProviderEmbargoed,
    ProviderRegistered,
)
from contracts.events.rates import RatesSelected
from contracts.events.searches import PackagePlaced
from contracts.example_words import Tiers
from contracts.examples import a_definition, an_example_of, some_care
from contracts.framework.tiers import Tier
from contracts.framework.words import Area
from contracts.ids import AreaCode
from testkit.audit.builders import RecordBuilder, to_provider_id, verify

ALDER = to_provider_id("Alder")
ELSEWHERE = AreaCode("E07000999")
CARE = some_care()


def publish(builder: RecordBuilder, *events: Event) -> list[VerifiedRecord]:
    return verify(parse_record(each) for each in builder.publish(*events))


def a_capacity(hours: str, *, area: AreaCode = CARE.area) -> CapacityDeclared:
    return an_example_of(CapacityDeclared, provider_id=ALDER, area=area, free_hours=Decimal(hours))


def list_hours(facts: list[VerifiedRecord], rows: list[VerifiedRecord]) -> list[str]:
    events = (row.entry.event for row in select_facts(facts, rows, CARE))
    return [str(each.free_hours) for each in events if isinstance(each, CapacityDeclared)]


def test_a_fragment_is_in_the_payload_of_an_event_with_the_place() -> None:
    place = an_example_of(Place, framework=CARE.framework, lot=CARE.lot, area=CARE.area)
    (fragment,) = EvidenceScope(CARE, ()).list_place_fragments()
    assert fragment in encode(EligibilityChanged(provider_id=ALDER, places=(place,)))
    elsewhere = place.model_copy(update={"area": ELSEWHERE})
    assert fragment not in encode(EligibilityChanged(provider_id=ALDER, places=(elsewhere,)))


def test_a_fragment_is_in_the_payload_of_a_placement_in_the_area() -> None:
    fragment = EvidenceScope(CARE, ()).make_placement_fragment()
    assert fragment in encode(an_example_of(PackagePlaced, area=CARE.area))
    assert fragment not in encode(an_example_of(PackagePlaced, area=ELSEWHERE))


def test_the_neighbours_and_tiers_of_all_versions_count() -> None:
    first = a_definition(version=1, areas=(Area(code=CARE.area, name="Here"),), tiers=some_tiers(*Tiers.ALL))
    areas = (
        Area(code=CARE.area, name="Here", neighbours=(ELSEWHERE,)),
        Area(code=ELSEWHERE, name="Elsewhere"),
    )
    second = a_definition(version=2, areas=areas, tiers=some_tiers(*Tiers.ALL, "tier-3"))
    scope = EvidenceScope(CARE, (first, second))
    assert scope.list_areas() == [CARE.area, ELSEWHERE]
    prefix = f"{CARE.framework}/{CARE.lot}/{CARE.area}"
    assert scope.list_ranked_list_keys() == [f"{prefix}/{tier}" for tier in (*Tiers.ALL, "tier-3")]


def some_tiers(*keys: str) -> tuple[Tier, ...]:
    return tuple(Tier.model_validate({"tier": key, "title": key}) for key in keys)


def test_the_newest_fact_before_the_package_and_all_until_its_last_event_are_selected() -> None:
    builder = RecordBuilder()
    facts = publish(builder, a_capacity("1.00"), a_capacity("2.00"), a_capacity("3.00", area=ELSEWHERE))
    rows = publish(builder, an_example_of(PackageRequested))
    facts += publish(builder, a_capacity("4.00"))
    rows += publish(builder, an_example_of(OfferMade, views=()))
    facts += publish(builder, a_capacity("5.00"))
    assert list_hours(facts, rows) == ["2.00", "4.00"]


def test_a_version_that_an_event_states_is_selected_though_a_newer_one_was_published() -> None:
    builder = RecordBuilder()
    facts = publish(builder, a_capacity("1.00"), a_capacity("2.00"), a_capacity("3.00"))
    view = ProjectionVersion(view="capacity", key=f"{ALDER}/{CARE.area}", sequence=2)
    rows = publish(builder, an_example_of(PackageRequested), an_example_of(OfferMade, views=(view,)))
    assert list_hours(facts, rows) == ["2.00", "3.00"]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(
            an_example_of(RatesSelected, provider_id=ALDER, framework="another"), id="another framework's rates"
        ),
        pytest.param(ProviderRegistered(provider_id=ALDER, name="Alder"), id="a registration"),
    ],
)
def test_what_no_decision_about_the_package_reads_is_left_out(other: Event) -> None:
    builder = RecordBuilder()
    assert select_facts(publish(builder, other), publish(builder, an_example_of(PackageRequested)), CARE) == []


def test_an_embargo_is_replaced_by_its_end() -> None:
    builder = RecordBuilder(at=an_example_of(CapacityDeclared).declared_at - timedelta(days=1))
    embargo = an_example_of(ProviderEmbargoed, provider_id=ALDER)
    facts = publish(builder, embargo, EmbargoLifted(provider_id=ALDER))
    selected = select_facts(facts, publish(builder, an_example_of(PackageRequested)), CARE)
    assert [type(row.entry.event) for row in selected] == [EmbargoLifted]
