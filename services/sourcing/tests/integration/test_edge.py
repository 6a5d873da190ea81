"""What callers may ask and what they are told: every refusal names what is wrong, and nothing is half-written."""

import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

import pytest
from jsonschema.protocols import Validator

from service_runtime.http.bodies import LARGEST_BODY
from testkit.databases import number, rows
from testkit.openapi import check_documented_operations
from testkit.running_services import Reply
from testkit.sourcing.harness import ANSWER, OPERATE, SourcingHarness
from testkit.sourcing.responses import OfferResponse
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.tokens import Claims

pytestmark = pytest.mark.xdist_group("sourcing")

NOBODYS: Final = UUID(int=1)
EVERYTHING: Final = (ANSWER, OPERATE, "audit:read", "operations:manage")
ROUTES: Final = (
    ("GET", "/v1/offers"),
    ("GET", f"/v1/offers/{NOBODYS}"),
    ("POST", f"/v1/offers/{NOBODYS}/accept"),
    ("POST", f"/v1/offers/{NOBODYS}/decline"),
    ("POST", f"/v1/offers/{NOBODYS}/calls"),
    ("GET", "/v1/work-list"),
    ("GET", f"/v1/packages/{NOBODYS}/decision"),
    ("GET", "/v1/parked"),
    ("POST", f"/v1/parked/topic/{NOBODYS}/release"),
    ("POST", f"/v1/parked/events/{NOBODYS}/discard"),
)


@dataclass(frozen=True)
class Desk:
    """An offer that waits for Alder's answer, and one that an officer has to telephone about."""

    harness: SourcingHarness
    market: ScenarioMarket
    offer: OfferResponse
    to_call: OfferResponse


@pytest.fixture
async def desk(harness: SourcingHarness) -> Desk:
    market = await ScenarioMarket.create(harness, "Alder", "Birch")
    offer = await market.wait_for_offer("Alder", await market.request_package())
    to_call = await market.wait_for_offer("Alder", await market.request_package())
    await market.report_undeliverable("Alder", to_call)
    await harness.wait_for_work_item(to_call.package_id)
    return Desk(harness, market, offer, to_call)


def assert_problem(answer: Reply, status: int, schema: Validator) -> None:
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert [str(error) for error in schema.iter_errors(answer.body)] == []
    assert answer.body["status"] == status


async def written(desk: Desk) -> tuple[int, int]:
    """How much is on record of the desk's packages, and how many answers are kept for its callers."""
    packages = [str(desk.offer.package_id), str(desk.to_call.package_id)]
    callers = f"{desk.harness.council}/%"
    return (
        await number(
            desk.harness.database, "SELECT count(*) FROM journal WHERE key = ANY(:packages)", packages=packages
        ),
        await number(
            desk.harness.database, "SELECT count(*) FROM idempotency_keys WHERE caller LIKE :callers", callers=callers
        ),
    )


# --- who may ask


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("credentials", ["", "Basic dGVzdDp0ZXN0", "Bearer rubbish", "Bearer a.b.c"])
async def test_who_does_not_say_who_they_are_is_told_to(
    harness: SourcingHarness, problem_schema: Validator, method: str, path: str, credentials: str
) -> None:
    answer = await harness.sourcing.ask(method, path, headers={"Authorization": credentials})
    assert_problem(answer, 401, problem_schema)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_token_for_something_else_is_not_enough(
    harness: SourcingHarness, problem_schema: Validator, method: str, path: str
) -> None:
    answer = await harness.sourcing.ask(
        method, path, "referrals:read", council=harness.council, provider_id=str(uuid4())
    )
    assert_problem(answer, 403, problem_schema)
    assert "this needs the scope" in answer.body["detail"]


async def test_a_token_without_a_provider_has_no_offers(harness: SourcingHarness, problem_schema: Validator) -> None:
    answer = await harness.sourcing.ask("GET", "/v1/offers", ANSWER, council=harness.council)
    assert_problem(answer, 403, problem_schema)


@pytest.mark.parametrize("subject", ["test.person@example.org", "Test Person"])
async def test_a_subject_that_could_be_a_person_never_reaches_the_record(
    harness: SourcingHarness, problem_schema: Validator, subject: str
) -> None:
    answer = await harness.sourcing.ask("GET", "/v1/work-list", OPERATE, council=harness.council, subject=subject)
    assert_problem(answer, 401, problem_schema)


async def test_another_providers_offer_is_as_unknown_as_one_that_does_not_exist(
    desk: Desk, problem_schema: Validator
) -> None:
    before = await written(desk)
    for name, offer_id in (("Birch", desk.offer.offer_id), ("Alder", NOBODYS)):
        path = f"/v1/offers/{offer_id}"
        answers = [
            await desk.market.request_as_provider(name, "GET", path),
            await desk.market.request_as_provider(name, "POST", f"{path}/accept"),
            await desk.market.request_as_provider(name, "POST", f"{path}/decline", {"reason": "other"}),
        ]
        for answer in answers:
            assert_problem(answer, 404, problem_schema)
    assert await written(desk) == before
    assert await desk.market.list_offers("Birch") == []


async def test_another_councils_packages_and_offers_are_unknown(desk: Desk, problem_schema: Validator) -> None:
    before = await written(desk)
    alder, path = str(desk.market.get_provider_id("Alder")), f"/v1/offers/{desk.offer.offer_id}"
    stranger = Claims(council="another-council", provider_id=alder)
    ask = desk.harness.sourcing.ask
    for answer in (
        await ask("GET", path, ANSWER, **stranger),
        await ask("POST", f"{path}/accept", ANSWER, **stranger),
        await ask("POST", f"/v1/offers/{desk.to_call.offer_id}/calls", OPERATE, body={"result": "reached"}, **stranger),
        await ask("GET", f"/v1/packages/{desk.offer.package_id}/decision", OPERATE, **stranger),
    ):
        assert_problem(answer, 404, problem_schema)
    assert (await ask("GET", "/v1/offers", ANSWER, **stranger)).body["items"] == []
    assert (await ask("GET", "/v1/work-list", OPERATE, **stranger)).body["items"] == []
    assert await written(desk) == before


# --- what may be asked

TOO_MUCH: Final = b'{"reason": "' + b"x" * LARGEST_BODY + b'"}'


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "#/reason"),
        ({"reason": "bored"}, "#/reason"),
        ({"reason": 7}, "#/reason"),
        ({"reason": "other", "name": "Test Person"}, "#/name"),
        ([], "#"),
        (None, "#"),
    ],
)
async def test_a_wrong_decline_is_told_which_field_and_what_to_do(
    desk: Desk, problem_schema: Validator, body: object, named: str
) -> None:
    before = await written(desk)
    answer = await desk.market.request_as_provider("Alder", "POST", f"/v1/offers/{desk.offer.offer_id}/decline", body)
    assert_problem(answer, 422, problem_schema)
    assert [each["pointer"] for each in answer.body["errors"]] == [named]
    assert await written(desk) == before


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"result": "reached", "answer": "decline"}, "#/decline_reason"),
        ({"result": "reached", "answer": "accept", "decline_reason": "other"}, "#/decline_reason"),
        ({"result": "reached", "decline_reason": "other"}, "#/decline_reason"),
        ({"result": "answering machine", "answer": "perhaps"}, "#/result #/answer"),
        ({"result": "reached", "note": "spoke to Test Person"}, "#/note"),
        ({"result": "nobody reached", "answer": "accept"}, ""),
    ],
)
async def test_a_call_that_contradicts_itself_is_refused(
    desk: Desk, problem_schema: Validator, body: dict[str, str], named: str
) -> None:
    before = await written(desk)
    path = f"/v1/offers/{desk.to_call.offer_id}/calls"
    answer = await desk.harness.request_as_officer("POST", path, body)
    assert_problem(answer, 422, problem_schema)
    assert [each["pointer"] for each in answer.body["errors"]] == named.split()
    assert await written(desk) == before


@pytest.mark.parametrize(("raw", "status"), [(b"{", 422), (b"\xff\xfe", 422), (TOO_MUCH, 413)])
async def test_a_body_that_is_no_json_or_too_large_is_refused(
    desk: Desk, problem_schema: Validator, raw: bytes, status: int
) -> None:
    before = await written(desk)
    answer = await desk.harness.sourcing.ask(
        "POST",
        f"/v1/offers/{desk.offer.offer_id}/decline",
        ANSWER,
        raw=raw,
        headers={"Content-Type": "application/json"},
        council=desk.harness.council,
        provider_id=str(desk.market.get_provider_id("Alder")),
    )
    assert_problem(answer, status, problem_schema)
    assert await written(desk) == before


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=0", "query:limit"),
        ("limit=201", "query:limit"),
        ("limit=many", "query:limit"),
        ("live=perhaps", "query:live"),
        ("cursor=rubbish", "query:cursor"),
        (f"cursor={'x' * 201}", "query:cursor"),
        ("cursor=WzEsMl0=", "query:cursor"),
    ],
)
async def test_a_wrong_question_is_told_which_parameter(
    desk: Desk, problem_schema: Validator, query: str, named: str
) -> None:
    answer = await desk.market.request_as_provider("Alder", "GET", f"/v1/offers?{query}")
    assert_problem(answer, 422, problem_schema)
    assert [each["pointer"] for each in answer.body["errors"]] == [named]


async def test_pages_of_offers_follow_each_other_without_a_gap(desk: Desk) -> None:
    seen: list[str] = []
    query = "limit=1"
    for _ in range(3):
        page = (await desk.market.request_as_provider("Alder", "GET", f"/v1/offers?{query}")).body
        seen += [each["offer_id"] for each in page["items"]]
        query = f"limit=1&cursor={page['next']}"
        if page["next"] is None:
            break
    assert sorted(seen) == sorted([str(desk.offer.offer_id), str(desk.to_call.offer_id)])


async def test_an_idempotency_key_has_bounds(desk: Desk, problem_schema: Validator) -> None:
    answer = await desk.market.accept("Alder", desk.offer, idempotency_key="x" * 129)
    assert_problem(answer, 422, problem_schema)
    assert [each["pointer"] for each in answer.body["errors"]] == ["header:Idempotency-Key"]


# --- any request at all


async def test_any_request_gets_an_answer_that_the_openapi_page_declares(desk: Desk, problem_schema: Validator) -> None:
    issuer, council = desk.harness.sourcing.issuer, desk.harness.council
    alder = str(desk.market.get_provider_id("Alder"))
    await check_documented_operations(
        desk.harness.sourcing.url,
        tokens=[
            issuer.issue_token(*EVERYTHING, council=council, provider_id=alder),
            issuer.issue_token(*EVERYTHING, council=council),
            issuer.issue_token("referrals:read", council=council),
            "rubbish",
        ],
        known={
            "offer_id": [desk.offer.offer_id, desk.to_call.offer_id],
            "package_id": [desk.offer.package_id],
            "token": [desk.market.build_link("Alder", each).rpartition("/")[2] for each in (desk.offer, desk.to_call)],
        },
        problem_schema=problem_schema,
    )
    assert await desk.harness.find_faults([desk.offer.package_id, desk.to_call.package_id]) == []


# --- what must not be kept


async def test_nothing_that_a_caller_plants_is_kept_or_told_anywhere(desk: Desk) -> None:
    harness, market = desk.harness, desk.market
    planted = f"TestPerson{secrets.token_hex(6)}"
    headers = {
        "X-Request-Id": planted,
        "User-Agent": planted,
        "tracestate": f"who={planted.lower()}",
        "baggage": f"who={planted}",
    }
    decline = f"/v1/offers/{desk.offer.offer_id}/decline"
    orders: list[tuple[str, object]] = [
        (decline, {"reason": planted}),
        (decline, {"reason": "other", planted: 1, "note": planted}),
        (decline, [planted]),
        (f"/v1/offers/{planted}/accept", None),
        (f"/v1/{planted}", {"name": planted}),
        (f"/v1/offers/{desk.offer.offer_id}/accept?who={planted}", None),
        (decline, {"reason": "other"}),
    ]
    calls = [{"result": planted}, {"result": "reached", "answer": planted}, {"result": "reached", planted: ""}]
    path = f"/v1/offers/{desk.to_call.offer_id}/calls"
    ask = harness.sourcing.ask
    told = [
        *[
            await market.request_as_provider(
                "Alder", "POST", path, body, headers={**headers, "Idempotency-Key": f"{planted} {number}"}
            )
            for number, (path, body) in enumerate(orders)
        ],
        *[
            await market.request_as_provider("Alder", "GET", f"/v1/offers?{name}={planted}", headers=headers)
            for name in ("cursor", "live", "limit")
        ],
        *[await harness.request_as_officer("POST", path, body) for body in calls],
        await ask("GET", "/v1/work-list", OPERATE, subject=f"{planted} x", council=harness.council),
        await ask("GET", "/v1/work-list", headers={"Authorization": f"Bearer {planted}"}),
        await ask("GET", "/metrics"),
        await harness.request_decision(desk.offer.package_id),
    ]
    assert {answer.status for answer in told} == {200, 401, 404, 409, 422}

    kept = await harness.read_kafka_records([desk.offer.package_id, desk.to_call.package_id])
    assert kept
    places = {
        # Which field is not one of ours can only be said by its name.
        "answers": [f"{each.body} {dict(each.headers)}".replace(f"#/{planted}", "") for each in told],
        "Kafka": [f"{each.key} {each.headers} {each.value!r}" for each in kept],
        "logs": [harness.logs.getvalue()],
        **{table: await everything_in_table(harness, table) for table in TABLES},
    }
    assert [place for place, texts in places.items() if any(planted.lower() in each.lower() for each in texts)] == []


TABLES: Final = (
    "journal",
    "outbox",
    "inbox",
    "idempotency_keys",
    "dead_letters",
    "streams",
    "timers",
    "holds",
    "searches",
    "offers",
    "placements",
)


async def everything_in_table(harness: SourcingHarness, table: str) -> list[str]:
    """Every row as text, bytes as what they say."""
    return [
        " ".join(each.decode(errors="replace") if isinstance(each, bytes) else str(each) for each in row)
        for row in await rows(harness.database, f"SELECT * FROM {table}")
    ]
