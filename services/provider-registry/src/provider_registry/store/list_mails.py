"""Composes the mails of lists as they are sent, from the list as it was issued: a queued mail only names its list.

A list goes to hundreds of providers at once, and a workbook takes a twentieth of a second. It is rendered in a thread,
one at a time, and once for all recipients that serve the same areas.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from contracts.events.lists import AvailablePackagesIssued, BatchingListIssued, ListRecipient
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import ListId, ProviderId
from contracts.list_links import ListLink, ListLinkSigner
from provider_registry.domain.list_mail import build_list_mail
from provider_registry.domain.list_rows import select_batching_rows
from provider_registry.domain.mail_layout import render_html, render_text
from provider_registry.domain.messages import BaseUrls
from provider_registry.ports.notices import RenderedList, RenderList
from provider_registry.store.frameworks import DEFINITION, to_definition
from provider_registry.store.issued_lists import load_issued_list
from service_runtime.postgres.database import Database
from service_runtime.webhooks.mail_content import Attachment, MailContent

ValueT = TypeVar("ValueT")

MAX_LISTS: Final = 4
MAX_DOCUMENTS: Final = 64
"""Documents in memory; one of 60 rows takes about 100 kB with its mail."""


class ListGone(LookupError):
    """The list, its recipient or its definition is not in the database."""


@dataclass(frozen=True)
class _Part:
    """A part of a list as it was issued, with the definition whose titles it shows."""

    issued: BatchingListIssued | AvailablePackagesIssued
    definition: FrameworkDefinition


class _RecentlyUsed(Generic[ValueT]):
    """The values that were used last, at most `max_values`."""

    def __init__(self, max_values: int) -> None:
        self._max_values = max_values
        self._values: OrderedDict[Hashable, ValueT] = OrderedDict()

    def get(self, key: Hashable) -> ValueT | None:
        if key in self._values:
            self._values.move_to_end(key)
        return self._values.get(key)

    def put(self, key: Hashable, value: ValueT) -> None:
        self._values[key] = value
        if len(self._values) > self._max_values:
            self._values.popitem(last=False)


class ListMailComposer:
    """Composes a mail of `list.issued`; every attempt gives the same content."""

    def __init__(
        self,
        database: Database,
        render_list: RenderList,
        *,
        addresses: BaseUrls,
        links: ListLinkSigner | None = None,
        link_valid_for: timedelta = timedelta(days=7),
    ) -> None:
        self._database = database
        self._render_list = render_list
        self._addresses = addresses
        self._links = links
        self._link_valid_for = link_valid_for
        self._parts = _RecentlyUsed[_Part](MAX_LISTS)
        self._documents = _RecentlyUsed[RenderedList](MAX_DOCUMENTS)
        self._rendering = asyncio.Lock()

    # Any: what was queued, as JSON.
    async def compose(self, _: str, composed_from: Mapping[str, Any]) -> MailContent:
        """Returns the mail. Raises ListGone for a list that is not in the database."""
        list_id, number = ListId(UUID(composed_from["list_id"])), int(composed_from["part"])
        provider_id = ProviderId(UUID(composed_from["provider_id"]))
        async with self._rendering:
            part = await self._find_part(list_id, number)
            recipient = _find_recipient(part, provider_id)
            document = await self._find_document(part, recipient)
        mail = build_list_mail(document.text, link=self._build_link(part, provider_id))
        attached = tuple(Attachment(each.name, each.content_type, each.content) for each in document.files)
        return MailContent(mail.subject, render_text(mail), render_html(mail), attached)

    async def _find_part(self, list_id: ListId, number: int) -> _Part:
        part = self._parts.get((list_id, number))
        if part is None:
            part = await self._load_part(list_id, number)
            self._parts.put((list_id, number), part)
        return part

    async def _load_part(self, list_id: ListId, number: int) -> _Part:
        async with self._database.open_read_connection() as connection:
            issued = await load_issued_list(connection, list_id, number)
            if issued is None:
                message = f"part {number} of the list {list_id} is not saved"
                raise ListGone(message)
            arguments = {"framework": issued.framework, "version": issued.definition_version}
            rows = list(await connection.execute(DEFINITION, arguments))
        if not rows:
            message = f"version {issued.definition_version} of {issued.framework} is not published"
            raise ListGone(message)
        return _Part(issued, to_definition(rows[0]))

    async def _find_document(self, part: _Part, recipient: ListRecipient) -> RenderedList:
        key = (part.issued.list_id, part.issued.part, recipient.areas)
        document = self._documents.get(key)
        if document is None:
            issued = _select_rows(part, recipient)
            document = await asyncio.to_thread(self._render_list, issued, recipient, part.definition)
            self._documents.put(key, document)
        return document

    def _build_link(self, part: _Part, provider_id: ProviderId) -> str | None:
        if self._links is None:
            return None
        ends_at = part.issued.issued_at + self._link_valid_for
        token = self._links.create_token(ListLink(part.issued.list_id, provider_id, ends_at))
        return f"{self._addresses.sourcing}/v1/list-links/{token}"


def _find_recipient(part: _Part, provider_id: ProviderId) -> ListRecipient:
    for recipient in part.issued.recipients:
        if recipient.provider_id == provider_id:
            return recipient
    message = f"the list {part.issued.list_id} does not go to this provider"
    raise ListGone(message)


def _select_rows(part: _Part, recipient: ListRecipient) -> BatchingListIssued | AvailablePackagesIssued:
    """Returns the rows of the recipient in the order of the event; the document puts them in the recipient's."""
    if isinstance(part.issued, AvailablePackagesIssued):
        return part.issued
    selected = select_batching_rows(part.issued, recipient)
    if selected is None:
        message = f"the list {part.issued.list_id} has no row for this provider"
        raise ListGone(message)
    return selected
