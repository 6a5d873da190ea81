"""What happens next to a package, in words, with the names of providers."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from calloff.client import ResponseModel

_NOTHING: Final = "nothing: "
"""Begins the text where nothing follows."""


class NextStepResponse(ResponseModel):
    """`next_step` of sourcing's decision."""

    text: str
    provider_id: UUID | None = None
    rank: int | None = None


def describe_next_step(step: NextStepResponse, names: Mapping[UUID, str]) -> str:
    """`step.text` with the provider's name: sourcing knows providers by id and rank only."""
    if step.text.startswith(_NOTHING):
        return f"none; {step.text.removeprefix(_NOTHING)}"
    if step.provider_id is None:
        return step.text
    name = names.get(step.provider_id, str(step.provider_id))
    for phrase in (f"the provider with rank {step.rank}", "the provider"):
        if phrase in step.text:
            return step.text.replace(phrase, name, 1)
    return f"{step.text} ({name})"
