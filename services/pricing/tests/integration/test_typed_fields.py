"""Values of another type or form, and days and numbers out of range, are refused in words by pricing's routes."""

import base64
import json
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

import pytest

from contracts.ids import ProviderId
from testkit.http_response import HttpResponse, list_invalid_fields
from testkit.pricing.harness import PricingHarness, a_body

pytestmark = pytest.mark.xdist_group("pricing")

AN_ID: Final = str(UUID(int=1))


def assert_refused(answer: HttpResponse, *fields: str) -> None:
    assert (answer.status, list_invalid_fields(answer)) == (422, list(fields))
    assert not {*"^$\\"} & {*" ".join(error["detail"] for error in answer.body["errors"])}, "words, not patterns"


@pytest.mark.parametrize("day", ["0", 0, 86400, True, "20260331", "2026-02-30", "0001-01-01", "9999-12-31"])
async def test_a_selection_begins_on_a_day_within_reach(harness: PricingHarness, day: object) -> None:
    alder = ProviderId(uuid4())
    body = {**a_body(harness.today), "valid_from": day}
    assert_refused(
        await harness.request_as_provider(alder, "PUT", harness.build_rates_path(alder), body), "#/valid_from"
    )


@pytest.mark.parametrize("number", ["1", 1.0, True, 10**30, 0])
async def test_the_number_of_a_rate_is_a_whole_number_with_limits(harness: PricingHarness, number: object) -> None:
    alder = ProviderId(uuid4())
    body = {**a_body(harness.today), "rates": [{"service_type": "personal-care", "number": number}]}
    answer = await harness.request_as_provider(alder, "PUT", harness.build_rates_path(alder), body)
    assert_refused(answer, "#/rates/0/number")


@pytest.mark.parametrize(
    "day", ["0", "86400", "1700000000", "20260331", "0001-01-01", "9999-12-31", "2026-01-01T00:00"]
)
@pytest.mark.parametrize("path", ["/v1/purchase-orders", "/v1/purchase-orders.csv"])
async def test_a_range_of_days_has_iso_dates_within_reach(harness: PricingHarness, path: str, day: str) -> None:
    assert_refused(await harness.request_as_officer("GET", f"{path}?from={day}"), "query:from")
    assert_refused(await harness.request_as_officer("GET", f"{path}?until={day}"), "query:until")


async def test_the_widest_range_of_days_is_answered(harness: PricingHarness) -> None:
    for path in ("/v1/purchase-orders", "/v1/purchase-orders.csv"):
        answer = await harness.request_as_officer("GET", f"{path}?from=1990-01-01&until=2199-12-31")
        assert answer.status == 200


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/v1/rates?framework=A%20B", "query:framework"),
        ("/v1/rates?area=%1B", "query:area"),
        (f"/v1/matrices/some-framework/{10**30}", "path:version"),
        ("/v1/matrices/Some/1", "path:framework"),
        (f"/v1/providers/{AN_ID}/rates/some-framework/E%1B07", "path:area"),
    ],
)
async def test_a_parameter_of_another_form_is_refused_in_words(harness: PricingHarness, path: str, named: str) -> None:
    assert_refused(await harness.request_as_officer("GET", path), named)


@pytest.mark.parametrize(
    "instant",
    [
        "0001-01-01T00:00:00+00:00",
        "9999-12-31T23:59:59.999999+00:00",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00+14:00",
    ],
)
async def test_a_cursor_at_the_calendars_end_is_answered_or_refused(harness: PricingHarness, instant: str) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps([instant, AN_ID]).encode()).decode()
    for path in ("/v1/purchase-orders", "/v1/rates", "/v1/spot-prices"):
        answer = await harness.request_as_officer("GET", f"{path}?cursor={cursor}")
        assert answer.status in {200, 422}, answer.text


async def test_a_parked_key_with_a_nul_is_refused_and_not_looked_up(harness: PricingHarness) -> None:
    answer = await harness.request_as_officer(
        "POST", "/v1/parked/a-topic/a%00key/release", scopes=("operations:manage",)
    )
    assert (answer.status, "it contains a NUL character" in answer.text) == (404, True)
    reason = await harness.request_as_officer(
        "POST", f"/v1/parked/events/{AN_ID}/discard", {"because": "ticket\x001"}, scopes=("operations:manage",)
    )
    assert_refused(reason, "#/because")


async def test_a_selection_may_begin_in_a_year(harness: PricingHarness) -> None:
    alder = ProviderId(uuid4())
    body = a_body(harness.today + timedelta(days=365))
    answer = await harness.request_as_provider(alder, "PUT", harness.build_rates_path(alder), body)
    assert answer.status == 200, answer.text
