"""Proposed versions of definitions: one officer proposes, another one approves."""

from dataclasses import dataclass
from datetime import datetime

from contracts.framework.definition import FrameworkDefinition
from contracts.ids import CouncilKey
from provider_registry.domain.errors import FrameworkTaken, ProposedByAnother, SameOfficer
from provider_registry.domain.two_people import is_same_person


@dataclass(frozen=True)
class Proposal:
    """The next version of a framework's definition, before another officer has approved it."""

    definition: FrameworkDefinition
    proposed_by: str
    """The actor, as in events."""
    proposed_at: datetime

    @property
    def revision(self) -> int:
        """A number that differs for each proposal: an approval can name what was read."""
        return int(self.proposed_at.timestamp() * 1_000_000)


def check_proposer(proposal: Proposal | None, *, actor: str, council: CouncilKey) -> None:
    """Raises FrameworkTaken or ProposedByAnother: only its proposer may replace or withdraw a proposal."""
    if proposal is None:
        return
    if proposal.definition.council != council:
        raise FrameworkTaken
    if not is_same_person(proposal.proposed_by, actor):
        raise ProposedByAnother(proposal.definition.version)


def check_second_person(proposal: Proposal, *, actor: str) -> None:
    """Raises SameOfficer for the person who proposed the version."""
    if is_same_person(proposal.proposed_by, actor):
        raise SameOfficer("proposed this version")
