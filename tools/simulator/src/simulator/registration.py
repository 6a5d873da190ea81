"""Registers a council's invented market: framework, providers, places, lists, endpoints and rates.

Registration is idempotent.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel

from calloff.client import ApiClient, ApiResponse, Request, ResponseModel
from contracts.events.providers import EmbargoReason
from contracts.ids import ItemKey, LotKey, ServiceTypeKey, TierKey
from contracts.values import PlaceState
from devstack.errors import ServiceRefused
from devstack.json_lines import JsonLinesWriter
from simulator.market import (
    InventedMarket,
    InventedPlace,
    InventedProvider,
    InventedRate,
    ProviderCondition,
    RankedList,
)
from simulator.providers import EndpointSecret, build_webhook_url

_ISSUED_BEFORE: Final = timedelta(days=8)
"""How long before its first day a ranked list is issued."""
RATED_ON: Final = date(2025, 6, 2)
_PROPOSED: Final = 202
_MAX_RETRIES: Final = 50
_RETRY_DELAY: Final = 0.2
_MAX_CONCURRENCY: Final = 12
"""Requests in flight at one time."""


class ProviderIn(BaseModel):
    provider_id: UUID
    name: str
    turnover: str
    turnover_evidence: str
    phone: str


class BranchIn(BaseModel):
    name: str
    outward_code: str
    domiciliary_care: bool
    rating: str
    published_on: date


class LocationIn(BaseModel):
    framework: str
    within: bool


class PlaceIn(BaseModel):
    framework: str
    lot: LotKey
    area: str
    tier: TierKey
    service_types: tuple[ServiceTypeKey, ...]
    number: int | None
    joined_on: date
    state: PlaceState


class PlacesIn(BaseModel):
    places: tuple[PlaceIn, ...]


class SpotAreasIn(BaseModel):
    areas: tuple[str, ...]


class RateIn(BaseModel):
    service_type: ServiceTypeKey
    item: ItemKey | None
    number: int | None
    rate: Decimal | None


class RatesIn(BaseModel):
    valid_from: date
    rates: tuple[RateIn, ...]


class EmbargoIn(BaseModel):
    reason: EmbargoReason


class CapacityIn(BaseModel):
    area: str
    free_hours: str


class EndpointIn(BaseModel):
    url: str


class ProposedOut(ResponseModel):
    """A version of a framework's definition that a second officer has to approve."""

    framework: str
    version: int


class SecretOut(ResponseModel):
    secret: str | None = None


class ListIn(BaseModel):
    list_version: Literal[1]
    issued_on: date
    live_from: date
    ranking: tuple[UUID, ...]


class MarketRegistrar:
    """Registers a market as the council's market team does. `progress` is called with the share done, 0 to 1.

    `second_client` is a second officer's, who approves the definitions that the first one proposes. `receivers_url` is
    the address of the providers' systems; without it no provider has one, and all are telephoned.
    """

    def __init__(
        self,
        client: ApiClient,
        registry_url: str,
        pricing_url: str,
        *,
        second_client: ApiClient,
        receivers_url: str | None,
        secrets: JsonLinesWriter[EndpointSecret],
        is_known: Callable[[UUID], bool],
        progress: Callable[[float], None],
    ) -> None:
        self._client = client
        self._second_client = second_client
        self._registry_url = registry_url
        self._pricing_url = pricing_url
        self._receivers_url = receivers_url
        self._secrets = secrets
        self._is_known = is_known
        self._progress = progress

    async def register_market(self, market: InventedMarket, definitions: Sequence[bytes], *, today: date) -> None:
        """Register frameworks, providers, ranked lists and rates, in the order of their references.

        `today` is the first day of the rates.
        """
        for text in definitions:
            await self._publish_definition(text)
        await self._run_all([self._register_provider(provider, market) for provider in market.providers], up_to=0.7)
        await self._run_all([self._register_list(ranked, market) for ranked in market.lists], up_to=0.75)
        rated = [provider for provider in market.providers if provider.rates]
        await self._run_all([self._select_rates(provider, market, today) for provider in rated], up_to=1.0)

    async def _publish_definition(self, text: bytes) -> None:
        """Propose a definition, and approve it as a second officer unless it was published before."""
        url = f"{self._registry_url}/v1/frameworks"
        proposed = await self._client.send(Request("POST", url, body=text, content_type="application/yaml"))
        if proposed.status == _PROPOSED:
            version = proposed.parse(ProposedOut)
            await self._second_client.post(f"{url}/{version.framework}/versions/{version.version}/approval")

    async def move_endpoints(self, market: InventedMarket) -> None:
        """Register the endpoints again with the current address of the providers' systems."""
        receivers_url = self._receivers_url
        if receivers_url is not None:
            providers = [provider for provider in market.providers if provider.has_system]
            await self._run_all([self._register_endpoint(each, receivers_url) for each in providers], up_to=1.0)

    async def _run_all(self, requests: Sequence[Coroutine[Any, Any, None]], *, up_to: float) -> None:
        """Run the requests, `_MAX_CONCURRENCY` at a time, and report progress up to `up_to`."""
        semaphore, done = asyncio.Semaphore(_MAX_CONCURRENCY), 0

        async def run_one(request: Coroutine[Any, Any, None]) -> None:
            nonlocal done
            async with semaphore:
                await request
            done += 1
            self._progress(up_to * done / len(requests))

        await asyncio.gather(*[run_one(work) for work in requests])

    async def _register_provider(self, provider: InventedProvider, market: InventedMarket) -> None:
        await self._client.post(f"{self._registry_url}/v1/providers", _build_profile(provider))
        await self._client.put(self._build_url(provider, f"branches/{provider.branch_id}"), _build_branch(provider))
        if provider.spot_areas:
            areas = SpotAreasIn(areas=provider.spot_areas)
            await self._client.send(Request("PUT", self._build_url(provider, "spot-areas"), body=areas, if_match="*"))
        if provider.places:
            await self._register_places(provider, market)
        if provider.has_system and self._receivers_url is not None:
            await self._register_endpoint(provider, self._receivers_url)
        if provider.condition is ProviderCondition.EMBARGOED:
            await self._client.post(
                self._build_url(provider, "embargo"), EmbargoIn(reason=EmbargoReason.PROVIDER_REQUEST)
            )
        for area in provider.areas if provider.places else ():
            free = CapacityIn(area=area, free_hours=f"{provider.free_hours}.00")
            await self._client.post(self._build_url(provider, "capacity"), free)

    async def _register_places(self, provider: InventedProvider, market: InventedMarket) -> None:
        if market.checks_location:
            finding = LocationIn(framework=market.framework, within=True)
            await self._client.post(self._build_url(provider, f"branches/{provider.branch_id}/location"), finding)
        places = PlacesIn(places=tuple(_build_place(place, market.framework) for place in provider.places))
        await self._client.put(self._build_url(provider, "places"), places)

    async def _select_rates(self, provider: InventedProvider, market: InventedMarket, today: date) -> None:
        """Select the provider's rates. The request is retried until pricing has received the definition from Kafka."""
        for area, rates in provider.rates.items():
            url = f"{self._pricing_url}/v1/providers/{provider.provider_id}/rates/{market.framework}/{area}"
            body = RatesIn(valid_from=today, rates=tuple(map(_build_rate, rates)))
            await retry_until_known(lambda url=url, body=body: self._client.put(url, body))

    async def _register_endpoint(self, provider: InventedProvider, receivers_url: str) -> None:
        """Register the endpoint and log its secret. The secret is returned once; a lost one is rotated."""
        url = self._build_url(provider, "endpoint")
        endpoint = EndpointIn(url=build_webhook_url(receivers_url, provider.provider_id))
        secret = (await self._client.put(url, endpoint)).parse(SecretOut).secret
        if secret is None and not self._is_known(provider.provider_id):
            secret = (await self._client.post(f"{url}/rotation")).parse(SecretOut).secret
        if secret is not None:
            self._secrets.write(
                EndpointSecret(provider_id=provider.provider_id, secret=secret, council=provider.council)
            )

    async def _register_list(self, ranked: RankedList, market: InventedMarket) -> None:
        lot = f"{self._registry_url}/v1/frameworks/{market.framework}/lots/{ranked.lot}"
        url = f"{lot}/areas/{ranked.area}/tiers/{ranked.tier}/lists"
        issued_on = market.live_from - _ISSUED_BEFORE
        body = ListIn(list_version=1, issued_on=issued_on, live_from=market.live_from, ranking=ranked.ranking)
        await self._client.post(url, body)

    def _build_url(self, provider: InventedProvider, part: str) -> str:
        return f"{self._registry_url}/v1/providers/{provider.provider_id}/{part}"


def _build_profile(provider: InventedProvider) -> ProviderIn:
    return ProviderIn(
        provider_id=provider.provider_id,
        name=provider.name,
        turnover=f"{provider.turnover}.00",
        turnover_evidence="invented accounts of 2023/24",
        phone=f"01632 960{provider.number % 1000:03}",  # Ofcom reserves these numbers for drama and tests
    )


def _build_branch(provider: InventedProvider) -> BranchIn:
    return BranchIn(
        name=f"{provider.name} office",
        outward_code=provider.outward_code,
        domiciliary_care=True,
        rating=provider.rating.value,
        published_on=RATED_ON,
    )


def _build_place(place: InventedPlace, framework: str) -> PlaceIn:
    """Build an active place."""
    return PlaceIn(
        framework=framework,
        lot=place.lot,
        area=place.area,
        tier=place.tier,
        service_types=place.service_types,
        number=place.number,
        joined_on=place.joined_on,
        state=PlaceState.ACTIVE,
    )


def _build_rate(rate: InventedRate) -> RateIn:
    return RateIn(service_type=rate.service_type, item=rate.item, number=rate.number, rate=rate.rate)


async def retry_until_known(send: Callable[[], Coroutine[Any, Any, ApiResponse]]) -> ApiResponse:
    """Retry a request that is answered with 404 or with Retry-After. Raises ServiceRefused after the last attempt."""
    for _ in range(_MAX_RETRIES):
        try:
            return await send()
        except ServiceRefused as refused:
            if refused.status != 404 and refused.retry_after is None:
                raise
        await asyncio.sleep(_RETRY_DELAY)
    return await send()
