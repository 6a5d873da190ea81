"""Names of providers, read from the registry."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Final
from uuid import UUID

from calloff.client import ApiClient, ResponseModel
from calloff.connection import StackConnection
from contracts.errors import NotFound
from devstack.errors import ServiceRefused, ServiceUnreachable
from devstack.names import REGISTRY

_PAGE_SIZE: Final = "200"


class UnknownProvider(NotFound):
    title = "Unknown provider"

    def __init__(self, text: str) -> None:
        super().__init__(f"the registry has no provider {text}; give its id, its name, or the number in its name")


class ProviderResponse(ResponseModel):
    provider_id: UUID
    name: str


class ProviderPage(ResponseModel):
    items: tuple[ProviderResponse, ...]
    next: str | None = None


class ProviderDirectory:
    """Looks up providers in the registry with an officer's token; requests each name once."""

    def __init__(self, connection: StackConnection) -> None:
        self._client: ApiClient = connection.create_client("officer")
        self._url = connection.get_url(REGISTRY, "/v1/providers")
        self._names: dict[UUID, str] = {}

    async def load_names(self, provider_ids: Iterable[UUID | None]) -> dict[UUID, str]:
        """The name of each provider; its id as text where the registry does not know it or does not answer."""
        requested = {provider_id for provider_id in provider_ids if provider_id is not None}
        names = await asyncio.gather(*[self._load_name(provider_id) for provider_id in requested])
        return dict(zip(requested, names, strict=True))

    async def find_id(self, text: str) -> UUID:
        """Finds a provider by id, by name, or by the number at the end of its name. Raises UnknownProvider."""
        try:
            return UUID(text)
        except ValueError:
            async for provider in self._list_providers():
                if _is_named(provider, text):
                    return provider.provider_id
            raise UnknownProvider(text) from None

    async def _load_name(self, provider_id: UUID) -> str:
        if provider_id not in self._names:
            try:
                response = await self._client.get(f"{self._url}/{provider_id}")
            except (ServiceRefused, ServiceUnreachable):
                return str(provider_id)
            self._names[provider_id] = response.parse(ProviderResponse).name
        return self._names[provider_id]

    async def _list_providers(self) -> AsyncIterator[ProviderResponse]:
        parameters = {"limit": _PAGE_SIZE}
        while True:
            page = (await self._client.get(self._url, **parameters)).parse(ProviderPage)
            for provider in page.items:
                yield provider
            if page.next is None:
                return
            parameters = {"limit": _PAGE_SIZE, "cursor": page.next}


def _is_named(provider: ProviderResponse, text: str) -> bool:
    number = provider.name.rpartition(" ")[2]
    is_number = text.isdigit() and number.isdigit() and int(number) == int(text)
    return is_number or provider.name.casefold() == text.casefold()
