"""Routes by which two officers put a definition into effect: one proposes it, another one approves it."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from contracts.catalogue import FRAMEWORKS
from contracts.definition_loader import MAX_BYTES
from contracts.errors import FieldError, InvalidInput
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import FrameworkKey
from provider_registry.api.callers import Admin, Bus, Queries, Staff
from provider_registry.api.definition_parser import DefinitionParser
from provider_registry.api.frameworks import FrameworkOut
from provider_registry.api.scopes import FrameworkPath, VersionPath
from provider_registry.domain.proposals import Proposal
from provider_registry.handlers.frameworks import (
    ApproveFramework,
    FrameworkOutcome,
    ProposalOutcome,
    ProposeFramework,
    WithdrawProposal,
    approve_framework,
    propose_framework,
    withdraw_proposal,
)
from service_runtime.http.app import inject
from service_runtime.http.commands import json_response
from service_runtime.http.preconditions import IfMatch, check_etag, format_etag
from service_runtime.http.problems import describe_problems
from service_runtime.idempotency import StoredResponse
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.webhooks.endpoint_api import respond_no_content

router = APIRouter(tags=["frameworks"])

_YAML: Final[dict[str, Any]] = {  # OpenAPI's own words, for a body that no model describes
    "requestBody": {
        "required": True,
        "content": {"application/yaml": {"schema": {"type": "string", "maxLength": MAX_BYTES}}},
    }
}

Parser = Annotated[DefinitionParser, inject(DefinitionParser)]


async def _read_yaml_body(request: Request) -> str:
    body = await request.body()
    if len(body) > MAX_BYTES:
        raise InvalidInput(FieldError("#", f"is larger than a definition may be, {MAX_BYTES} bytes"))
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        message = f"line {line}: is not UTF-8 text; save the file as UTF-8, not as Windows-1252 (ANSI)"
        raise InvalidInput(FieldError("#", message)) from None


class ProposedFrameworkOut(FrameworkOut):
    """A version that is proposed, or was published before with the same content."""

    state: Literal["proposed", "published"]
    proposed_by: str | None = Field(description="null for a published version")
    proposed_at: datetime | None = Field(description="null for a published version")


class ProposalOut(BaseModel):
    """A proposed version in full; its ETag names it in an approval."""

    framework: str
    version: int
    proposed_by: str
    proposed_at: datetime
    etag: str
    definition: FrameworkDefinition


class ProposalsOut(BaseModel):
    items: list[ProposalOut]


@router.post(
    "/v1/frameworks",
    response_model=ProposedFrameworkOut,
    status_code=202,
    responses={
        **describe_problems(409),
        200: {"model": ProposedFrameworkOut, "description": "This version was published before with the same content"},
    },
    openapi_extra=_YAML,
)
async def post_framework(
    caller: Admin, text: Annotated[str, Depends(_read_yaml_body)], bus: Bus, parser: Parser
) -> Response:
    """Propose the next version of a framework's definition as YAML; it takes effect when another officer approves it.

    Every error is reported at once with its path, line, reason and remedy. Until the approval its proposer can replace
    it.
    """
    definition = await parser.parse(text)
    command = ProposeFramework(definition)
    stream = StreamKey(FRAMEWORKS, definition.framework)
    return await bus.execute(command, propose_framework, on=stream, by=caller, respond=_respond_with_proposal)


@router.get("/v1/framework-proposals", response_model=ProposalsOut, responses=describe_problems())
async def list_proposals(caller: Staff, queries: Queries) -> ProposalsOut:
    """Your council's proposed versions that nobody has approved yet, the oldest first."""
    return ProposalsOut(items=[_to_proposal_out(each) for each in await queries.list_proposals(caller.council)])


@router.post(
    "/v1/frameworks/{framework}/versions/{version}/approval",
    response_model=FrameworkOut,
    status_code=201,
    responses={
        **describe_problems(404, 409, 412),
        200: {"model": FrameworkOut, "description": "This version was approved before"},
    },
)
async def post_approval(
    framework: FrameworkPath, version: VersionPath, caller: Admin, bus: Bus, if_match: IfMatch = None
) -> Response:
    """Approve a proposed version and publish it. The officer who proposed it gets 409.

    If-Match carries the ETag of the proposal that was read; without it, whatever is proposed now is approved.
    """

    def check_revision(revision: int) -> None:
        if if_match is not None:
            check_etag(if_match, version=revision)

    command = ApproveFramework(FrameworkKey(framework), version, expect=check_revision)
    stream = StreamKey(FRAMEWORKS, framework)
    return await bus.execute(command, approve_framework, on=stream, by=caller, respond=_respond_with_framework)


@router.delete(
    "/v1/frameworks/{framework}/versions/{version}",
    status_code=204,
    response_class=Response,
    responses=describe_problems(404, 409),
)
async def delete_proposal(framework: FrameworkPath, version: VersionPath, caller: Admin, bus: Bus) -> Response:
    """Withdraw a proposed version; only its proposer can. A published version stays for ever."""
    command = WithdrawProposal(FrameworkKey(framework), version)
    stream = StreamKey(FRAMEWORKS, framework)
    return await bus.execute(command, withdraw_proposal, on=stream, by=caller, respond=respond_no_content)


def _respond_with_proposal(outcome: ProposalOutcome) -> StoredResponse:
    details = FrameworkOut.from_definition(outcome.definition).model_dump()
    proposal = outcome.proposal
    if proposal is None:
        return json_response(ProposedFrameworkOut(**details, state="published", proposed_by=None, proposed_at=None))
    body = ProposedFrameworkOut(
        **details, state="proposed", proposed_by=proposal.proposed_by, proposed_at=proposal.proposed_at
    )
    return json_response(body, status=202, headers=(("etag", format_etag(proposal.revision)),))


def _respond_with_framework(outcome: FrameworkOutcome) -> StoredResponse:
    body = FrameworkOut.from_definition(outcome.definition)
    return json_response(body, status=201 if outcome.is_new else 200)


def _to_proposal_out(proposal: Proposal) -> ProposalOut:
    return ProposalOut(
        framework=proposal.definition.framework,
        version=proposal.definition.version,
        proposed_by=proposal.proposed_by,
        proposed_at=proposal.proposed_at,
        etag=format_etag(proposal.revision),
        definition=proposal.definition,
    )
