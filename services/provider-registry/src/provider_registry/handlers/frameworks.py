"""Commands on definitions: one officer proposes the next version, another one approves it, and it is published."""

from collections.abc import Callable
from dataclasses import dataclass

from contracts.events.frameworks import FrameworkPublished
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import CouncilKey, FrameworkKey
from provider_registry.domain.errors import ProposalNotFound
from provider_registry.domain.proposals import Proposal, check_proposer, check_second_person
from provider_registry.domain.publishing import check_owner, check_proclaimed_days, is_new_version
from provider_registry.ports import RegistryWork


@dataclass(frozen=True)
class ProposeFramework:
    definition: FrameworkDefinition


@dataclass(frozen=True)
class ApproveFramework:
    """`expect` raises if the proposal's revision differs from the one that the caller has read."""

    framework: FrameworkKey
    version: int
    expect: Callable[[int], None]


@dataclass(frozen=True)
class WithdrawProposal:
    framework: FrameworkKey
    version: int


@dataclass(frozen=True)
class ProposalOutcome:
    """The proposal; None if this version was published before with the same content."""

    definition: FrameworkDefinition
    proposal: Proposal | None


@dataclass(frozen=True)
class FrameworkOutcome:
    """The published definition; `is_new` is False if this version was published before."""

    definition: FrameworkDefinition
    is_new: bool


async def propose_framework(command: ProposeFramework, work: RegistryWork) -> ProposalOutcome:
    """Keeps the next version until another officer approves it; the proposer may replace it until then."""
    definition, council = command.definition, CouncilKey(work.cause.council)
    newest = (await work.frameworks.load_newest([definition.framework])).get(definition.framework)
    check_owner(definition, council=council, newest=newest)
    known = await work.frameworks.find_proposal(definition.framework)
    is_new = is_new_version(
        definition,
        version=definition.version,
        newest=newest.version if newest is not None else 0,
        published=await work.frameworks.load_version(definition.framework, definition.version),
    )
    if not is_new:
        return ProposalOutcome(definition, None)
    check_proposer(known, actor=work.cause.actor, council=council)
    check_proclaimed_days(definition, newest=newest)
    if known is not None and known.definition == definition:
        return ProposalOutcome(definition, known)
    proposal = Proposal(definition, work.cause.actor, work.now)
    await work.frameworks.save_proposal(proposal)
    return ProposalOutcome(definition, proposal)


async def approve_framework(command: ApproveFramework, work: RegistryWork) -> FrameworkOutcome:
    """Publishes the proposed version and schedules a reassessment of every provider with a place.

    Raises ProposalNotFound, and SameOfficer for its proposer. The approval of a published version changes nothing.
    """
    proposal = await _find_own_proposal(command.framework, command.version, work)
    if proposal is None:
        published = await work.frameworks.load_version(command.framework, command.version)
        if published is None or published.council != work.cause.council:
            raise ProposalNotFound
        return FrameworkOutcome(published, is_new=False)
    check_second_person(proposal, actor=work.cause.actor)
    command.expect(proposal.revision)
    definition = proposal.definition
    await work.frameworks.add(proposal, approved_by=work.cause.actor)
    await work.frameworks.remove_proposal(definition.framework)
    await work.providers.schedule_reassessment(definition.framework)
    work.publish(FrameworkPublished(definition=definition))
    return FrameworkOutcome(definition, is_new=True)


async def withdraw_proposal(command: WithdrawProposal, work: RegistryWork) -> None:
    """Raises ProposalNotFound, and ProposedByAnother for another officer than its proposer."""
    proposal = await _find_own_proposal(command.framework, command.version, work)
    if proposal is None:
        raise ProposalNotFound
    check_proposer(proposal, actor=work.cause.actor, council=CouncilKey(work.cause.council))
    await work.frameworks.remove_proposal(command.framework)


async def _find_own_proposal(framework: FrameworkKey, version: int, work: RegistryWork) -> Proposal | None:
    """Returns the proposal of this version, if it is the caller's council's."""
    proposal = await work.frameworks.find_proposal(framework)
    wanted = (version, work.cause.council)
    if proposal is None or (proposal.definition.version, proposal.definition.council) != wanted:
        return None
    return proposal
