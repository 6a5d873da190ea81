"""Questions about the market, each in a transaction of its own."""

from collections.abc import Sequence

from sqlalchemy import text

from contracts.events.frameworks import RankedListPublished
from contracts.ids import CouncilKey, FrameworkKey, ProviderId
from provider_registry.domain.provider import Place, Provider
from provider_registry.ports import DeliverySeen, EndpointSeen, Position, ProviderSeen, PublishedDefinition
from provider_registry.store.capacities import capacity_of
from provider_registry.store.deliveries import DELIVERIES_TO, delivery_of
from provider_registry.store.frameworks import (
    DEFINITION,
    FRAMEWORKS_OF_COUNCIL,
    LISTS_OF_PLACE,
    definition_of,
    newest_definitions,
    ranked_list_of,
)
from provider_registry.store.places import place_row
from provider_registry.store.providers import PROVIDER, PROVIDERS_OF_COUNCIL, provider_of
from service_runtime.postgres.database import Connection, Database
from service_runtime.webhooks.mail import mailbox_of

_ENDPOINT = text("SELECT url, disabled_because FROM endpoints WHERE owner = :owner")


class PostgresRegistryQueries:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def provider(self, provider_id: ProviderId, *, council: CouncilKey) -> ProviderSeen | None:
        async with self._database.read_connection() as connection:
            row = (await connection.execute(PROVIDER, {"provider_id": provider_id})).one_or_none()
            if row is None or row.council != council:
                return None
            provider = provider_of(row)
            return ProviderSeen(
                provider=provider,
                definitions=await newest_definitions(connection, {each.framework for each in provider.places}),
                capacity=await capacity_of(connection, provider_id),
                endpoint=await _endpoint(connection, provider_id),
            )

    async def providers(self, council: CouncilKey, *, after: Position | None, limit: int) -> Sequence[Provider]:
        rows = await self._database.find(PROVIDERS_OF_COUNCIL, {"council": council, "limit": limit, **_after(after)})
        return [provider_of(row) for row in rows]

    async def frameworks(self, council: CouncilKey) -> Sequence[PublishedDefinition]:
        rows = await self._database.find(FRAMEWORKS_OF_COUNCIL, {"council": council})
        return [PublishedDefinition(definition_of(row), row.published_at) for row in rows]

    async def definition(
        self, framework: FrameworkKey, version: int, *, council: CouncilKey
    ) -> PublishedDefinition | None:
        rows = await self._database.find(DEFINITION, {"framework": framework, "version": version})
        return next(
            (PublishedDefinition(definition_of(row), row.published_at) for row in rows if row.council == council), None
        )

    async def ranked_lists(
        self, place: Place, *, council: CouncilKey, limit: int
    ) -> Sequence[RankedListPublished] | None:
        async with self._database.read_connection() as connection:
            definition = (await newest_definitions(connection, [place.framework])).get(place.framework)
            if definition is None or definition.council != council:
                return None
            rows = await connection.execute(LISTS_OF_PLACE, {**place_row(place), "limit": limit})
            return [ranked_list_of(row) for row in rows]

    async def deliveries(
        self, provider_id: ProviderId, *, after: Position | None, limit: int
    ) -> Sequence[DeliverySeen]:
        owners = [str(provider_id), mailbox_of(str(provider_id))]
        rows = await self._database.find(DELIVERIES_TO, {"owners": owners, "limit": limit, **_after(after)})
        return [delivery_of(row) for row in rows]


async def _endpoint(connection: Connection, provider_id: ProviderId) -> EndpointSeen | None:
    row = (await connection.execute(_ENDPOINT, {"owner": str(provider_id)})).one_or_none()
    return None if row is None else EndpointSeen(row.url, row.disabled_because)


def _after(position: Position | None) -> dict[str, object]:
    at, row = position if position is not None else (None, None)
    return {"after_at": at, "after_id": row}
