"""`calloff competition`: the newest competition for a package, its invitations, bids and ranking."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from calloff.client import ApiResponse, ResponseModel
from calloff.commands.output import JsonOption, format_office_time, print_json, print_paragraph, run_command
from calloff.commands.providers import ProviderDirectory
from calloff.commands.tables import print_table
from calloff.connection import connect_to_stack
from devstack.names import SOURCING

_COLUMNS: Final = ("provider", "invited by", "bid", "rate", "quality", "price", "total")


class SummaryResponse(ResponseModel):
    competition_id: UUID


class SummariesResponse(ResponseModel):
    items: tuple[SummaryResponse, ...]


class InvitationResponse(ResponseModel):
    provider_id: UUID
    tier: str
    reasons: tuple[str, ...]


class OpenedResponse(ResponseModel):
    rate: str


class BidResponse(ResponseModel):
    bid_id: UUID
    provider_id: UUID
    opened: OpenedResponse | None


class RankedResponse(ResponseModel):
    bid_id: UUID
    rank: int
    quality: str
    price: str
    total: str
    unsuitable: tuple[str, ...]


class RankingResponse(ResponseModel):
    items: tuple[RankedResponse, ...]


class CompetitionResponse(ResponseModel):
    stage: str
    status: str
    closes_at: datetime
    ended: str | None
    missing_scores: int
    invitations: tuple[InvitationResponse, ...]
    bids: tuple[BidResponse, ...]
    awarded: UUID | None


def show_competition(package_id: UUID, *, as_json: JsonOption = False) -> None:
    """Show the newest competition for a package: who is invited, who has bid, and from the close on the ranking."""
    shown, ranking, names = run_command(_fetch(package_id))
    if as_json:
        print_json(shown.body)
        return
    competition = shown.parse(CompetitionResponse)
    print_paragraph(_describe_status(competition))
    rows = list(_list_rows(competition, ranking.parse(RankingResponse), names))
    print_table(_COLUMNS, rows, empty="No provider has a place by which it could be invited.")


def _describe_status(competition: CompetitionResponse) -> str:
    ended = f": {competition.ended}" if competition.ended else ""
    missing = f"; {competition.missing_scores} scores missing" if competition.missing_scores else ""
    closes = format_office_time(competition.closes_at)
    return f"{competition.stage}, {competition.status}{ended}; bids before {closes}{missing}"


def _list_rows(
    competition: CompetitionResponse, ranking: RankingResponse, names: Mapping[UUID, str]
) -> Iterator[tuple[object, ...]]:
    bids = {bid.provider_id: bid for bid in competition.bids}
    ranked = {each.bid_id: each for each in ranking.items}
    for each in competition.invitations:
        invited = each.tier if not each.reasons else f"not invited: {', '.join(each.reasons)}"
        bid = bids.get(each.provider_id)
        if bid is None:
            yield names[each.provider_id], invited, None, None, None, None, None
            continue
        place, rate = ranked.get(bid.bid_id), None if bid.opened is None else bid.opened.rate
        points = (None, None, None) if place is None else (place.quality, place.price, place.total)
        yield names[each.provider_id], invited, _describe_bid(competition, bid, place), rate, *points


def _describe_bid(competition: CompetitionResponse, bid: BidResponse, place: RankedResponse | None) -> str:
    if bid.bid_id == competition.awarded:
        return "awarded"
    if place is None:
        return "sealed" if bid.opened is None else "opened"
    return f"not suitable: {', '.join(place.unsuitable)}" if place.unsuitable else f"rank {place.rank}"


async def _fetch(package_id: UUID) -> tuple[ApiResponse, ApiResponse, Mapping[UUID, str]]:
    async with connect_to_stack() as stack:
        officer, path = stack.create_client("officer"), f"/v1/packages/{package_id}/competitions"
        found = (await officer.get(stack.get_url(SOURCING, path))).parse(SummariesResponse).items
        newest = f"{path}/{found[-1].competition_id}" if found else f"{path}/{UUID(int=0)}"
        shown = await officer.get(stack.get_url(SOURCING, newest))
        ranking = await officer.get(stack.get_url(SOURCING, f"{newest}/ranking"))
        providers = (each.provider_id for each in shown.parse(CompetitionResponse).invitations)
        return shown, ranking, await ProviderDirectory(stack).load_names(providers)
