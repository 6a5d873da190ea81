"""Reasons are words of the framework's definition; others are refused with the list of those that are allowed."""

from collections.abc import Sequence

from contracts.errors import FieldError, InvalidInput
from contracts.ids import ReasonKey


def require_known_reason(reason: ReasonKey, allowed: Sequence[ReasonKey], pointer: str) -> None:
    """Raises InvalidInput with the allowed reasons for one that the definition does not declare."""
    if reason not in allowed:
        choices = ", ".join(allowed) or "none: the framework declares no such reason"
        raise InvalidInput(FieldError(pointer, f"is not a reason of this framework; choose one of {choices}"))
