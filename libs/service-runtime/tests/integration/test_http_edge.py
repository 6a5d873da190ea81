"""The HTTP edge: every error a problem that says what to do and repeats nothing, and nobody unknown gets in."""

import asyncio
import base64
import io
import json
import secrets
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import aiohttp
import pytest
import pytest_asyncio
from fastapi import APIRouter, Body, Depends, FastAPI, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from contracts.errors import Conflict
from contracts.ids import PackageId
from service_runtime.http.auth import Authenticator, Caller, JwksOverHttp, KeysUnavailable, require_scopes
from service_runtime.http.bodies import LARGEST_BODY
from service_runtime.http.commands import CommandBus, command_bus, json_response, to_stored_problem
from service_runtime.http.paging import Cursor, Limit, Page, decode_cursor, encode_cursor
from service_runtime.http.problems import MEDIA_TYPE, describe_problems
from service_runtime.postgres.database import Database
from service_runtime.service import Runner, Service
from service_runtime.settings import RuntimeSettings
from testkit.captured_logs import Logbook
from testkit.clocks import MONDAY_NINE
from testkit.databases import number, rows
from testkit.http_server import serve_app
from testkit.sample_service import SUBSCRIPTIONS, TIMERS, Ask, Turnstile, TurnstileWork, ask, stream_of
from testkit.tokens import TokenIssuer, generate_key

PLANTED = "Test-Person-943-476-5919"
SCOPE = "turnstile:ask"
NOWHERE = "127.0.0.1:1"

Asker = Annotated[Caller, Depends(require_scopes(SCOPE))]
Carrier = Annotated[CommandBus, Depends(command_bus)]


class Square(BaseModel):
    shape: Literal["square"]
    side: int


class Circle(BaseModel):
    shape: Literal["circle"]
    radius: int


class AskIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    package_id: UUID
    times: int = Field(ge=1, le=5)
    way: Literal["in", "out"] = "in"
    through: Annotated[Square | Circle, Field(discriminator="shape")] | None = None


class AskOut(BaseModel):
    times: int
    answer: str


class TooLate(Conflict):
    """The turnstile has closed."""


router = APIRouter()


@router.post("/v1/asks", status_code=201, responses=describe_problems(409))
async def post_ask(order: AskIn, caller: Asker, carrier: Carrier) -> Response:
    command = Ask(PackageId(order.package_id), order.times)

    async def handle(command: Ask, work: TurnstileWork) -> AskOut:
        await ask(command, work)
        return AskOut(times=command.times, answer=secrets.token_hex(8))

    return await carrier.execute(
        command, handle, on=stream_of(order.package_id), by=caller, respond=lambda out: json_response(out, status=201)
    )


@router.post("/v1/late-asks", responses=describe_problems(409))
async def post_late(order: AskIn, caller: Asker, carrier: Carrier) -> Response:
    async def handle(command: Ask, work: TurnstileWork) -> TooLate:
        await ask(command, work)
        return TooLate("the turnstile has closed; ask again tomorrow")

    command = Ask(PackageId(order.package_id), order.times)
    return await carrier.execute(command, handle, on=stream_of(order.package_id), by=caller, respond=to_stored_problem)


@router.post("/v1/broken")
async def post_broken(value: Annotated[str, Body(embed=True)]) -> None:
    message = f"this must not be seen: {value}"
    raise RuntimeError(message)


@router.get("/v1/away")
async def away() -> None:
    raise ConnectionResetError(PLANTED)


@router.get("/v1/numbers")
async def list_numbers(limit: Limit = 3, cursor: Cursor = None) -> Page[int]:
    """The numbers from 0 to 9, a page at a time."""
    after = decode_cursor(cursor)
    start = 0 if after is None else after[1].int + 1
    shown = list(range(start, min(start + limit, 10)))
    more = bool(shown) and shown[-1] < 9
    return Page(items=shown, next=encode_cursor(MONDAY_NINE, UUID(int=shown[-1])) if more else None)


class Client:
    """Asks as a caller with a token would."""

    def __init__(self, url: str, issuer: TokenIssuer, app: FastAPI, log: Logbook) -> None:
        self.url, self.issuer, self.app, self.log = url, issuer, app, log
        self.session = aiohttp.ClientSession()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
        token: str | None = None,
        anonymous: bool = False,
    ) -> tuple[int, Any, dict[str, str]]:
        bearer = {} if anonymous else {"Authorization": f"Bearer {token or self.issuer.issue_token(SCOPE)}"}
        data = raw if raw is not None else (None if body is None else json.dumps(body).encode())
        kind = {} if data is None else {"Content-Type": "application/json"}
        sent = None if data is None else io.BytesIO(data)
        async with self.session.request(
            method, self.url + path, data=sent, headers={**kind, **bearer, **(headers or {})}
        ) as answer:
            text = await answer.text()
            assert PLANTED not in text + str(answer.headers), "what was submitted is never said back"
            said: Any = json.loads(text) if "json" in answer.content_type else text  # whatever is answered
            if answer.status >= 400:
                assert answer.content_type == MEDIA_TYPE
                assert said["status"] == answer.status
                assert all(said[member] for member in ("type", "title", "detail"))
            return answer.status, said, dict(answer.headers)


@pytest_asyncio.fixture
async def client(database: Database) -> AsyncGenerator[Client]:
    async with TokenIssuer().serve() as issuer:
        log = Logbook()
        service = Service(
            name="turnstile",
            description="a test",
            settings=RuntimeSettings(
                database_url=SecretStr(database.url),
                kafka_bootstrap=NOWHERE,
                token_issuer=issuer.issuer,
                token_jwks_url=issuer.jwks_url,
                fingerprint_key=SecretStr("f" * 32),
            ),
            database=database,
            unit_of_work=TurnstileWork,
            migrations=Path(),
            routes=(router,),
            subscriptions=SUBSCRIPTIONS,
            timers=TIMERS,
        )
        app = Runner(service, log=log).build_app()
        app.state.ready.set()
        async with serve_app(app) as url:
            client = Client(url, issuer, app, log)
            yield client
            await client.session.close()


def an_ask(**changed: object) -> dict[str, object]:
    return {"package_id": str(uuid4()), "times": 1, **changed}


async def test_a_command_is_answered_after_its_commit(client: Client, database: Database) -> None:
    status, said, _ = await client.ask("POST", "/v1/asks", body=an_ask(times=2))
    assert (status, said["times"]) == (201, 2)
    actors = await rows(database, "SELECT DISTINCT actor FROM journal")
    assert [row.actor for row in actors] == ["system:system-1"]


async def test_all_wrong_fields_are_named_and_none_is_quoted(client: Client) -> None:
    body = {"package_id": PLANTED, "times": PLANTED, "way": PLANTED, "through": {"shape": PLANTED}}
    status, said, _ = await client.ask("POST", "/v1/asks", body=body)
    assert status == 422
    assert {error["pointer"] for error in said["errors"]} == {
        "#/package_id",
        "#/times",
        "#/way",
        "#/through",
    }
    assert {error["detail"] for error in said["errors"]} >= {
        "must be one of 'in' or 'out'",
        "must be one of 'square', 'circle'",
    }


@pytest.mark.parametrize(
    ("method", "path", "raw", "wanted"),
    [
        ("GET", f"/v1/nowhere/{PLANTED}", None, 404),
        ("PUT", "/v1/asks", None, 405),
        ("POST", "/v1/asks", b"{not json", 422),
        ("POST", "/v1/asks", f'"{PLANTED}"'.encode(), 422),
        ("POST", "/v1/asks", b"", 422),
        ("POST", "/v1/asks", b"\xff\xfe", 422),
        ("POST", "/v1/asks", b'{"times": "' + b"9" * 1_100_000 + b'"}', 413),
        ("POST", "/v1/asks", b"[" * 50_000, 400),
        ("GET", f"/v1/numbers?limit={PLANTED}", None, 422),
        ("GET", f"/v1/numbers?cursor={PLANTED}", None, 422),
    ],
)
async def test_whatever_is_wrong_the_answer_is_a_problem(
    client: Client, method: str, path: str, raw: bytes | None, wanted: int
) -> None:
    status, _, _ = await client.ask(method, path, raw=raw)
    assert status == wanted


async def test_a_body_that_is_too_large_is_refused_though_it_does_not_say_so(client: Client) -> None:
    async def pieces() -> AsyncGenerator[bytes]:
        for _ in range(11):
            yield b"9" * (LARGEST_BODY // 10)

    headers = {"Authorization": f"Bearer {client.issuer.issue_token(SCOPE)}", "Content-Type": "application/json"}
    async with client.session.post(f"{client.url}/v1/asks", data=pieces(), headers=headers) as answer:
        assert (answer.status, answer.content_type) == (413, MEDIA_TYPE)


async def test_a_body_that_says_it_is_too_large_is_refused_before_any_of_it_is_sent(client: Client) -> None:
    headers = {
        "Authorization": f"Bearer {client.issuer.issue_token(SCOPE)}",
        "Content-Type": "application/json",
        "Content-Length": str(LARGEST_BODY + 1),
        "Expect": "100-continue",
    }
    async with client.session.post(f"{client.url}/v1/asks", data=b"", headers=headers) as answer:
        assert (answer.status, answer.content_type) == (413, MEDIA_TYPE)


async def test_another_content_type_than_json_is_refused(client: Client) -> None:
    status, _, _ = await client.ask(
        "POST", "/v1/asks", raw=json.dumps(an_ask()).encode(), headers={"Content-Type": "text/plain"}
    )
    assert status in {415, 422}


async def test_our_own_mistakes_say_nothing_of_what_was_submitted(client: Client) -> None:
    status, said, _ = await client.ask("POST", "/v1/broken", body={"value": PLANTED})
    assert status == 500
    assert said["title"] == "Internal Server Error"
    assert PLANTED not in str(client.log.lines)
    assert client.log.said("request failed")[0].fields == {"error": "RuntimeError"}


async def test_the_same_key_at_once_has_one_effect_and_one_answer(client: Client, database: Database) -> None:
    body, key = an_ask(), {"Idempotency-Key": PLANTED}
    answers = await asyncio.gather(*(client.ask("POST", "/v1/asks", body=body, headers=key) for _ in range(8)))
    assert {status for status, _, _ in answers} == {201}
    assert len({said["answer"] for _, said, _ in answers}) == 1
    assert await number(database, "SELECT count(*) FROM journal") == 1
    kept = await rows(database, "SELECT idempotency_keys::text FROM idempotency_keys")
    assert PLANTED not in str(kept), "the key is the caller's own text"


async def test_the_same_key_with_another_body_is_refused(client: Client) -> None:
    key = {"Idempotency-Key": "key-1"}
    await client.ask("POST", "/v1/asks", body=an_ask(), headers=key)
    status, said, _ = await client.ask("POST", "/v1/asks", body=an_ask(), headers=key)
    assert (status, said["title"]) == (422, "Idempotency key reused")


async def test_the_same_key_of_another_caller_is_another_key(client: Client) -> None:
    key = {"Idempotency-Key": "key-1"}
    await client.ask("POST", "/v1/asks", body=an_ask(), headers=key)
    other = client.issuer.issue_token(SCOPE, subject="system-2")
    status, _, _ = await client.ask("POST", "/v1/asks", body=an_ask(), headers=key, token=other)
    assert status == 201


async def test_a_twin_that_takes_long_is_answered_with_come_back(client: Client, database: Database) -> None:
    body = an_ask()
    gate = Turnstile("turnstile", database, NOWHERE)
    held, may_end = asyncio.Event(), asyncio.Event()

    async def hold(_: TurnstileWork) -> None:
        held.set()
        await may_end.wait()

    holding = asyncio.create_task(gate.do(UUID(str(body["package_id"])), hold))
    await held.wait()
    status, _, headers = await client.ask("POST", "/v1/asks", body=body)
    may_end.set()
    await holding
    assert (status, headers["Retry-After"]) == (409, "1")


async def test_a_refusal_on_record_is_409_each_time_and_on_record_once(client: Client, database: Database) -> None:
    body, key = an_ask(), {"Idempotency-Key": "late"}
    first, again = [await client.ask("POST", "/v1/late-asks", body=body, headers=key) for _ in range(2)]
    assert first[0] == again[0] == 409
    assert first[1] == again[1]
    assert await number(database, "SELECT count(*) FROM journal") == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://someone-else.example"},
        {"aud": "another-service"},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"sub": None},
        {"sub": "test.person@example.org"},
        {"sub": "Test Person"},
        {"council": None},
        {"iss": None},
        {"provider_id": "not-an-id"},
    ],
)
async def test_a_token_that_is_not_right_lets_nobody_in(client: Client, claims: dict[str, object]) -> None:
    token = client.issuer.issue_token(SCOPE, **claims)  # pyright: ignore[reportArgumentType]
    status, said, headers = await client.ask("POST", "/v1/asks", body=an_ask(), token=token)
    assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
    assert token not in str(said)


def unsigned(issuer: TokenIssuer, algorithm: str) -> str:
    _, claims, _ = issuer.issue_token(SCOPE).split(".")
    header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "kid": "test-1"}).encode()).decode().rstrip("=")
    return f"{header}.{claims}."


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS256"])
async def test_a_token_without_a_signature_of_ours_lets_nobody_in(client: Client, algorithm: str) -> None:
    token = unsigned(client.issuer, algorithm)
    assert (await client.ask("POST", "/v1/asks", body=an_ask(), token=token))[0] == 401


async def test_a_token_of_an_unknown_key_lets_nobody_in(client: Client) -> None:
    for key_id in ("unknown", "test-1"):
        token = client.issuer.issue_token(SCOPE, signed_with=generate_key(key_id))
        assert (await client.ask("POST", "/v1/asks", body=an_ask(), token=token))[0] == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é", "." * 100])
async def test_what_is_no_token_lets_nobody_in(client: Client, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    assert (await client.ask("POST", "/v1/asks", body=an_ask(), headers=headers, anonymous=True))[0] == 401


async def test_without_a_token_or_without_the_scope_nobody_gets_in(client: Client) -> None:
    assert (await client.ask("POST", "/v1/asks", body=an_ask(), anonymous=True))[0] == 401
    other = client.issuer.issue_token("another:scope")
    status, said, _ = await client.ask("POST", "/v1/asks", body=an_ask(), token=other)
    assert (status, said["detail"]) == (403, f"this needs the scope {SCOPE}")
    assert (await client.ask("GET", "/v1/parked"))[0] == 403


@pytest.mark.parametrize("kind", ["RSA", "P-256", "Ed25519"])
async def test_every_allowed_kind_of_key_signs_tokens_that_let_in(kind: str) -> None:
    async with TokenIssuer().serve() as issuer:
        issuer.rotate(generate_key("other", kind=kind))
        authenticator = Authenticator(JwksOverHttp(issuer.jwks_url), issuer=issuer.issuer, audience="calloff")
        caller = await authenticator.authenticate(issuer.issue_token("a", "b", provider_id=str(uuid4())))
        assert caller.scopes == {"a", "b"}
        assert caller.actor.startswith("provider:")


async def test_a_new_key_is_fetched_once_it_is_named(client: Client) -> None:
    keys = JwksOverHttp(client.issuer.jwks_url, min_refetch_interval=0)
    authenticator = Authenticator(keys, issuer=client.issuer.issuer, audience="calloff")
    await authenticator.authenticate(client.issuer.issue_token())
    client.issuer.rotate(generate_key("next"))
    await authenticator.authenticate(client.issuer.issue_token())
    await authenticator.authenticate(client.issuer.issue_token())
    assert client.issuer.asked == 2


async def test_keys_that_were_fetched_once_outlast_their_provider() -> None:
    issuer = TokenIssuer()
    async with issuer.serve():
        keys = JwksOverHttp(issuer.jwks_url, keep_for=0, min_refetch_interval=0)
        authenticator = Authenticator(keys, issuer=issuer.issuer, audience="calloff")
        await authenticator.authenticate(issuer.issue_token())
    await authenticator.authenticate(issuer.issue_token())


async def test_keys_that_were_never_there_are_a_matter_of_time() -> None:
    authenticator = Authenticator(JwksOverHttp("http://127.0.0.1:1/"), issuer="x", audience="calloff")
    with pytest.raises(KeysUnavailable):
        await authenticator.authenticate(TokenIssuer().issue_token())


async def test_an_identity_provider_that_fails_is_not_asked_for_every_request() -> None:
    async with TokenIssuer().serve() as issuer:
        keys = JwksOverHttp(issuer.jwks_url, keep_for=0.3)
        authenticator = Authenticator(keys, issuer=issuer.issuer, audience="calloff")
        await authenticator.authenticate(issuer.issue_token())
        issuer.away = True
        await asyncio.sleep(0.31)  # the keys' age is what is tested
        for _ in range(5):
            await authenticator.authenticate(issuer.issue_token())
        assert issuer.asked == 2


async def test_a_page_leads_to_the_next_and_the_last_one_ends(client: Client) -> None:
    pages: list[dict[str, Any]] = []  # of numbers, and the cursor of the next
    path = "/v1/numbers?limit=4"
    for _ in range(3):
        _, page, _ = await client.ask("GET", path)
        pages.append(page)
        path = f"/v1/numbers?limit=4&cursor={page['next']}"
    assert [number for page in pages for number in page["items"]] == list(range(10))
    assert pages[-1]["next"] is None


async def test_probes_need_no_token_and_metrics_tell_what_waits(client: Client) -> None:
    assert (await client.ask("GET", "/healthz", anonymous=True))[0] == 200
    assert (await client.ask("GET", "/readyz", anonymous=True))[0] == 200
    await client.ask("POST", "/v1/asks", body=an_ask(times=3))
    status, said, _ = await client.ask("GET", "/metrics", anonymous=True)
    assert status == 200
    assert "calloff_outbox_rows 3.0" in said


async def test_a_service_that_still_catches_up_says_so_and_takes_no_command(client: Client) -> None:
    client.app.state.ready.clear()
    status, said, headers = await client.ask("GET", "/readyz", anonymous=True)
    assert (status, headers["Retry-After"]) == (503, "1")
    assert "catching up" in said["detail"]
    status, _, headers = await client.ask("POST", "/v1/asks", body=an_ask())
    assert (status, headers["Retry-After"]) == (503, "2")


async def test_a_parked_key_is_listed_released_and_its_event_discarded(client: Client, database: Database) -> None:
    token = client.issuer.issue_token("operations:manage", subject="op-1")
    package, event = uuid4(), uuid4()
    await rows(
        database,
        "INSERT INTO streams (topic, key, parked_because, parked_at) VALUES ('homecare.packages.v1', :key, 'x', now())",
        key=str(package),
    )
    await rows(
        database,
        """
        INSERT INTO dead_letters (event_id, topic, key, type, headers, payload, arrived_at, failure)
        VALUES (:event, 'homecare.packages.v1', :key, 'calloff.Some.v1', '[]', '{}', now(), 'x')
        """,
        event=event,
        key=str(package),
    )
    _, listed, _ = await client.ask("GET", "/v1/parked", token=token)
    assert [(item["key"], item["event_id"]) for item in listed["items"]] == [(str(package), str(event))]
    status, said, _ = await client.ask("POST", "/v1/asks", body=an_ask(package_id=str(package)))
    assert (status, said["title"]) == (409, "Key parked")

    discard = f"/v1/parked/events/{event}/discard"
    assert (await client.ask("POST", discard, body={"because": "INC-7"}, token=token))[0] == 204
    assert (await client.ask("POST", discard, body={"because": "INC-7"}, token=token))[0] == 404
    release = f"/v1/parked/homecare.packages.v1/{package}/release"
    assert (await client.ask("POST", release, token=token))[1] == {"handled": 0, "still_parked": False}
    assert (await client.ask("POST", release, token=token))[0] == 404
    assert (await client.ask("POST", "/v1/asks", body=an_ask(package_id=str(package))))[0] == 201


async def test_what_is_away_is_503_with_a_time_to_come_back(client: Client) -> None:
    status, _, headers = await client.ask("GET", "/v1/away")
    assert (status, headers["Retry-After"]) == (503, "2")


async def test_a_table_that_is_missing_is_our_mistake(client: Client, database: Database) -> None:
    await rows(database, "ALTER TABLE streams RENAME TO gone")
    assert (await client.ask("POST", "/v1/asks", body=an_ask()))[0] == 500
    await rows(database, "ALTER TABLE gone RENAME TO streams")
    assert (await client.ask("POST", "/v1/asks", body=an_ask()))[0] == 201
