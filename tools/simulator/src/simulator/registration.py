"""Registers the invented market: framework, providers, lists, endpoints and rates. Registration is idempotent."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import date
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel

from calloff.client import ApiClient, ApiResponse, Request, ResponseModel
from contracts.events.providers import EmbargoReason
from contracts.values import ServiceType
from devstack.errors import ServiceRefused
from devstack.json_lines import JsonLinesWriter
from simulator.market import InventedMarket, InventedProvider, ProviderCondition, RankedList
from simulator.providers import EndpointSecret, build_webhook_url

FRAMEWORK: Final = "essex-live-at-home-2025"
ISSUED_ON: Final = date(2025, 11, 1)
LIVE_FROM: Final = date(2025, 11, 9)
"""The framework's first day (its definition's `runs_from`)."""
RATED_ON: Final = date(2025, 6, 2)
_MAX_RETRIES: Final = 50
_RETRY_DELAY: Final = 0.2
_MAX_CONCURRENCY: Final = 12
"""Requests in flight at one time."""


class ProviderIn(BaseModel):
    provider_id: UUID
    name: str
    service_types: tuple[ServiceType, ...]
    turnover: str
    phone: str


class BranchIn(BaseModel):
    name: str
    outward_code: str
    domiciliary_care: bool
    rating: str
    published_on: date


class MembershipIn(BaseModel):
    framework: str
    area: str
    tier: int


class MembershipsIn(BaseModel):
    memberships: tuple[MembershipIn, ...]


class SpotAreasIn(BaseModel):
    areas: tuple[str, ...]


class RateIn(BaseModel):
    service_type: ServiceType
    number: int


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


class SecretOut(ResponseModel):
    secret: str | None = None


class ListIn(BaseModel):
    list_version: Literal[1]
    issued_on: date
    live_from: date
    ranking: tuple[UUID, ...]


class MarketRegistrar:
    """Registers a market as the council's market team does. `progress` is called with the share done, 0 to 1.

    `receivers_url` is the address of the providers' systems; without it no provider has one, and all are telephoned.
    """

    def __init__(
        self,
        client: ApiClient,
        registry_url: str,
        pricing_url: str,
        *,
        receivers_url: str | None,
        secrets: JsonLinesWriter[EndpointSecret],
        is_known: Callable[[UUID], bool],
        progress: Callable[[float], None],
    ) -> None:
        self._client = client
        self._registry_url = registry_url
        self._pricing_url = pricing_url
        self._receivers_url = receivers_url
        self._secrets = secrets
        self._is_known = is_known
        self._progress = progress

    async def register_market(self, market: InventedMarket, definitions: Sequence[bytes], *, today: date) -> None:
        """Register frameworks, providers, ranked lists and rates, in the order of their references."""
        for text in definitions:
            url = f"{self._registry_url}/v1/frameworks"
            await self._client.send(Request("POST", url, body=text, content_type="application/yaml"))
        await self._run_all([self._register_provider(provider) for provider in market.providers], up_to=0.7)
        await self._run_all([self._register_list(ranked) for ranked in market.lists], up_to=0.75)
        framework_providers = [provider for provider in market.providers if provider.tier is not None]
        await self._run_all([self._select_rates(provider, today) for provider in framework_providers], up_to=1.0)

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

    async def _register_provider(self, provider: InventedProvider) -> None:
        await self._client.post(f"{self._registry_url}/v1/providers", _build_profile(provider))
        await self._client.put(self._build_url(provider, f"branches/{provider.branch_id}"), _build_branch(provider))
        if provider.tier is None:
            areas = SpotAreasIn(areas=provider.areas)
            await self._client.send(Request("PUT", self._build_url(provider, "spot-areas"), body=areas, if_match="*"))
        else:
            await self._client.put(
                self._build_url(provider, "memberships"), _build_memberships(provider, provider.tier)
            )
        if provider.has_system and self._receivers_url is not None:
            await self._register_endpoint(provider, self._receivers_url)
        if provider.condition is ProviderCondition.EMBARGOED:
            await self._client.post(
                self._build_url(provider, "embargo"), EmbargoIn(reason=EmbargoReason.PROVIDER_REQUEST)
            )
        for area in provider.areas if provider.tier is not None else ():
            free = CapacityIn(area=area, free_hours=f"{provider.free_hours}.00")
            await self._client.post(self._build_url(provider, "capacity"), free)

    async def _select_rates(self, provider: InventedProvider, today: date) -> None:
        """Select the provider's rates. The request is retried until pricing has received the definition from Kafka."""
        body = RatesIn(
            valid_from=today,
            rates=tuple(RateIn(service_type=each, number=provider.rate_number) for each in provider.service_types),
        )
        for area in provider.areas:
            url = f"{self._pricing_url}/v1/providers/{provider.provider_id}/rates/{FRAMEWORK}/{area}"
            await retry_until_known(lambda url=url: self._client.put(url, body))

    async def _register_endpoint(self, provider: InventedProvider, receivers_url: str) -> None:
        """Register the endpoint and log its secret. The secret is returned once; a lost one is rotated."""
        url = self._build_url(provider, "endpoint")
        endpoint = EndpointIn(url=build_webhook_url(receivers_url, provider.provider_id))
        secret = (await self._client.put(url, endpoint)).parse(SecretOut).secret
        if secret is None and not self._is_known(provider.provider_id):
            secret = (await self._client.post(f"{url}/rotation")).parse(SecretOut).secret
        if secret is not None:
            self._secrets.write(EndpointSecret(provider_id=provider.provider_id, secret=secret))

    async def _register_list(self, ranked: RankedList) -> None:
        url = f"{self._registry_url}/v1/frameworks/{FRAMEWORK}/areas/{ranked.area}/tiers/{ranked.tier}/lists"
        body = ListIn(list_version=1, issued_on=ISSUED_ON, live_from=LIVE_FROM, ranking=ranked.ranking)
        await self._client.post(url, body)

    def _build_url(self, provider: InventedProvider, part: str) -> str:
        return f"{self._registry_url}/v1/providers/{provider.provider_id}/{part}"


def _build_profile(provider: InventedProvider) -> ProviderIn:
    return ProviderIn(
        provider_id=provider.provider_id,
        name=provider.name,
        service_types=provider.service_types,
        turnover=f"{provider.turnover}.00",
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


def _build_memberships(provider: InventedProvider, tier: int) -> MembershipsIn:
    return MembershipsIn(
        memberships=tuple(MembershipIn(framework=FRAMEWORK, area=area, tier=tier) for area in provider.areas)
    )


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
