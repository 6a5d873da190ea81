"""Matrices and selected rates over HTTP, and the events published, on PostgreSQL and Kafka."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from contracts.examples import some_care
from contracts.ids import ProviderId
from contracts.terms import compute_terms
from testkit.http_response import list_invalid_fields
from testkit.pricing.builders import a_matrix
from testkit.pricing.harness import PricingHarness, a_body

pytestmark = pytest.mark.xdist_group("pricing")


def a_new_provider_id() -> ProviderId:
    """Returns the id of a provider that no other test uses."""
    return ProviderId(uuid4())


async def test_a_councils_matrices_are_shown_by_version(harness: PricingHarness) -> None:
    shown = await harness.request_as_officer("GET", f"/v1/matrices/{harness.framework}/1")
    assert shown.body["rates_set_by"] == "selection"
    assert shown.body["lines"][0] == {
        "service_type": "personal-care",
        "service_type_title": "Personal care",
        "item": "personal-care",
        "item_title": "Personal care",
        "band": None,
        "unit": "hour",
        "unit_title": "hour",
        "unit_kind": "hour",
        "rates": ["24.10", "24.90", "25.70"],
        "highest": None,
        "each_carer": True,
    }
    listed = await harness.request_as_provider(
        a_new_provider_id(), "GET", f"/v1/matrices?framework={harness.framework}"
    )
    assert listed.body["items"] == [shown.body]
    assert (await harness.request_as_officer("GET", f"/v1/matrices/{harness.framework}/9")).status == 404


async def test_a_provider_selects_its_rates_and_they_are_published(harness: PricingHarness) -> None:
    alder = a_new_provider_id()
    answer = await harness.request_as_provider(
        alder, "PUT", harness.build_rates_path(alder), a_body(harness.today, 2, 1)
    )
    assert answer.status == 200
    (event,) = await harness.read_selections(alder)
    selection = event.find_selection_on(harness.today)
    assert selection is not None
    assert [(each.number, each.rate) for each in selection.rates] == [(2, Decimal("24.90")), (1, Decimal("126.00"))]
    assert (await harness.request_as_provider(alder, "GET", harness.build_rates_path(alder))).body == answer.body


async def test_sourcing_can_compute_the_terms_of_an_offer_from_the_published_rates(harness: PricingHarness) -> None:
    alder = a_new_provider_id()
    await harness.request_as_provider(alder, "PUT", harness.build_rates_path(alder), a_body(harness.today, 3))
    (event,) = await harness.read_selections(alder)
    terms = compute_terms(some_care(framework=harness.framework), a_matrix(), event.find_selection_on(harness.today))
    assert terms is not None
    assert (terms.rate, terms.weekly_cost) == (Decimal("25.70"), Decimal("89.95"))


async def test_the_council_selects_rates_for_a_provider(harness: PricingHarness) -> None:
    birch = a_new_provider_id()
    answer = await harness.request_as_officer("PUT", harness.build_rates_path(birch), a_body(date(2025, 11, 9)))
    assert answer.status == 200
    assert (await harness.request_as_provider(birch, "GET", harness.build_rates_path(birch))).body == answer.body


async def test_each_event_contains_the_current_and_all_future_selections(harness: PricingHarness) -> None:
    alder, build_path = a_new_provider_id(), harness.build_rates_path
    for ahead in (0, 30, 14):
        body = a_body(harness.today + timedelta(days=ahead))
        assert (await harness.request_as_provider(alder, "PUT", build_path(alder), body)).status == 200
    *_, newest = await harness.read_selections(alder)
    assert [(each.valid_from - harness.today).days for each in newest.selections] == [0, 14, 30]


async def test_selections_for_ever_more_days_end_in_words_and_their_events_stay_small(harness: PricingHarness) -> None:
    alder, path = a_new_provider_id(), harness.build_rates_path
    answers = [
        await harness.request_as_provider(alder, "PUT", path(alder), a_body(harness.today + timedelta(days=ahead)))
        for ahead in range(16)
    ]
    assert [each.status for each in answers] == [200] * 13 + [422] * 3
    assert "wait until one begins" in str(answers[-1].body)
    assert max(len(each.selections) for each in await harness.read_selections(alder)) == 13


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"rates": [{"service_type": "personal-care", "number": 9}]}, ["#/rates/0/number"]),
        ({"rates": [{"service_type": "live-in", "number": 1}]}, ["#/rates/0/service_type"]),
        ({"rates": [{"service_type": "personal-care", "number": 0}]}, ["#/rates/0/number"]),
        ({"rates": [{"service_type": "gardening", "number": 1}]}, ["#/rates/0/service_type"]),
        ({"rates": [{"service_type": "Personal care", "number": 1}]}, ["#/rates/0/service_type"]),
        ({"rates": [{"service_type": "personal-care", "item": "visits", "number": 1}]}, ["#/rates/0/item"]),
        ({"rates": [{"service_type": "personal-care", "rate": "24.10"}]}, ["#/rates/0/rate"]),
        ({"rates": [{"service_type": "personal-care", "number": 1, "rate": "24.10"}]}, ["#/rates/0"]),
        ({"rates": [{"service_type": "personal-care"}]}, ["#/rates/0"]),
        ({"rates": []}, ["#/rates"]),
        ({"valid_from": "2020-01-01"}, ["#/valid_from"]),
        ({"valid_from": "tomorrow"}, ["#/valid_from"]),
        ({"note": "ours"}, ["#/note"]),
    ],
)
async def test_an_invalid_selection_is_refused_with_its_invalid_fields(
    harness: PricingHarness, changed: dict[str, object], fields: list[str]
) -> None:
    alder = a_new_provider_id()
    await harness.request_as_provider(alder, "PUT", harness.build_rates_path(alder), a_body(harness.today))
    answer = await harness.request_as_provider(
        alder, "PUT", harness.build_rates_path(alder), {**a_body(harness.today), **changed}
    )
    assert (answer.status, list_invalid_fields(answer)) == (422, fields)
    assert len(await harness.read_selections(alder)) == 1


async def test_an_area_outside_the_framework_is_refused(harness: PricingHarness) -> None:
    alder = a_new_provider_id()
    path = harness.build_rates_path(alder, area="E07000076")
    answer = await harness.request_as_provider(alder, "PUT", path, a_body(harness.today))
    assert (answer.status, list_invalid_fields(answer)) == (422, ["path:area"])


async def test_a_provider_lists_its_own_rates_and_the_council_lists_all(harness: PricingHarness) -> None:
    alder, birch = a_new_provider_id(), a_new_provider_id()
    for each in (alder, birch):
        harness.clock.advance(timedelta(seconds=1))
        await harness.request_as_provider(each, "PUT", harness.build_rates_path(each), a_body(harness.today))
    own = await harness.request_as_provider(alder, "GET", "/v1/rates")
    assert [each["provider_id"] for each in own.body["items"]] == [str(alder)]
    assert (await harness.request_as_provider(alder, "GET", f"/v1/rates?provider={birch}")).body["items"] == []
    first = await harness.request_as_officer("GET", "/v1/rates?limit=1")
    second = await harness.request_as_officer("GET", f"/v1/rates?limit=1&cursor={first.body['next']}")
    assert [each.body["items"][0]["provider_id"] for each in (first, second)] == [str(birch), str(alder)]
