"""Commands on places: two people for what the rules forbid, mobilising, and the timer of the next change."""

from datetime import UTC, date, datetime

import pytest

from contracts.errors import InvalidInput
from contracts.events.providers import EligibilityChanged
from contracts.example_words import Tiers
from contracts.examples import FRAMEWORK
from contracts.framework.life import Joining, JoiningMode
from contracts.values import PlaceState, Rating
from provider_registry.domain.asked_places import AskedPlace
from provider_registry.domain.errors import NoPlaceLeft, PlaceInOtherState, PlaceNotFound, SameOfficer
from provider_registry.domain.provider import Provider
from provider_registry.handlers.places import (
    ApprovePlace,
    MarkMobilised,
    RequestPlace,
    SetPlaces,
    approve_place,
    mark_mobilised,
    request_place,
    set_places,
)
from provider_registry.handlers.provider_changes import reassess
from provider_registry.ports import NEXT_DAY, REASSESS
from testkit.clocks import MONDAY_NINE
from testkit.provider_registry.builders import (
    TENDRING,
    a_framework,
    a_held_place,
    a_place,
    a_provider,
    to_provider_id,
)
from testkit.provider_registry.fakes import InMemoryRegistryWork, RegistryTables, build_unit_of_work

ALDER = to_provider_id("Alder")
LATE = AskedPlace(a_place(), joined_on=date(2026, 3, 2))


def a_registry(*providers: Provider, mode: JoiningMode = JoiningMode.CLOSED, cap: int = 10) -> RegistryTables:
    definition = a_framework(joining=Joining(mode=mode), cap=cap)
    return RegistryTables(
        providers={each.provider_id: each for each in providers}, definitions={(FRAMEWORK, 1): definition}
    )


def an_officer(
    tables: RegistryTables, actor: str = "officer:first", *, at: datetime = MONDAY_NINE
) -> InMemoryRegistryWork:
    return build_unit_of_work(tables, actor=actor, at=at)


def get_published(work: InMemoryRegistryWork) -> list[tuple[PlaceState, bool]]:
    """Returns state and eligibility of the places in the last EligibilityChanged."""
    events = [each for each in work.published if isinstance(each, EligibilityChanged)]
    return [(each.state, each.eligible) for each in events[-1].places]


def list_pointers(error: InvalidInput) -> list[str]:
    return [field.pointer for field in error.fields]


async def test_one_officer_cannot_let_a_provider_join_a_closed_framework_later() -> None:
    tables = a_registry(a_provider())
    with pytest.raises(InvalidInput) as refused:
        await set_places(SetPlaces(ALDER, (LATE,)), an_officer(tables))
    assert list_pointers(refused.value) == ["#/places/0/joined_on"]


async def test_a_variation_takes_two_people_and_both_are_actors_of_events() -> None:
    tables = a_registry(a_provider())
    requested = an_officer(tables)
    await request_place(RequestPlace(ALDER, LATE, "VAR-17"), requested)
    assert get_published(requested) == [(PlaceState.APPLIED, False)]
    approved = an_officer(tables, "officer:second")
    await approve_place(ApprovePlace(ALDER, a_place()), approved)
    assert get_published(approved) == [(PlaceState.ACTIVE, True)]
    approval = tables.providers[ALDER].places[0].approval
    assert approval is not None
    assert (approval.requested_by, approval.approved_by) == ("officer:first", "officer:second")


@pytest.mark.parametrize("actor", ["officer:first", "system:first"])
async def test_the_same_person_cannot_approve_also_with_another_kind_of_token(actor: str) -> None:
    tables = a_registry(a_provider())
    await request_place(RequestPlace(ALDER, LATE, "VAR-17"), an_officer(tables))
    with pytest.raises(SameOfficer, match="another officer must approve it"):
        await approve_place(ApprovePlace(ALDER, a_place()), an_officer(tables, actor))


async def test_an_approval_can_be_repeated_and_needs_a_request() -> None:
    tables = a_registry(a_provider(places=[a_place(TENDRING)]))
    await request_place(RequestPlace(ALDER, LATE, "VAR-17"), an_officer(tables))
    for _ in range(2):
        await approve_place(ApprovePlace(ALDER, a_place()), an_officer(tables, "officer:second"))
    for place in (a_place(TENDRING), a_place(tier=Tiers.TWO)):
        with pytest.raises(PlaceNotFound):
            await approve_place(ApprovePlace(ALDER, place), an_officer(tables, "officer:second"))


async def test_a_full_tier_refuses_the_approval() -> None:
    tables = a_registry(a_provider(), a_provider("Birch", places=[a_place()]), cap=1)
    await request_place(RequestPlace(ALDER, LATE, "VAR-17"), an_officer(tables))
    with pytest.raises(NoPlaceLeft):
        await approve_place(ApprovePlace(ALDER, a_place()), an_officer(tables, "officer:second"))


async def test_an_approved_variation_stays_and_another_first_day_needs_a_new_one() -> None:
    tables = a_registry(a_provider())
    await request_place(RequestPlace(ALDER, LATE, "VAR-17"), an_officer(tables))
    await approve_place(ApprovePlace(ALDER, a_place()), an_officer(tables, "officer:second"))
    kept = await set_places(SetPlaces(ALDER, (LATE,)), an_officer(tables))
    assert kept.provider.places[0].is_active(MONDAY_NINE)
    moved = AskedPlace(a_place(), joined_on=date(2026, 3, 9))
    with pytest.raises(InvalidInput):
        await set_places(SetPlaces(ALDER, (moved,)), an_officer(tables))


async def test_a_variation_is_not_judged_again_when_another_day_is_corrected() -> None:
    tables = a_registry(a_provider())
    await request_place(RequestPlace(ALDER, LATE, "VAR-17"), an_officer(tables))
    corrected = AskedPlace(a_place(), applied_on=date(2026, 2, 1))
    for state in (PlaceState.APPLIED, PlaceState.ACTIVE):
        changed = await set_places(SetPlaces(ALDER, (corrected,)), an_officer(tables))
        assert changed.provider.places[0].get_state(MONDAY_NINE) is state
        await approve_place(ApprovePlace(ALDER, a_place()), an_officer(tables, "officer:second"))


async def test_an_interim_provider_takes_new_packages_by_an_exception_of_two_people_only() -> None:
    tables = a_registry(a_provider())
    interim = AskedPlace(a_place(), existing_until=date(2026, 6, 30))
    await set_places(SetPlaces(ALDER, (interim,)), work := an_officer(tables))
    assert get_published(work) == [(PlaceState.PAUSED, False)]
    with pytest.raises(InvalidInput) as refused:
        await set_places(SetPlaces(ALDER, (AskedPlace(a_place()),)), an_officer(tables))
    assert list_pointers(refused.value) == ["#/places/0/existing_until"]
    await request_place(RequestPlace(ALDER, AskedPlace(a_place()), "EXC-4"), an_officer(tables))
    await approve_place(ApprovePlace(ALDER, a_place()), work := an_officer(tables, "officer:second"))
    assert get_published(work) == [(PlaceState.ACTIVE, True)]


async def test_a_place_that_is_active_already_is_not_requested() -> None:
    tables = a_registry(a_provider(places=[a_place()]))
    with pytest.raises(PlaceInOtherState, match="is active"):
        await request_place(RequestPlace(ALDER, LATE, "VAR-17"), an_officer(tables))


async def test_places_are_mobilised_one_by_one() -> None:
    here, there = a_place(), a_place(TENDRING)
    places = [a_held_place(each, state=PlaceState.MOBILISING) for each in (here, there)]
    tables = a_registry(a_provider(places=places))
    changed = await mark_mobilised(MarkMobilised(ALDER, (there,)), an_officer(tables))
    assert {each.place: each.state for each in changed.provider.places} == {
        here: PlaceState.MOBILISING,
        there: PlaceState.ACTIVE,
    }


async def test_a_place_that_is_not_mobilising_is_named_and_nothing_changes() -> None:
    places = [a_held_place(state=PlaceState.MOBILISING), a_held_place(a_place(TENDRING), state=PlaceState.AWARDED)]
    tables = a_registry(a_provider(places=places))
    command = MarkMobilised(ALDER, (a_place(), a_place(TENDRING)))
    with pytest.raises(PlaceInOtherState, match=r"E07000076 .* is awarded, not mobilising"):
        await mark_mobilised(command, an_officer(tables))
    assert tables.providers[ALDER].places[0].state is PlaceState.MOBILISING


async def test_omitted_days_and_states_stay_and_an_award_has_a_day() -> None:
    tables = a_registry(a_provider(), mode=JoiningMode.OPEN)
    day = date(2026, 2, 1)
    steps = (
        AskedPlace(a_place(), applied_on=day, joined_on=date(2026, 4, 1), state=PlaceState.APPLIED),
        AskedPlace(a_place(), state=PlaceState.AWARDED),
        AskedPlace(a_place(), number=2),
    )
    for step in steps:
        await set_places(SetPlaces(ALDER, (step,)), an_officer(tables))
    (place,) = tables.providers[ALDER].places
    assert (place.applied_on, place.awarded_on, place.joined_on) == (day, MONDAY_NINE.date(), date(2026, 4, 1))
    assert (place.state, place.number) == (PlaceState.AWARDED, 2)


async def test_a_timer_reassesses_the_provider_on_the_next_day_on_which_something_changes() -> None:
    tables = a_registry(a_provider(), mode=JoiningMode.OPEN)
    asked = AskedPlace(a_place(), joined_on=date(2026, 4, 1), until=date(2026, 4, 30))
    work = an_officer(tables)
    await set_places(SetPlaces(ALDER, (asked,)), work)
    assert get_published(work) == [(PlaceState.AWARDED, False)]
    for begins, published in (
        (datetime(2026, 3, 31, 23, tzinfo=UTC), [(PlaceState.ACTIVE, True)]),
        (datetime(2026, 4, 30, 23, tzinfo=UTC), [(PlaceState.LEFT, False)]),
    ):
        assert work.timers[REASSESS, NEXT_DAY].at == begins
        work = an_officer(tables, at=begins)
        await reassess(ALDER, work)
        assert get_published(work) == published
    assert work.timers == {}


async def test_a_later_version_of_the_definition_counts_from_its_first_day_by_the_timer() -> None:
    tables = a_registry(a_provider())
    stricter = a_framework(version=2, tier_one=Rating.OUTSTANDING, in_force_from=date(2026, 4, 1))
    tables.definitions[FRAMEWORK, 2] = stricter
    work = an_officer(tables)
    await set_places(SetPlaces(ALDER, (AskedPlace(a_place()),)), work)
    assert get_published(work) == [(PlaceState.ACTIVE, True)]
    begins = work.timers[REASSESS, NEXT_DAY].at
    work = an_officer(tables, at=begins)
    await reassess(ALDER, work)
    assert (begins, get_published(work)) == (datetime(2026, 3, 31, 23, tzinfo=UTC), [(PlaceState.ACTIVE, False)])
