"""Read-only queries of the registry, each in its own transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from contracts.events.frameworks import RankedListPublished
from contracts.ids import CouncilKey, FrameworkKey, NoticeId, ProviderId
from contracts.office_time import to_office_date
from provider_registry.domain.alarms import Alarm, find_alarms
from provider_registry.domain.places import ListScope
from provider_registry.domain.proposals import Proposal
from provider_registry.domain.provider import Definitions, Provider
from provider_registry.ports import (
    DeliveryLogEntry,
    FailingProvider,
    ProviderSnapshot,
    PublishedDefinition,
)
from provider_registry.ports.notices import CallFilter, FoundNotice, NoticeFilter, PagePosition, QueuedMailPlace
from provider_registry.store.capacities import load_capacity
from provider_registry.store.deliveries import DELIVERIES_TO, to_delivery_log_entry
from provider_registry.store.frameworks import (
    DEFINITION,
    FRAMEWORKS_OF_COUNCIL,
    NEWEST_DEFINITIONS,
    PROPOSALS_OF_COUNCIL,
    load_definitions_in_force,
    to_definition,
    to_definitions,
    to_proposal,
)
from provider_registry.store.notice_queries import (
    CALL_LIST,
    MAIL,
    NOTICE,
    choose_calls,
    choose_notices,
    to_found_notice,
    to_mail_place,
)
from provider_registry.store.places import load_places
from provider_registry.store.providers import (
    FAILING_PROVIDERS,
    HAS_PROVIDER,
    PROVIDER,
    PROVIDERS_OF_COUNCIL,
    to_provider,
)
from provider_registry.store.ranked_lists import LISTS_OF_SCOPE, to_ranked_list, to_scope_row
from service_runtime.postgres.database import Database
from service_runtime.webhooks.endpoint_queries import find_endpoint_state
from service_runtime.webhooks.kept_messages import KeptMessage, list_kept_messages
from service_runtime.webhooks.mail import to_mailbox


class PostgresRegistryQueries:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_provider(
        self, provider_id: ProviderId, *, council: CouncilKey, at: datetime
    ) -> ProviderSnapshot | None:
        async with self._database.open_read_connection() as connection:
            row = (await connection.execute(PROVIDER, {"provider_id": provider_id})).one_or_none()
            if row is None or row.council != council:
                return None
            provider = to_provider(row)
            frameworks = {each.place.framework for each in provider.places}
            return ProviderSnapshot(
                provider=provider,
                definitions=await load_definitions_in_force(connection, frameworks, on=to_office_date(at)),
                capacity=await load_capacity(connection, provider_id),
                endpoint=await find_endpoint_state(connection, str(provider_id)),
            )

    async def has_provider(self, provider_id: ProviderId, *, council: CouncilKey) -> bool:
        return bool(await self._database.find(HAS_PROVIDER, {"provider_id": provider_id, "council": council}))

    async def list_providers(
        self, council: CouncilKey, *, after: PagePosition | None, limit: int
    ) -> Sequence[Provider]:
        rows = await self._database.find(
            PROVIDERS_OF_COUNCIL, {"council": council, "limit": limit, **_to_page_arguments(after)}
        )
        return [to_provider(row) for row in rows]

    async def list_frameworks(self, council: CouncilKey) -> Sequence[PublishedDefinition]:
        rows = await self._database.find(FRAMEWORKS_OF_COUNCIL, {"council": council})
        return [PublishedDefinition(to_definition(row), row.published_at) for row in rows]

    async def find_definition(
        self, framework: FrameworkKey, version: int, *, council: CouncilKey
    ) -> PublishedDefinition | None:
        rows = await self._database.find(DEFINITION, {"framework": framework, "version": version})
        return next(
            (PublishedDefinition(to_definition(row), row.published_at) for row in rows if row.council == council), None
        )

    async def list_proposals(self, council: CouncilKey) -> Sequence[Proposal]:
        return [to_proposal(row) for row in await self._database.find(PROPOSALS_OF_COUNCIL, {"council": council})]

    async def list_ranked_lists(
        self, scope: ListScope, *, council: CouncilKey, at: datetime, limit: int
    ) -> Sequence[RankedListPublished] | None:
        framework = scope.place.framework
        async with self._database.open_read_connection() as connection:
            found = await load_definitions_in_force(connection, [framework], on=to_office_date(at))
            if framework not in found or found[framework].council != council:
                return None
            rows = await connection.execute(LISTS_OF_SCOPE, {**to_scope_row(scope), "limit": limit})
            return [to_ranked_list(row) for row in rows]

    async def list_alarms(
        self, framework: FrameworkKey, *, council: CouncilKey, at: datetime
    ) -> Sequence[Alarm] | None:
        async with self._database.open_read_connection() as connection:
            found = await load_definitions_in_force(connection, [framework], on=to_office_date(at))
            if framework not in found or found[framework].council != council:
                return None
            places = await load_places(connection, [framework])
            return find_alarms(found[framework], places[framework], at=at)

    async def list_deliveries(
        self, provider_id: ProviderId, *, after: PagePosition | None, limit: int
    ) -> Sequence[DeliveryLogEntry]:
        owners = [str(provider_id), to_mailbox(str(provider_id))]
        rows = await self._database.find(DELIVERIES_TO, {"owners": owners, "limit": limit, **_to_page_arguments(after)})
        return [to_delivery_log_entry(row) for row in rows]

    async def list_kept_messages(
        self, provider_id: ProviderId, *, after: PagePosition | None, limit: int
    ) -> Sequence[KeptMessage]:
        async with self._database.open_read_connection() as connection:
            last = None if after is None else after[1]
            return await list_kept_messages(connection, str(provider_id), after=last, limit=limit)

    async def list_calls(
        self, council: CouncilKey, chosen: CallFilter, *, after: PagePosition | None, limit: int
    ) -> Sequence[FoundNotice]:
        arguments = {"council": council, "limit": limit, **choose_calls(chosen), **_to_page_arguments(after)}
        return [to_found_notice(row) for row in await self._database.find(CALL_LIST, arguments)]

    async def list_notices(
        self, council: CouncilKey, chosen: NoticeFilter, *, after: PagePosition | None, limit: int
    ) -> Sequence[FoundNotice]:
        statement, arguments = choose_notices(chosen)
        arguments |= {"council": council, "limit": limit, **_to_page_arguments(after)}
        return [to_found_notice(row) for row in await self._database.find(statement, arguments)]

    async def find_notice(self, notice_id: NoticeId, *, council: CouncilKey) -> FoundNotice | None:
        rows = await self._database.find(NOTICE, {"notice_id": notice_id, "council": council})
        return to_found_notice(rows[0]) if rows else None

    async def find_mail(self, mail_id: UUID, *, council: CouncilKey) -> QueuedMailPlace | None:
        rows = await self._database.find(MAIL, {"mail_id": mail_id, "council": council})
        return to_mail_place(rows[0]) if rows else None

    async def load_definitions(self, frameworks: Collection[FrameworkKey]) -> Definitions:
        return to_definitions(await self._database.find(NEWEST_DEFINITIONS, {"frameworks": sorted(frameworks)}))

    async def list_failing_endpoints(self, council: CouncilKey) -> Sequence[FailingProvider]:
        rows = await self._database.find(FAILING_PROVIDERS, {"council": council})
        return [
            FailingProvider(ProviderId(row.provider_id), row.name, row.phone, row.failing_since, row.disabled_because)
            for row in rows
        ]


def _to_page_arguments(position: PagePosition | None) -> dict[str, object]:
    at, row = position if position is not None else (None, None)
    return {"after_at": at, "after_id": row}
