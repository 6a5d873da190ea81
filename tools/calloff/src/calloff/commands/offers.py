"""`calloff offers`: the offers of one provider."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from calloff.client import ApiResponse, ResponseModel
from calloff.commands.output import JsonOption, format_office_time, print_json, run_command
from calloff.commands.providers import ProviderDirectory
from calloff.commands.tables import print_table
from calloff.connection import connect_to_stack
from devstack.issuer.identities import PROVIDER
from devstack.names import SOURCING

_COLUMNS = ("offer", "package", "status", "channel", "hours a week", "answer by")


class OfferResponse(ResponseModel):
    offer_id: UUID
    package_id: UUID
    status: str
    channel: str
    weekly_hours: str
    answer_by: datetime | None

    def to_row(self) -> tuple[object, ...]:
        answer_by = self.answer_by and format_office_time(self.answer_by)
        return self.offer_id, self.package_id, self.status, self.channel, self.weekly_hours, answer_by


class OfferPage(ResponseModel):
    items: tuple[OfferResponse, ...]


def list_offers(
    *,
    provider: Annotated[str, typer.Option(help="The provider's id, its name, or the number in its name.")],
    live: Annotated[bool, typer.Option(help="Only offers that can still be answered.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List a provider's offers, the newest first."""
    response = run_command(_fetch_offers(provider, live=live))
    if as_json:
        print_json(response.body)
        return
    rows = [offer.to_row() for offer in response.parse(OfferPage).items]
    print_table(_COLUMNS, rows, empty="No offer has been made to this provider.")


async def _fetch_offers(provider: str, *, live: bool) -> ApiResponse:
    async with connect_to_stack() as stack:
        provider_id = await ProviderDirectory(stack).find_id(provider)
        client = stack.create_client(f"{PROVIDER}{provider_id}")
        return await client.get(stack.get_url(SOURCING, "/v1/offers"), live=str(live).lower())
