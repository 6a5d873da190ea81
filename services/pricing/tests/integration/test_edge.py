"""Authorisation of pricing's routes, visibility of prices, and confidentiality of submitted values."""

import secrets
from typing import Final
from uuid import UUID, uuid4

import pytest

from contracts.ids import ProviderId
from testkit.databases import fetch_number, fetch_rows
from testkit.http_response import HttpResponse
from testkit.pricing.harness import ADMIN, ANSWER, OPERATE, PricingHarness, a_body

pytestmark = pytest.mark.xdist_group("pricing")

UNKNOWN_ID: Final = UUID(int=1)
RATES: Final = f"/v1/providers/{UNKNOWN_ID}/rates/some-framework/E07000071"
ROUTES: Final = (
    ("GET", "/v1/matrices"),
    ("GET", "/v1/matrices/some-framework/1"),
    ("PUT", RATES),
    ("GET", RATES),
    ("GET", "/v1/rates"),
    ("GET", "/v1/rates/some-framework/comparison"),
    ("GET", f"/v1/packages/{UNKNOWN_ID}/purchase-orders"),
    ("GET", "/v1/purchase-orders"),
    ("GET", "/v1/purchase-orders.csv"),
    ("GET", "/v1/spot-prices"),
    ("POST", f"/v1/spot-prices/{UNKNOWN_ID}/approve"),
    ("POST", f"/v1/spot-prices/{UNKNOWN_ID}/refuse"),
)
ADMIN_ROUTES: Final = ROUTES[-2:]
STAFF_ROUTES: Final = (("GET", "/v1/rates/some-framework/comparison"), *ROUTES[-5:])


def assert_problem(answer: HttpResponse, status: int) -> None:
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.body["status"] == status


async def count_records(harness: PricingHarness) -> tuple[int, int]:
    """Returns the number of published events and of stored responses."""
    return (
        await fetch_number(harness.database, "SELECT count(*) FROM journal"),
        await fetch_number(harness.database, "SELECT count(*) FROM idempotency_keys"),
    )


# --- authorisation


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_request_without_a_valid_token_is_refused(harness: PricingHarness, method: str, path: str) -> None:
    assert_problem(await harness.pricing.request(method, path, headers={"Authorization": "Bearer rubbish"}), 401)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_token_with_other_scopes_is_refused(harness: PricingHarness, method: str, path: str) -> None:
    assert_problem(await harness.request_as_officer(method, path, scopes=("referrals:read",)), 403)


@pytest.mark.parametrize(("method", "path"), STAFF_ROUTES)
async def test_a_provider_cannot_list_the_councils_orders_and_spot_prices(
    harness: PricingHarness, method: str, path: str
) -> None:
    assert_problem(await harness.request_as_provider(ProviderId(uuid4()), method, path), 403)


@pytest.mark.parametrize(("method", "path"), ADMIN_ROUTES)
async def test_a_brokerage_officer_sees_spot_prices_and_cannot_decide(
    harness: PricingHarness, method: str, path: str
) -> None:
    assert (await harness.request_as_officer("GET", "/v1/spot-prices", scopes=(OPERATE,))).status == 200
    assert_problem(await harness.request_as_officer(method, path, {"reason": "too-high"}, scopes=(OPERATE,)), 403)


@pytest.mark.parametrize("verb", ["approve", "refuse"])
async def test_a_provider_cannot_approve_a_price_with_any_scope(harness: PricingHarness, verb: str) -> None:
    (award,) = await harness.publish_awards()
    path, body = f"/v1/spot-prices/{award.award_id}/{verb}", {"reason": "too-high"}
    assert_problem(
        await harness.request_as_provider(award.provider_id, "POST", path, body, scopes=(ANSWER, ADMIN)), 403
    )
    assert await harness.list_published_types(award.package_id) == []


async def test_a_provider_token_without_a_provider_id_is_refused(harness: PricingHarness) -> None:
    assert_problem(await harness.request_as_officer("GET", "/v1/rates", scopes=(ANSWER,)), 403)


# --- whose is what


async def test_another_providers_rates_are_not_found(harness: PricingHarness) -> None:
    alder, birch = ProviderId(uuid4()), ProviderId(uuid4())
    await harness.request_as_provider(alder, "PUT", harness.build_rates_path(alder), a_body(harness.today))
    before = await count_records(harness)
    for path in (harness.build_rates_path(alder), harness.build_rates_path(UNKNOWN_ID)):
        for scopes in ((ANSWER,), (ANSWER, ADMIN)):
            assert_problem(await harness.request_as_provider(birch, "GET", path, scopes=scopes), 404)
            assert_problem(
                await harness.request_as_provider(birch, "PUT", path, a_body(harness.today), scopes=scopes), 404
            )
    assert await count_records(harness) == before


async def test_another_councils_prices_and_orders_are_not_found(harness: PricingHarness) -> None:
    alder = ProviderId(uuid4())
    await harness.request_as_provider(alder, "PUT", harness.build_rates_path(alder), a_body(harness.today))
    (award,), placed = await harness.publish_awards(), await harness.place_package(provider_id=alder)
    await harness.wait_for_orders(placed)
    before = await count_records(harness)
    foreign = "another-council"
    for method, path, body in (
        ("GET", harness.build_rates_path(alder), None),
        ("PUT", harness.build_rates_path(alder), a_body(harness.today)),
        ("GET", f"/v1/matrices/{harness.framework}/1", None),
        ("GET", f"/v1/rates/{harness.framework}/comparison", None),
        ("GET", f"/v1/packages/{placed.package_id}/purchase-orders", None),
        ("POST", f"/v1/spot-prices/{award.award_id}/approve", None),
        ("POST", f"/v1/spot-prices/{award.award_id}/refuse", {"reason": "too-high"}),
    ):
        assert_problem(await harness.request_as_officer(method, path, body, council=foreign), 404)
    assert_problem(
        await harness.request_as_provider(alder, "GET", harness.build_rates_path(alder), council=foreign), 404
    )
    for path in ("/v1/matrices", "/v1/rates", "/v1/purchase-orders", "/v1/spot-prices"):
        assert (await harness.request_as_officer("GET", path, council=foreign)).body["items"] == []
    sheet = await harness.request_as_officer("GET", "/v1/purchase-orders.csv", council=foreign)
    assert str(sheet.body).count("\r\n") == 1
    assert await count_records(harness) == before


# --- what may be asked


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/v1/purchase-orders?limit=0", "query:limit"),
        ("/v1/purchase-orders?cursor=rubbish", "query:cursor"),
        ("/v1/purchase-orders?from=yesterday", "query:from"),
        ("/v1/purchase-orders.csv?until=32", "query:until"),
        ("/v1/spot-prices?status=perhaps", "query:status"),
        ("/v1/rates?provider=alder", "query:provider"),
        ("/v1/rates/some-framework/comparison?band=A%20B", "query:band"),
        ("/v1/matrices?framework=A", "query:framework"),
        ("/v1/matrices/some-framework/0", "path:version"),
    ],
)
async def test_an_invalid_parameter_is_named(harness: PricingHarness, path: str, named: str) -> None:
    answer = await harness.request_as_officer("GET", path)
    assert_problem(answer, 422)
    assert [each["pointer"] for each in answer.body["errors"]] == [named]


# --- confidentiality


async def test_unknown_submitted_values_are_not_stored_published_or_logged(
    harness: PricingHarness, capfd: pytest.CaptureFixture[str]
) -> None:
    planted = f"TestPerson{secrets.token_hex(6)}"
    alder = ProviderId(uuid4())
    (award,), rates = await harness.publish_awards(), harness.build_rates_path(alder)
    body = a_body(harness.today)
    answers = [
        await harness.request_as_provider(alder, "PUT", rates, {**body, "note": planted}, key=f"key of {planted}"),
        await harness.request_as_provider(alder, "PUT", rates, {**body, "valid_from": planted}),
        await harness.request_as_provider(alder, "PUT", rates, [planted]),
        await harness.request_as_provider(alder, "PUT", f"{rates}?who={planted}", body, key=f"key of {planted}"),
        await harness.request_as_officer("POST", f"/v1/spot-prices/{award.award_id}/refuse", {"reason": planted}),
        await harness.request_as_officer("POST", f"/v1/spot-prices/{award.award_id}/approve", key=planted),
        await harness.request_as_officer("GET", f"/v1/purchase-orders?from={planted}"),
        await harness.request_as_officer("GET", f"/v1/purchase-orders.csv?cursor={planted}"),
        await harness.request_as_officer("GET", "/v1/rates", name=f"{planted} x"),
        await harness.pricing.request("GET", "/metrics"),
    ]
    assert {answer.status for answer in answers} == {200, 401, 422}
    records = await harness.read_events([award.package_id])
    written = capfd.readouterr()
    places = {
        "answers": [f"{each.body} {dict(each.headers)}" for each in answers],
        "Kafka": [f"{each.key} {each.headers} {each.value!r}" for each in records],
        "output": [written.out, written.err],
        **{table: await read_table(harness, table) for table in await list_tables(harness)},
    }
    assert len(places) > 15
    assert [place for place, texts in places.items() if any(planted.lower() in each.lower() for each in texts)] == []


async def list_tables(harness: PricingHarness) -> list[str]:
    found = await fetch_rows(harness.database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return [str(each.tablename) for each in found]


async def read_table(harness: PricingHarness, table: str) -> list[str]:
    """Every row as text, bytes as what they say."""
    return [
        " ".join(each.decode(errors="replace") if isinstance(each, bytes) else str(each) for each in row)
        for row in await fetch_rows(harness.database, f"SELECT * FROM {table}")
    ]
