"""Commands on the branches of a provider: registration and ratings, and officers' findings where they lie."""

from dataclasses import dataclass, replace
from decimal import Decimal

from contracts.errors import FieldError, InvalidInput
from contracts.ids import BranchId, FrameworkKey, ProviderId
from contracts.office_time import to_office_date
from provider_registry.domain.errors import BranchNotFound
from provider_registry.domain.provider import Branch, LocationFinding
from provider_registry.domain.ratings import NOT_RATED, NewRating, check_published_on
from provider_registry.handlers.provider_changes import (
    ProviderChange,
    load_definitions,
    load_provider,
    save_and_publish,
)
from provider_registry.ports import RegistryWork


@dataclass(frozen=True)
class PutBranch:
    """A branch's registration, and its ratings, which are added to those that are known."""

    provider_id: ProviderId
    branch: Branch
    rating: NewRating = NOT_RATED


@dataclass(frozen=True)
class RecordLocation:
    """An officer's finding where a branch lies; `miles` outside the boundary are 0 within it."""

    provider_id: ProviderId
    branch_id: BranchId
    framework: FrameworkKey
    within: bool
    miles: Decimal


async def put_branch(command: PutBranch, work: RegistryWork) -> ProviderChange:
    """Raises InvalidInput for a rating that is published more than a year ahead, or that corrects an unknown one."""
    today = to_office_date(work.now)
    check_published_on(command.rating.published_on, today=today)
    provider = await load_provider(command.provider_id, work)
    known = provider.find_branch(command.branch.branch_id) or command.branch
    ratings = known.ratings.add(command.rating, at=work.now, today=today)
    branch = replace(command.branch, ratings=ratings, findings=known.findings)
    return await save_and_publish(provider, provider.add_or_replace_branch(branch), work)


async def record_location(command: RecordLocation, work: RegistryWork) -> ProviderChange:
    """Records the finding with its officer. Raises BranchNotFound, and InvalidInput for an unknown framework."""
    provider = await load_provider(command.provider_id, work)
    branch = provider.find_branch(command.branch_id)
    if branch is None:
        raise BranchNotFound
    definitions = await load_definitions(provider, work, also=[command.framework])
    definition = definitions.get(command.framework)
    if definition is None or definition.council != provider.council:
        raise InvalidInput(
            FieldError("#/framework", "is not a framework of your council; publish its definition first")
        )
    finding = LocationFinding(command.framework, command.within, command.miles, work.cause.actor, work.now)
    found = replace(branch, findings=(*branch.findings, finding))
    return await save_and_publish(provider, provider.add_or_replace_branch(found), work)
