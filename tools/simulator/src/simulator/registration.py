"""Tells the register of the invented market: framework, providers, lists, endpoints; done again, nothing changes."""

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
from simulator.market import InventedProvider, Market, RankedList, Standing
from simulator.providers import EndpointSecret, webhook_url

FRAMEWORK: Final = "essex-live-at-home-2025"
ISSUED_ON: Final = date(2025, 11, 1)
LIVE_FROM: Final = date(2025, 11, 9)
"""The framework's first day (its definition's `runs_from`)."""
RATED_ON: Final = date(2025, 6, 2)
_RETRY_TIMEOUT: Final = 50
_SOON: Final = 0.2
_SIDE_BY_SIDE: Final = 12
"""Providers that are registered at once."""


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


class PlaceIn(BaseModel):
    framework: str
    area: str
    tier: int


class PlacesIn(BaseModel):
    memberships: tuple[PlaceIn, ...]


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


class Register:
    """The provider register, as the council's market team uses it; `progress` hears the share done, 0 to 1."""

    def __init__(
        self,
        caller: ApiClient,
        registry: str,
        pricing: str,
        *,
        receivers: str,
        secrets: JsonLinesWriter[EndpointSecret],
        is_known: Callable[[UUID], bool],
        progress: Callable[[float], None],
    ) -> None:
        self._caller = caller
        self._registry = registry
        self._pricing = pricing
        self._receivers = receivers
        self._secrets = secrets
        self._is_known = is_known
        self._progress = progress

    async def register(self, market: Market, definitions: Sequence[bytes], *, today: date) -> None:
        """Everything, in an order in which each thing finds what it refers to."""
        for text in definitions:
            url = f"{self._registry}/v1/frameworks"
            await self._caller.send(Request("POST", url, body=text, content_type="application/yaml"))
        await self._all([self._provider(provider) for provider in market.providers], upto=0.7)
        await self._all([self._list(ranked) for ranked in market.lists], upto=0.75)
        of_the_framework = [provider for provider in market.providers if provider.tier is not None]
        await self._all([self._rates(provider, today) for provider in of_the_framework], upto=1.0)

    async def move_endpoints(self, market: Market) -> None:
        """The providers' systems listen elsewhere now."""
        await self._all([self._endpoint(provider) for provider in market.providers if provider.has_system], upto=1.0)

    async def _all(self, works: Sequence[Coroutine[Any, Any, None]], *, upto: float) -> None:
        """A few at a time."""
        room, done = asyncio.Semaphore(_SIDE_BY_SIDE), 0

        async def one(work: Coroutine[Any, Any, None]) -> None:
            nonlocal done
            async with room:
                await work
            done += 1
            self._progress(upto * done / len(works))

        await asyncio.gather(*[one(work) for work in works])

    async def _provider(self, provider: InventedProvider) -> None:
        await self._caller.post(f"{self._registry}/v1/providers", _profile(provider))
        await self._caller.put(self._url(provider, f"branches/{provider.branch_id}"), _branch(provider))
        if provider.tier is None:
            areas = SpotAreasIn(areas=provider.areas)
            await self._caller.send(Request("PUT", self._url(provider, "spot-areas"), body=areas, if_match="*"))
        else:
            await self._caller.put(self._url(provider, "memberships"), _places(provider, provider.tier))
        if provider.has_system:
            await self._endpoint(provider)
        if provider.standing is Standing.EMBARGOED:
            await self._caller.post(self._url(provider, "embargo"), EmbargoIn(reason=EmbargoReason.PROVIDER_REQUEST))
        for area in provider.areas if provider.tier is not None else ():
            free = CapacityIn(area=area, free_hours=f"{provider.free_hours}.00")
            await self._caller.post(self._url(provider, "capacity"), free)

    async def _rates(self, provider: InventedProvider, today: date) -> None:
        """Pricing hears of the definition over Kafka: what it does not know yet is asked again."""
        body = RatesIn(
            valid_from=today,
            rates=tuple(RateIn(service_type=each, number=provider.rate_number) for each in provider.service_types),
        )
        for area in provider.areas:
            url = f"{self._pricing}/v1/providers/{provider.provider_id}/rates/{FRAMEWORK}/{area}"
            await retry(lambda url=url: self._caller.put(url, body))

    async def _endpoint(self, provider: InventedProvider) -> None:
        """The secret is told once; one that got lost is replaced."""
        url = self._url(provider, "endpoint")
        endpoint = EndpointIn(url=webhook_url(self._receivers, provider.provider_id))
        secret = (await self._caller.put(url, endpoint)).parse(SecretOut).secret
        if secret is None and not self._is_known(provider.provider_id):
            secret = (await self._caller.post(f"{url}/rotation")).parse(SecretOut).secret
        if secret is not None:
            self._secrets.write(EndpointSecret(provider_id=provider.provider_id, secret=secret))

    async def _list(self, ranked: RankedList) -> None:
        url = f"{self._registry}/v1/frameworks/{FRAMEWORK}/areas/{ranked.area}/tiers/{ranked.tier}/lists"
        body = ListIn(list_version=1, issued_on=ISSUED_ON, live_from=LIVE_FROM, ranking=ranked.ranking)
        await self._caller.post(url, body)

    def _url(self, provider: InventedProvider, part: str) -> str:
        return f"{self._registry}/v1/providers/{provider.provider_id}/{part}"


def _profile(provider: InventedProvider) -> ProviderIn:
    return ProviderIn(
        provider_id=provider.provider_id,
        name=provider.name,
        service_types=provider.service_types,
        turnover=f"{provider.turnover}.00",
        phone=f"01632 960{provider.number:03}",  # Ofcom keeps these numbers free for drama and tests
    )


def _branch(provider: InventedProvider) -> BranchIn:
    return BranchIn(
        name=f"{provider.name} office",
        outward_code=provider.outward_code,
        domiciliary_care=True,
        rating=provider.rating.value,
        published_on=RATED_ON,
    )


def _places(provider: InventedProvider, tier: int) -> PlacesIn:
    return PlacesIn(memberships=tuple(PlaceIn(framework=FRAMEWORK, area=area, tier=tier) for area in provider.areas))


async def retry(ask: Callable[[], Coroutine[Any, Any, ApiResponse]]) -> ApiResponse:
    """What is not known there yet (404, or a Retry-After) is asked again for a while. Raises ServiceRefused at last."""
    for _ in range(_RETRY_TIMEOUT):
        try:
            return await ask()
        except ServiceRefused as refused:
            if refused.status != 404 and refused.retry_after is None:
                raise
        await asyncio.sleep(_SOON)
    return await ask()
