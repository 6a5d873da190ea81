"""Commands on the places of a provider: setting them, mobilising them, and requests that two people decide."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from contracts.errors import FieldError, InvalidInput
from contracts.ids import FrameworkKey, ProviderId
from contracts.values import PlaceState
from provider_registry.domain.asked_places import (
    AskedPlace,
    build_place,
    find_errors_of_any_place,
    find_place_errors,
)
from provider_registry.domain.errors import PlaceInOtherState, PlaceNotFound, SameOfficer
from provider_registry.domain.place_rules import check_places_are_free, find_duplicate
from provider_registry.domain.places import FrameworkPlace, PlaceApproval, ProviderPlace
from provider_registry.domain.provider import Definitions, Provider, sort_places
from provider_registry.domain.two_people import is_same_person
from provider_registry.handlers.provider_changes import (
    ProviderChange,
    load_definitions,
    load_provider,
    save_and_publish,
)
from provider_registry.ports import RegistryWork


@dataclass(frozen=True)
class SetPlaces:
    """All places of the provider, in the caller's order."""

    provider_id: ProviderId
    places: tuple[AskedPlace, ...]


@dataclass(frozen=True)
class MarkMobilised:
    """Places in which the provider is ready for work."""

    provider_id: ProviderId
    places: tuple[FrameworkPlace, ...]


@dataclass(frozen=True)
class RequestPlace:
    """Requests a place against the rules: a variation of a closed framework, or an exception of an interim provider."""

    provider_id: ProviderId
    asked: AskedPlace
    because: str


@dataclass(frozen=True)
class ApprovePlace:
    provider_id: ProviderId
    place: FrameworkPlace


async def set_places(command: SetPlaces, work: RegistryWork) -> ProviderChange:
    """Sets all places or none. Raises InvalidInput or NoPlaceLeft."""
    provider = await load_provider(command.provider_id, work)
    own = await _load_own_definitions(provider, {each.place.framework for each in command.places}, work)
    built = [_build(each, provider, own, work) for each in command.places]
    wrong = [error for position in range(len(built)) for error in _find_errors(built, position, provider, own, work)]
    if wrong:
        raise InvalidInput(*wrong)
    changed = replace(provider, places=sort_places(tuple(built)))
    await _check_caps(provider, changed, own, work)
    return await save_and_publish(provider, changed, work)


async def mark_mobilised(command: MarkMobilised, work: RegistryWork) -> ProviderChange:
    """Makes mobilising places active; an active one stays so. Raises PlaceNotFound or PlaceInOtherState."""
    provider = await load_provider(command.provider_id, work)
    found = [_get_place(provider, each) for each in command.places]
    ready = {PlaceState.MOBILISING, PlaceState.ACTIVE}
    wrong = [f"{each.place} is {each.state}, not mobilising" for each in found if each.state not in ready]
    if wrong:
        raise PlaceInOtherState(wrong)
    changed = provider
    for each in found:
        changed = changed.add_or_replace_place(each.change_state(PlaceState.ACTIVE, work.now))
    return await save_and_publish(provider, changed, work)


async def request_place(command: RequestPlace, work: RegistryWork) -> ProviderChange:
    """Records the place as applied for, until another officer approves it. Raises InvalidInput or PlaceInOtherState."""
    provider, asked = await load_provider(command.provider_id, work), command.asked
    known = provider.find_place(asked.place)
    if known is not None and (known.existing_until is None or known.approval is not None):
        raise PlaceInOtherState([f"{known.place} is {known.get_state(work.now)}; a request is for another place"])
    own = await _load_own_definitions(provider, {asked.place.framework}, work)
    until = asked.existing_until or (None if known is None else known.existing_until)
    built = _build(replace(asked, existing_until=until), provider, own, work)
    wrong = [*find_errors_of_any_place(built, known, own.get(asked.place.framework))]
    if wrong:
        raise InvalidInput(*(FieldError(f"#/{each.pointer}", each.detail) for each in wrong))
    approval = PlaceApproval(command.because, work.cause.actor, work.now)
    changed = provider.add_or_replace_place(replace(built, approval=approval))
    return await save_and_publish(provider, changed, work)


async def approve_place(command: ApprovePlace, work: RegistryWork) -> ProviderChange:
    """Gives the place its state. Raises PlaceNotFound, SameOfficer or NoPlaceLeft; a repeat changes nothing."""
    provider = await load_provider(command.provider_id, work)
    known = _get_place(provider, command.place)
    if known.approval is None:
        raise PlaceNotFound
    changed = provider
    if known.approval.approved_at is None:
        if is_same_person(known.approval.requested_by, work.cause.actor):
            raise SameOfficer("requested this place")
        approval = replace(known.approval, approved_by=work.cause.actor, approved_at=work.now)
        changed = provider.add_or_replace_place(replace(known, approval=approval))
        own = await _load_own_definitions(provider, {command.place.framework}, work)
        await _check_caps(provider, changed, own, work)
    return await save_and_publish(provider, changed, work)


async def _load_own_definitions(provider: Provider, also: set[FrameworkKey], work: RegistryWork) -> Definitions:
    definitions = await load_definitions(provider, work, also=also)
    return {key: each for key, each in definitions.items() if each.council == provider.council}


def _get_place(provider: Provider, place: FrameworkPlace) -> ProviderPlace:
    found = provider.find_place(place)
    if found is None:
        raise PlaceNotFound
    return found


def _build(asked: AskedPlace, provider: Provider, own: Definitions, work: RegistryWork) -> ProviderPlace:
    return build_place(asked, provider.find_place(asked.place), own.get(asked.place.framework), at=work.now)


def _find_errors(
    places: list[ProviderPlace], position: int, provider: Provider, own: Definitions, work: RegistryWork
) -> Iterator[FieldError]:
    built, pointer = places[position], f"#/places/{position}"
    known, definition = provider.find_place(built.place), own.get(built.place.framework)
    found: Iterable[FieldError] = find_place_errors(built, known, definition, at=work.now)
    for error in (*found, *find_duplicate([each.place for each in places], position)):
        yield FieldError(f"{pointer}/{error.pointer}".rstrip("/"), error.detail)


async def _check_caps(before: Provider, after: Provider, own: Definitions, work: RegistryWork) -> None:
    """Checks the caps of places that the provider did not hold. What it holds or leaves is watched to the commit."""
    held = {each.place for each in before.places if each.is_held(work.now)}
    holds = {each.place for each in after.places if each.is_held(work.now)}
    holders = await work.providers.watch_holders(held ^ holds)
    counts = {place: len(found - {after.provider_id}) for place, found in holders.items()}
    check_places_are_free(sorted(holds - held), counts, own)
