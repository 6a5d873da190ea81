"""What providers and officers see of a search: offers, the work list, and why a package went where it went."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from calloff.client import Answer, Reading
from calloff.commands.names import district_name, provider_id_of, provider_name
from calloff.commands.output import Json, carry_out, connected, office_time, out, print_json, print_table
from devstack.issuer.identities import PROVIDER
from devstack.names import SOURCING
from simulator.officer import WorkList


class OfferSeen(Reading):
    offer_id: UUID
    package_id: UUID
    status: str
    channel: str
    weekly_hours: str
    answer_by: datetime | None
    allowed_actions: tuple[str, ...]

    def row(self) -> tuple[object, ...]:
        answer_by = self.answer_by and office_time(self.answer_by)
        return self.offer_id, self.package_id, self.status, self.channel, self.weekly_hours, answer_by


class OfferPage(Reading):
    items: tuple[OfferSeen, ...]


class TurnSeen(Reading):
    provider_id: UUID
    rank: int
    outcome: str
    reasons: tuple[str, ...]

    def row(self) -> tuple[object, ...]:
        return self.rank, provider_name(self.provider_id), self.outcome, ", ".join(self.reasons)


class StageSeen(Reading):
    stage: str
    list_version: int
    turns: tuple[TurnSeen, ...]


class DecisionSeen(Reading):
    status: str
    area: str
    stages: tuple[StageSeen, ...]
    placed_with: UUID | None
    missing: tuple[str, ...]


def offers(
    *,
    provider: Annotated[str, typer.Option(help="A provider's id, or the number in its invented name.")],
    live: Annotated[bool, typer.Option(help="Only those that can still be answered.")] = False,
    as_json: Json = False,
) -> None:
    """A provider's offers, the newest first."""
    answer = carry_out(_offers(provider_id_of(provider), live=live))
    if as_json:
        print_json(answer.body)
        return
    rows = [each.row() for each in answer.as_(OfferPage).items]
    print_table(
        ("offer", "package", "status", "channel", "hours a week", "answer by"), rows, nothing="No offer was made yet."
    )


async def _offers(provider_id: UUID, *, live: bool) -> Answer:
    async with connected() as here:
        caller = here.as_(f"{PROVIDER}{provider_id}")
        return await caller.get(here.url(SOURCING, "/v1/offers"), live=str(live).lower())


def work_list(*, as_json: Json = False) -> None:
    """What stands still until an officer acts."""
    answer = carry_out(_work_list())
    if as_json:
        print_json(answer.body)
        return
    rows = [
        (item.what, item.package_id, item.stage, item.offer_id, item.attempt, ", ".join(item.missing))
        for item in answer.as_(WorkList).items
    ]
    columns = ("what", "package", "stage", "offer", "attempt", "missing")
    print_table(columns, rows, nothing="Nothing waits for an officer.")


async def _work_list() -> Answer:
    async with connected() as here:
        return await here.as_("officer").get(here.url(SOURCING, "/v1/work-list"))


def decision(package_id: UUID, *, as_json: Json = False) -> None:
    """Who was asked in which order, who was passed over, and why."""
    answer = carry_out(_decision(package_id))
    if as_json:
        print_json(answer.body)
        return
    seen = answer.as_(DecisionSeen)
    placed_with = f", with {provider_name(seen.placed_with)}" if seen.placed_with else ""
    missing = f"; missing: {', '.join(seen.missing)}" if seen.missing else ""
    out.print(f"{seen.status} in {district_name(seen.area)}{placed_with}{missing}", soft_wrap=True)
    for stage in seen.stages:
        out.print(f"{stage.stage}, ranked list {stage.list_version}")
        rows = [turn.row() for turn in stage.turns]
        print_table(("rank", "provider", "outcome", "reasons"), rows, nothing="Nobody had a turn yet.")


async def _decision(package_id: UUID) -> Answer:
    async with connected() as here:
        return await here.as_("officer").get(here.url(SOURCING, f"/v1/packages/{package_id}/decision"))
