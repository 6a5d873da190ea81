"""Composes the mails of lists as they are sent, from the list as it was issued: a queued mail only names its list."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from contracts.events.lists import AvailablePackagesIssued, BatchingListIssued, ListRecipient
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import ListId, ProviderId
from contracts.list_links import ListLink, ListLinkSigner
from provider_registry.domain.list_mail import build_list_mail
from provider_registry.domain.list_rows import select_batching_rows
from provider_registry.domain.mail_layout import render_html, render_text
from provider_registry.domain.messages import BaseUrls
from provider_registry.ports.notices import RenderList
from provider_registry.store.frameworks import DEFINITION, to_definition
from provider_registry.store.issued_lists import load_issued_list
from service_runtime.postgres.database import Connection, Database
from service_runtime.webhooks.mail_content import Attachment, MailContent


class ListGone(LookupError):
    """The list, its recipient or its definition is not in the database."""


@dataclass(frozen=True)
class _Part:
    """What one recipient gets of a part of a list, with the definition whose titles it shows."""

    issued: BatchingListIssued | AvailablePackagesIssued
    recipient: ListRecipient
    definition: FrameworkDefinition


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

    # Any: what was queued, as JSON.
    async def compose(self, _: str, composed_from: Mapping[str, Any]) -> MailContent:
        """Returns the mail. Raises ListGone for a list that is not in the database."""
        list_id, part = ListId(UUID(composed_from["list_id"])), int(composed_from["part"])
        provider_id = ProviderId(UUID(composed_from["provider_id"]))
        async with self._database.open_read_connection() as connection:
            found = await _load_part(connection, list_id, part, provider_id)
        # A workbook takes longer than other work of the event loop may wait.
        return await asyncio.to_thread(self._render, found)

    def _render(self, part: _Part) -> MailContent:
        rendered = self._render_list(part.issued, part.recipient, part.definition)
        mail = build_list_mail(rendered.text, link=self._build_link(part))
        attached = tuple(Attachment(each.name, each.content_type, each.content) for each in rendered.files)
        return MailContent(mail.subject, render_text(mail), render_html(mail), attached)

    def _build_link(self, part: _Part) -> str | None:
        if self._links is None:
            return None
        ends_at = part.issued.issued_at + self._link_valid_for
        token = self._links.create_token(ListLink(part.issued.list_id, part.recipient.provider_id, ends_at))
        return f"{self._addresses.sourcing}/v1/list-links/{token}"


async def _load_part(connection: Connection, list_id: ListId, part: int, provider_id: ProviderId) -> _Part:
    issued = await load_issued_list(connection, list_id, part)
    if issued is None:
        message = f"part {part} of the list {list_id} is not saved"
        raise ListGone(message)
    recipient = next((each for each in issued.recipients if each.provider_id == provider_id), None)
    selected = None if recipient is None else _select(issued, recipient)
    if recipient is None or selected is None:
        message = f"the list {list_id} has nothing for this provider"
        raise ListGone(message)
    arguments = {"framework": issued.framework, "version": issued.definition_version}
    rows = list(await connection.execute(DEFINITION, arguments))
    if not rows:
        message = f"version {issued.definition_version} of {issued.framework} is not published"
        raise ListGone(message)
    return _Part(selected, recipient, to_definition(rows[0]))


def _select(
    issued: BatchingListIssued | AvailablePackagesIssued, recipient: ListRecipient
) -> BatchingListIssued | AvailablePackagesIssued | None:
    """Returns the rows of the recipient in the order of the event; the document puts them in the recipient's."""
    return select_batching_rows(issued, recipient) if isinstance(issued, BatchingListIssued) else issued
