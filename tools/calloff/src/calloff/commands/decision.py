"""`calloff decision`: what happens next to a package, which providers were asked, and why others were not."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final
from uuid import UUID

from calloff.area_names import get_area_name
from calloff.client import ApiResponse, ResponseModel
from calloff.commands.next_steps import NextStepResponse, describe_next_step
from calloff.commands.output import JsonOption, print_json, print_paragraph, run_command
from calloff.commands.providers import ProviderDirectory
from calloff.commands.tables import print_table
from calloff.connection import StackConnection, connect_to_stack
from contracts.ids import AreaCode
from devstack.names import SOURCING

_WITHOUT_TURN: Final = ("not asked yet", "not reached")
"""Outcomes of candidates that had no turn; these are listed in one line."""
_COLUMNS = ("rank", "provider", "outcome", "reasons")


class TurnResponse(ResponseModel):
    provider_id: UUID
    rank: int | None
    outcome: str
    reasons: tuple[str, ...]

    def to_row(self, names: Mapping[UUID, str]) -> tuple[object, ...]:
        return self.rank, names[self.provider_id], self.outcome, ", ".join(self.reasons)


class ListResponse(ResponseModel):
    """A ranked list that a stage works through."""

    tier: str
    group: str | None = None
    list_version: int

    def describe(self) -> str:
        group = "" if self.group is None else f" ({self.group})"
        return f"ranked list {self.list_version} of {self.tier}{group}"


class StageResponse(ResponseModel):
    stage: str
    order: tuple[str, ...] = ()
    lists: tuple[ListResponse, ...] = ()
    turns: tuple[TurnResponse, ...]


class DecisionResponse(ResponseModel):
    status: str
    area: str
    stages: tuple[StageResponse, ...]
    placed_with: UUID | None
    missing: tuple[str, ...]
    next_step: NextStepResponse | None = None

    def list_provider_ids(self) -> Iterator[UUID | None]:
        yield self.placed_with
        yield None if self.next_step is None else self.next_step.provider_id
        yield from (turn.provider_id for stage in self.stages for turn in stage.turns)


def show_decision(package_id: UUID, *, as_json: JsonOption = False) -> None:
    """Show what happens next to a package, and for each stage who was asked, who was passed over, and why."""
    response, names = run_command(_fetch_decision(package_id))
    if as_json:
        print_json(response.body)
        return
    decision = response.parse(DecisionResponse)
    print_paragraph(_describe_status(decision, names))
    if decision.next_step is not None:
        print_paragraph(f"next step: {describe_next_step(decision.next_step, names)}")
    for stage in decision.stages:
        _print_stage(stage, names)


def _describe_status(decision: DecisionResponse, names: Mapping[UUID, str]) -> str:
    placed_with = f", with {names[decision.placed_with]}" if decision.placed_with else ""
    missing = f"; missing: {', '.join(decision.missing)}" if decision.missing else ""
    return f"{decision.status} in {get_area_name(AreaCode(decision.area))}{placed_with}{missing}"


def _print_stage(stage: StageResponse, names: Mapping[UUID, str]) -> None:
    """One row for each provider that had a turn; the others in one line, in the order of rank."""
    print_paragraph(", ".join([stage.stage, *_describe_order(stage)]))
    turns = [turn for turn in stage.turns if turn.outcome not in _WITHOUT_TURN]
    if turns:
        print_table(_COLUMNS, [turn.to_row(names) for turn in turns], empty="")
    for line in _describe_others(stage.turns, names):
        print_paragraph(line)
    if not stage.turns:
        print_paragraph("No provider has had a turn.")


def _describe_order(stage: StageResponse) -> Iterator[str]:
    """Yields the ranked lists of a stage; without one, what decides who comes first."""
    yield from (each.describe() for each in stage.lists)
    if stage.order and not stage.lists:
        yield f"by {', then '.join(stage.order)}"


def _describe_others(turns: Sequence[TurnResponse], names: Mapping[UUID, str]) -> Iterator[str]:
    others = sorted((turn for turn in turns if turn.outcome in _WITHOUT_TURN), key=lambda turn: turn.outcome)
    for outcome, group in groupby(others, key=lambda turn: turn.outcome):
        yield f"{outcome}: {', '.join(names[turn.provider_id] for turn in group)}"


async def _fetch_decision(package_id: UUID) -> tuple[ApiResponse, Mapping[UUID, str]]:
    async with connect_to_stack() as stack:
        response = await fetch_decision(stack, package_id)
        provider_ids = response.parse(DecisionResponse).list_provider_ids()
        return response, await ProviderDirectory(stack).load_names(provider_ids)


async def fetch_decision(stack: StackConnection, package_id: UUID) -> ApiResponse:
    """Sourcing's decision about a package, read as an officer."""
    return await stack.create_client("officer").get(stack.get_url(SOURCING, f"/v1/packages/{package_id}/decision"))
