"""Requests of callers: every refusal names what is wrong, and nothing is half-written."""

from typing import Final
from uuid import UUID, uuid4

import pytest
from jsonschema.protocols import Validator

from service_runtime.http.bodies import LARGEST_BODY
from testkit.databases import fetch_number
from testkit.http_response import HttpResponse
from testkit.openapi import check_documented_operations
from testkit.sourcing.harness import ANSWER, OPERATE, SourcingHarness
from testkit.sourcing.offer_desk import OfferDesk
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
TOO_MUCH: Final = b'{"reason": "' + b"x" * LARGEST_BODY + b'"}'


def assert_problem(answer: HttpResponse, status: int, schema: Validator) -> None:
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert [str(error) for error in schema.iter_errors(answer.body)] == []
    assert answer.body["status"] == status


async def count_written_rows(offer_desk: OfferDesk) -> tuple[int, int]:
    """How much is on record of the offer_desk's packages, and how many answers are kept for its callers."""
    packages = [str(offer_desk.offer.package_id), str(offer_desk.to_call.package_id)]
    callers = f"{offer_desk.harness.council}/%"
    return (
        await fetch_number(
            offer_desk.harness.database, "SELECT count(*) FROM journal WHERE key = ANY(:packages)", packages=packages
        ),
        await fetch_number(
            offer_desk.harness.database,
            "SELECT count(*) FROM idempotency_keys WHERE caller LIKE :callers",
            callers=callers,
        ),
    )


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("credentials", ["", "Basic dGVzdDp0ZXN0", "Bearer rubbish", "Bearer a.b.c"])
async def test_a_request_without_a_token_is_refused(
    harness: SourcingHarness, problem_schema: Validator, method: str, path: str, credentials: str
) -> None:
    answer = await harness.sourcing.request(method, path, headers={"Authorization": credentials})
    assert_problem(answer, 401, problem_schema)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_token_without_the_scope_is_refused(
    harness: SourcingHarness, problem_schema: Validator, method: str, path: str
) -> None:
    answer = await harness.sourcing.request(
        method, path, "referrals:read", council=harness.council, provider_id=str(uuid4())
    )
    assert_problem(answer, 403, problem_schema)
    assert "this request needs the scope" in answer.body["detail"]


async def test_a_token_without_a_provider_gets_no_offers(harness: SourcingHarness, problem_schema: Validator) -> None:
    answer = await harness.sourcing.request("GET", "/v1/offers", ANSWER, council=harness.council)
    assert_problem(answer, 403, problem_schema)


@pytest.mark.parametrize("subject", ["test.person@example.org", "Test Person"])
async def test_a_subject_that_could_be_a_person_is_refused(
    harness: SourcingHarness, problem_schema: Validator, subject: str
) -> None:
    answer = await harness.sourcing.request("GET", "/v1/work-list", OPERATE, council=harness.council, subject=subject)
    assert_problem(answer, 401, problem_schema)


async def test_the_offer_of_another_provider_is_not_found(offer_desk: OfferDesk, problem_schema: Validator) -> None:
    before = await count_written_rows(offer_desk)
    for name, offer_id in (("Birch", offer_desk.offer.offer_id), ("Alder", NOBODYS)):
        path = f"/v1/offers/{offer_id}"
        answers = [
            await offer_desk.market.request_as_provider(name, "GET", path),
            await offer_desk.market.request_as_provider(name, "POST", f"{path}/accept"),
            await offer_desk.market.request_as_provider(name, "POST", f"{path}/decline", {"reason": "other"}),
        ]
        for answer in answers:
            assert_problem(answer, 404, problem_schema)
    assert await count_written_rows(offer_desk) == before
    assert await offer_desk.market.list_offers("Birch") == []


async def test_packages_and_offers_of_another_council_are_not_found(
    offer_desk: OfferDesk, problem_schema: Validator
) -> None:
    before = await count_written_rows(offer_desk)
    alder, path = str(offer_desk.market.get_provider_id("Alder")), f"/v1/offers/{offer_desk.offer.offer_id}"
    stranger = Claims(council="another-council", provider_id=alder)
    ask = offer_desk.harness.sourcing.request
    for answer in (
        await ask("GET", path, ANSWER, **stranger),
        await ask("POST", f"{path}/accept", ANSWER, **stranger),
        await ask(
            "POST", f"/v1/offers/{offer_desk.to_call.offer_id}/calls", OPERATE, body={"result": "reached"}, **stranger
        ),
        await ask("GET", f"/v1/packages/{offer_desk.offer.package_id}/decision", OPERATE, **stranger),
    ):
        assert_problem(answer, 404, problem_schema)
    assert (await ask("GET", "/v1/offers", ANSWER, **stranger)).body["items"] == []
    assert (await ask("GET", "/v1/work-list", OPERATE, **stranger)).body["items"] == []
    assert await count_written_rows(offer_desk) == before


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
async def test_an_invalid_decline_is_refused_with_its_fields(
    offer_desk: OfferDesk, problem_schema: Validator, body: object, named: str
) -> None:
    before = await count_written_rows(offer_desk)
    answer = await offer_desk.market.request_as_provider(
        "Alder", "POST", f"/v1/offers/{offer_desk.offer.offer_id}/decline", body
    )
    assert_problem(answer, 422, problem_schema)
    assert [each["pointer"] for each in answer.body["errors"]] == [named]
    assert await count_written_rows(offer_desk) == before


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
    offer_desk: OfferDesk, problem_schema: Validator, body: dict[str, str], named: str
) -> None:
    before = await count_written_rows(offer_desk)
    path = f"/v1/offers/{offer_desk.to_call.offer_id}/calls"
    answer = await offer_desk.harness.request_as_officer("POST", path, body)
    assert_problem(answer, 422, problem_schema)
    assert [each["pointer"] for each in answer.body["errors"]] == named.split()
    assert await count_written_rows(offer_desk) == before


@pytest.mark.parametrize(("raw", "status"), [(b"{", 422), (b"\xff\xfe", 422), (TOO_MUCH, 413)])
async def test_a_body_that_is_not_json_or_too_large_is_refused(
    offer_desk: OfferDesk, problem_schema: Validator, raw: bytes, status: int
) -> None:
    before = await count_written_rows(offer_desk)
    answer = await offer_desk.harness.sourcing.request(
        "POST",
        f"/v1/offers/{offer_desk.offer.offer_id}/decline",
        ANSWER,
        raw=raw,
        headers={"Content-Type": "application/json"},
        council=offer_desk.harness.council,
        provider_id=str(offer_desk.market.get_provider_id("Alder")),
    )
    assert_problem(answer, status, problem_schema)
    assert await count_written_rows(offer_desk) == before


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
async def test_an_invalid_parameter_is_named(
    offer_desk: OfferDesk, problem_schema: Validator, query: str, named: str
) -> None:
    answer = await offer_desk.market.request_as_provider("Alder", "GET", f"/v1/offers?{query}")
    assert_problem(answer, 422, problem_schema)
    assert [each["pointer"] for each in answer.body["errors"]] == [named]


async def test_pages_of_offers_have_no_gap(offer_desk: OfferDesk) -> None:
    seen: list[str] = []
    query = "limit=1"
    for _ in range(3):
        page = (await offer_desk.market.request_as_provider("Alder", "GET", f"/v1/offers?{query}")).body
        seen += [each["offer_id"] for each in page["items"]]
        query = f"limit=1&cursor={page['next']}"
        if page["next"] is None:
            break
    assert sorted(seen) == sorted([str(offer_desk.offer.offer_id), str(offer_desk.to_call.offer_id)])


async def test_an_idempotency_key_has_a_maximum_length(offer_desk: OfferDesk, problem_schema: Validator) -> None:
    answer = await offer_desk.market.accept("Alder", offer_desk.offer, idempotency_key="x" * 129)
    assert_problem(answer, 422, problem_schema)
    assert [each["pointer"] for each in answer.body["errors"]] == ["header:Idempotency-Key"]


async def test_every_response_conforms_to_the_openapi_page(offer_desk: OfferDesk, problem_schema: Validator) -> None:
    issuer, council = offer_desk.harness.sourcing.issuer, offer_desk.harness.council
    alder = str(offer_desk.market.get_provider_id("Alder"))
    await check_documented_operations(
        offer_desk.harness.sourcing.url,
        tokens=[
            issuer.issue_token(*EVERYTHING, council=council, provider_id=alder),
            issuer.issue_token(*EVERYTHING, council=council),
            issuer.issue_token("referrals:read", council=council),
            "rubbish",
        ],
        path_values={
            "offer_id": [offer_desk.offer.offer_id, offer_desk.to_call.offer_id],
            "package_id": [offer_desk.offer.package_id],
            "token": [
                offer_desk.market.build_link("Alder", each).rpartition("/")[2]
                for each in (offer_desk.offer, offer_desk.to_call)
            ],
        },
        problem_schema=problem_schema,
    )
    assert await offer_desk.harness.find_faults([offer_desk.offer.package_id, offer_desk.to_call.package_id]) == []
