"""Sample routes and a client for tests of the HTTP edge; no response may repeat what was submitted."""

import io
import json
import secrets
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import aiohttp
from fastapi import APIRouter, Body, Depends, FastAPI, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.errors import Conflict
from contracts.ids import PackageId
from service_runtime.http.auth import Caller, require_scopes
from service_runtime.http.commands import CommandBus, get_command_bus, json_response, to_stored_problem
from service_runtime.http.paging import Cursor, Limit, Page, decode_cursor, encode_cursor
from service_runtime.http.preconditions import IfMatch, check_etag
from service_runtime.http.problems import MEDIA_TYPE, describe_problems
from testkit.captured_logs import CapturedLogs
from testkit.clocks import MONDAY_NINE
from testkit.sample_service import (
    RequestWithdrawal,
    SampleUnitOfWork,
    publish_requests,
    to_stream_key,
)
from testkit.tokens import TokenIssuer

PLANTED = "Test-Person-943-476-5919"
SCOPE = "sample:withdraw"
NOWHERE = "127.0.0.1:1"
Withdrawer = Annotated[Caller, Depends(require_scopes(SCOPE))]
Bus = Annotated[CommandBus, Depends(get_command_bus)]
router = APIRouter()


class Square(BaseModel):
    shape: Literal["square"]
    side: int


class Circle(BaseModel):
    shape: Literal["circle"]
    radius: int


class WithdrawalIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    package_id: UUID
    times: int = Field(ge=1, le=5)
    way: Literal["in", "out"] = "in"
    through: Annotated[Square | Circle, Field(discriminator="shape")] | None = None


class WithdrawalOut(BaseModel):
    times: int
    answer: str


class TooLate(Conflict):
    """The sample service has closed."""


@router.post("/v1/withdrawals", status_code=201, responses=describe_problems(409))
async def post_withdrawal(order: WithdrawalIn, caller: Withdrawer, bus: Bus) -> Response:
    command = RequestWithdrawal(PackageId(order.package_id), order.times)

    async def handle(command: RequestWithdrawal, work: SampleUnitOfWork) -> WithdrawalOut:
        await publish_requests(command, work)
        return WithdrawalOut(times=command.count, answer=secrets.token_hex(8))

    return await bus.execute(
        command,
        handle,
        on=to_stream_key(order.package_id),
        by=caller,
        respond=lambda out: json_response(out, status=201),
    )


@router.post("/v1/late-withdrawals", responses=describe_problems(409))
async def post_late_withdrawal(order: WithdrawalIn, caller: Withdrawer, bus: Bus) -> Response:
    async def handle(command: RequestWithdrawal, work: SampleUnitOfWork) -> TooLate:
        await publish_requests(command, work)
        return TooLate("the sample service has closed; ask again tomorrow")

    command = RequestWithdrawal(PackageId(order.package_id), order.times)
    return await bus.execute(command, handle, on=to_stream_key(order.package_id), by=caller, respond=to_stored_problem)


@router.post("/v1/broken")
async def post_broken(value: Annotated[str, Body(embed=True)]) -> None:
    message = f"this must not be seen: {value}"
    raise RuntimeError(message)


@router.get("/v1/unavailable")
async def respond_unavailable() -> None:
    raise ConnectionResetError(PLANTED)


@router.put("/v1/versions/{name}")
async def put_version(name: str, if_match: IfMatch = None) -> str:
    """Every resource has version 3."""
    check_etag(if_match, version=3)
    return f"{len(name)} characters"


@router.get("/v1/versions/{name}")
async def get_version(name: str) -> int:
    return len(name)


@router.get("/v1/numbers")
async def list_numbers(limit: Limit = 3, cursor: Cursor = None) -> Page[int]:
    """The numbers from 0 to 9, a page at a time."""
    after = decode_cursor(cursor)
    start = 0 if after is None else after[1].int + 1
    shown = list(range(start, min(start + limit, 10)))
    more = bool(shown) and shown[-1] < 9
    return Page(items=shown, next=encode_cursor(MONDAY_NINE, UUID(int=shown[-1])) if more else None)


class EdgeClient:
    """Sends requests with a valid token, and checks that errors are complete problems."""

    def __init__(self, url: str, issuer: TokenIssuer, app: FastAPI, log: CapturedLogs) -> None:
        self.url, self.issuer, self.app, self.log = url, issuer, app, log
        self.session = aiohttp.ClientSession()

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
        token: str | None = None,
        anonymous: bool = False,
        expect_body: bool = True,
    ) -> tuple[int, Any, dict[str, str]]:
        bearer = {} if anonymous else {"Authorization": f"Bearer {token or self.issuer.issue_token(SCOPE)}"}
        data = raw if raw is not None else (None if body is None else json.dumps(body).encode())
        kind = {} if data is None else {"Content-Type": "application/json"}
        sent = None if data is None else io.BytesIO(data)
        async with self.session.request(
            method, self.url + path, data=sent, headers={**kind, **bearer, **(headers or {})}
        ) as answer:
            text = await answer.text()
            assert PLANTED not in text + str(answer.headers), "what was submitted is never content back"
            if not expect_body:
                return answer.status, text, dict(answer.headers)
            content: Any = json.loads(text) if "json" in answer.content_type else text  # JSON of any shape
            if answer.status >= 400:
                assert answer.content_type == MEDIA_TYPE
                assert content["status"] == answer.status
                assert all(content[member] for member in ("type", "title", "detail"))
            return answer.status, content, dict(answer.headers)


def build_body(**changed: object) -> dict[str, object]:
    return {"package_id": str(uuid4()), "times": 1, **changed}
