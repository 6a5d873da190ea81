"""Assigning a package to an officer, whose work list shows it."""

from contracts.events.officer_acts import OfficerAssigned
from sourcing.domain.draft import Draft
from sourcing.domain.officers.allowed_acts import Act, require_allowed
from sourcing.domain.officers.commands import AssignOfficer
from sourcing.domain.steps import Result


def assign_officer(draft: Draft, command: AssignOfficer) -> Result:
    """Assign the package, or take the assignment back; the same assignment again changes nothing.

    Raises ActNotPossible.
    """
    require_allowed(draft, Act.ASSIGN)
    if draft.search.acts.assigned_to != command.assigned_to:
        draft.publish(
            OfficerAssigned(
                package_id=draft.search.package_id, assigned_to=command.assigned_to, officer=command.officer
            )
        )
    return Result()
