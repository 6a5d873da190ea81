"""The comparison of providers' rates over HTTP: medians of a price band, filters and pages."""

from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import pytest

from contracts.examples import COLCHESTER
from contracts.ids import AreaCode, FrameworkKey, ProviderId
from testkit.http_response import list_invalid_fields
from testkit.pricing.builders import HILLS, MOOR, a_matrix_of_own_rates
from testkit.pricing.harness import OPERATE, PricingHarness

pytestmark = pytest.mark.xdist_group("pricing")

RATES: Final = (("24.00", HILLS), ("25.00", HILLS), ("30.00", MOOR), ("20.00", COLCHESTER))
"""Current rates, the oldest selection first, each of another provider."""


async def publish_rates(harness: PricingHarness) -> FrameworkKey:
    """Publishes a framework of its own with `RATES`, and returns its key."""
    framework = FrameworkKey(f"own-rates-{uuid4().hex[:8]}")
    await harness.publish_definition(a_matrix_of_own_rates(framework=framework, council=harness.council))
    for rate, area in RATES:
        harness.clock.advance(timedelta(seconds=1))
        await name_rate(harness, framework, area, rate)
    return framework


async def name_rate(harness: PricingHarness, framework: FrameworkKey, area: AreaCode, rate: str) -> None:
    provider = ProviderId(uuid4())
    body = {"valid_from": harness.today.isoformat(), "rates": [{"service_type": "personal-care", "rate": rate}]}
    path = harness.build_rates_path(provider, framework=framework, area=area)
    answer = await harness.request_as_provider(provider, "PUT", path, body)
    assert answer.status == 200, answer.text


async def compare(harness: PricingHarness, framework: FrameworkKey, query: str = "") -> Any:  # JSON of the page
    path = f"/v1/rates/{framework}/comparison?{query}"
    answer = await harness.request_as_officer("GET", path, scopes=(OPERATE,))
    assert answer.status == 200, answer.text
    return answer.body


def list_rates(page: Any) -> list[tuple[str, str, str, str]]:  # JSON of the page
    return [
        (each["area"], rate["rate"], rate["median"], rate["deviation_percent"])
        for each in page["items"]
        for rate in each["rates"]
    ]


async def test_every_rate_is_shown_with_the_median_of_its_band_page_by_page(harness: PricingHarness) -> None:
    framework = await publish_rates(harness)
    first = await compare(harness, framework, "limit=3")
    second = await compare(harness, framework, f"limit=3&cursor={first['next']}")
    assert list_rates(first) + list_rates(second) == [
        (COLCHESTER, "20.00", "20.00", "0.0"),
        (MOOR, "30.00", "25.00", "20.0"),
        (HILLS, "25.00", "25.00", "0.0"),
        (HILLS, "24.00", "25.00", "-4.0"),
    ]
    assert second["next"] is None
    assert first["items"][1]["rates"][0]["item_title"] == "Personal care"


async def test_a_filter_selects_rows_and_changes_no_median(harness: PricingHarness) -> None:
    framework = await publish_rates(harness)
    assert list_rates(await compare(harness, framework, f"area={MOOR}")) == [(MOOR, "30.00", "25.00", "20.0")]
    in_band = await compare(harness, framework, "band=rural")
    assert [each["area"] for each in in_band["items"]] == [MOOR, HILLS, HILLS]
    assert {each["band"] for each in in_band["items"]} == {"rural"}


async def test_an_area_or_band_that_the_framework_does_not_have_is_refused(harness: PricingHarness) -> None:
    framework = await publish_rates(harness)
    path = f"/v1/rates/{framework}/comparison?area=E07000076&band=urban"
    answer = await harness.request_as_officer("GET", path)
    assert (answer.status, list_invalid_fields(answer)) == (422, ["query:area", "query:band"])
    assert "choose rural" in answer.body["errors"][1]["detail"]


async def test_a_rate_outside_the_limits_of_the_areas_band_is_refused(harness: PricingHarness) -> None:
    framework, provider = await publish_rates(harness), ProviderId(uuid4())
    body = {"valid_from": harness.today.isoformat(), "rates": [{"service_type": "personal-care", "rate": "21.99"}]}
    path = harness.build_rates_path(provider, framework=framework, area=HILLS)
    answer = await harness.request_as_provider(provider, "PUT", path, body)
    assert (answer.status, list_invalid_fields(answer)) == (422, ["#/rates/0/rate"])
    assert "from 22.00 to 34.00" in answer.body["errors"][0]["detail"]


async def test_another_councils_framework_is_not_found(harness: PricingHarness) -> None:
    framework = await publish_rates(harness)
    answer = await harness.request_as_officer("GET", f"/v1/rates/{framework}/comparison", council="another-council")
    assert answer.status == 404
