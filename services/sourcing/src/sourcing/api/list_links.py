"""HTML pages behind the links in the mails of lists, on which a provider without its own system returns a list.

The link is a bearer credential: its holder returns the list for the provider. GET never answers, because mail scanners
open links.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import HTMLResponse

from contracts.catalogue import LISTS
from contracts.events.lists import ReturnChannel, RowResult
from contracts.link_tokens import LinkNotValid
from contracts.list_links import ListLinkSigner
from list_documents.page import PageForm, RowResult as ShownResult, render_page
from list_documents.errors import ReturnRefused
from list_documents.page_form import MAX_FORM_BYTES, read_form
from list_documents.returns.returned import ReturnedList
from service_runtime.http.app import inject
from service_runtime.http.auth import Caller
from service_runtime.http.bodies import accept_body_up_to
from service_runtime.http.commands import CommandBus, get_command_bus_without_idempotency
from service_runtime.http.instants import Now
from service_runtime.idempotency import StoredResponse as HttpAnswer
from service_runtime.observability.tracing import set_subject
from service_runtime.unit_of_work.streams import StreamKey
from sourcing.api.list_files import FileFormat
from sourcing.api.list_documents import Format, send_file
from sourcing.api.list_of_provider import ListOfProvider, find_list_of_provider
from sourcing.api.list_returns import AppliedRow
from sourcing.api.lists import Lists
from sourcing.api.page_routes import PageRoute
from sourcing.handlers import record_return
