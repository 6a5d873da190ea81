"""Versions of the council's frameworks: which of them applies on a day."""

from collections.abc import Iterable, Sequence
from datetime import date

from contracts.errors import FieldError, InvalidInput
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import FrameworkKey, ReasonKey
from referral.domain.errors import FrameworksNotKnown


def list_in_force(versions: Iterable[FrameworkDefinition], today: date) -> Sequence[FrameworkDefinition]:
    """Returns of each framework that runs today the newest version whose first day has come."""
    return [each for each in _list_begun(versions, today).values() if today <= each.runs_until]


def check_withdrawal_reason(
    reason: ReasonKey, versions: Iterable[FrameworkDefinition], framework: FrameworkKey, *, today: date
) -> None:
    """Raises InvalidInput for a reason that the framework does not declare.

    The newest version whose first day has come decides; packages can outlive their framework. Raises FrameworksNotKnown
    if there is none.
    """
    definition = _list_begun(versions, today).get(framework)
    if definition is None:
        raise FrameworksNotKnown
    allowed = definition.reasons.list_keys(definition.reasons.withdrawal)
    if reason not in allowed:
        choices = " or ".join(allowed)
        raise InvalidInput(FieldError("#/reason", f"is not a reason of the framework {framework}; choose {choices}"))


def _list_begun(versions: Iterable[FrameworkDefinition], today: date) -> dict[FrameworkKey, FrameworkDefinition]:
    begun = (each for each in versions if each.first_day <= today)
    return {each.framework: each for each in sorted(begun, key=lambda each: each.version)}
