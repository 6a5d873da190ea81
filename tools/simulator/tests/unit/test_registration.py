"""The market is registered with the registry's words, and a definition is published by two officers."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import BaseModel

from calloff.client import ApiClient, ApiResponse, Request
from contracts.example_words import LOT, ServiceTypes, Tiers
from contracts.values import PlaceState
from devstack.json_lines import JsonLinesWriter
from simulator.essex import FRAMEWORK, LIVE_FROM, build_essex_market
from simulator.leicestershire import build_leicestershire_market
from simulator.market import InventedMarket, InventedPlace, InventedRate, RankedList
from simulator.oxfordshire import build_oxfordshire_market
from simulator.providers import EndpointSecret
from simulator.registration import MarketRegistrar

REGISTRY, PRICING = "http://registry", "http://pricing"
PROPOSED: Final = json.dumps({"framework": FRAMEWORK, "version": 1}).encode()
AREA: Final = "E07000066"
MEMBER: Final = replace(
    build_essex_market(seed=1).providers[0],
    places=(InventedPlace(LOT, AREA, Tiers.ONE, LIVE_FROM, ServiceTypes.ALL),),
    rates={AREA: (InventedRate(ServiceTypes.PERSONAL_CARE, number=2),)},
)
MARKET: Final = InventedMarket(
    "essex",
    FRAMEWORK,
    LIVE_FROM,
    (MEMBER,),
    (RankedList(LOT, AREA, Tiers.ONE, (MEMBER.provider_id,)),),
    checks_location=True,
)


class RecordingClient(ApiClient):
    """A client that keeps its requests and answers each proposed definition with one status."""

    def __init__(self, *, status: int = 202) -> None:
        self.requests: list[Request] = []
        self._status = status

    async def send(self, request: Request) -> ApiResponse:
        self.requests.append(request)
        if request.url == f"{REGISTRY}/v1/frameworks":
            return ApiResponse(self._status, PROPOSED)
        return ApiResponse(200, b"{}")

    def find_body(self, url: str) -> Any:
        """Returns the JSON of the only request to `url`, hence Any."""
        (request,) = [each for each in self.requests if each.url == url]
        assert isinstance(request.body, BaseModel)
        return json.loads(request.body.model_dump_json())


async def _register(
    first: RecordingClient, second: RecordingClient, folder: Path, market: InventedMarket = MARKET
) -> None:
    log = JsonLinesWriter[EndpointSecret](folder / "secrets.jsonl")
    registrar = MarketRegistrar(
        first,
        REGISTRY,
        PRICING,
        second_client=second,
        receivers_url=None,
        secrets=log,
        is_known=lambda _: False,
        progress=lambda _: None,
    )
    await registrar.register_market(market, [b"framework: text"], today=date(2026, 3, 2))
    log.close()


async def test_a_second_officer_approves_the_definition_that_the_first_one_proposes(tmp_path: Path) -> None:
    first, second = RecordingClient(), RecordingClient()
    await _register(first, second, tmp_path)
    assert [each.url for each in second.requests] == [f"{REGISTRY}/v1/frameworks/{FRAMEWORK}/versions/1/approval"]
    assert first.requests[0].url == f"{REGISTRY}/v1/frameworks"


async def test_a_definition_that_was_published_before_is_not_approved_again(tmp_path: Path) -> None:
    second = RecordingClient()
    await _register(RecordingClient(status=200), second, tmp_path)
    assert second.requests == []


async def test_a_provider_has_an_active_place_in_each_of_its_areas_and_no_service_types_of_its_own(
    tmp_path: Path,
) -> None:
    client = RecordingClient()
    await _register(client, RecordingClient(), tmp_path)
    assert "service_types" not in client.find_body(f"{REGISTRY}/v1/providers")
    assert client.find_body(f"{REGISTRY}/v1/providers/{MEMBER.provider_id}/places") == {
        "places": [
            {
                "framework": FRAMEWORK,
                "lot": "home-care",
                "area": "E07000066",
                "tier": "tier-1",
                "service_types": list(ServiceTypes.ALL),
                "number": None,
                "joined_on": LIVE_FROM.isoformat(),
                "state": PlaceState.ACTIVE.value,
            }
        ]
    }


@pytest.mark.parametrize(
    "url",
    [
        f"{REGISTRY}/v1/frameworks/{FRAMEWORK}/lots/home-care/areas/E07000066/tiers/tier-1/lists",
        f"{PRICING}/v1/providers/{MEMBER.provider_id}/rates/{FRAMEWORK}/E07000066",
    ],
)
async def test_lists_and_rates_are_registered_by_their_keys(tmp_path: Path, url: str) -> None:
    client = RecordingClient()
    await _register(client, RecordingClient(), tmp_path)
    assert client.find_body(url)


async def test_a_market_whose_rates_the_framework_sets_has_numbered_places_and_neither_lists_nor_rates(
    tmp_path: Path,
) -> None:
    market, client = build_oxfordshire_market(seed=1), RecordingClient()
    await _register(client, RecordingClient(), tmp_path, market)
    eleanor = next(each for each in market.providers if each.name.startswith("Eleanor"))
    (place,) = client.find_body(f"{REGISTRY}/v1/providers/{eleanor.provider_id}/places")["places"]
    assert (place["lot"], place["area"], place["tier"], place["number"]) == ("lot-1a", "E07000178", "strategic", 1)
    assert not [each.url for each in client.requests if each.url.startswith(PRICING) or each.url.endswith("/lists")]
    assert not [each.url for each in client.requests if each.url.endswith("/location")]


async def test_a_provider_of_a_framework_with_own_rates_names_one_for_each_of_its_areas(tmp_path: Path) -> None:
    market, client = build_leicestershire_market(seed=1), RecordingClient()
    await _register(client, RecordingClient(), tmp_path, market)
    member = next(each for each in market.providers if len(each.areas) == 2)
    bodies = [
        client.find_body(f"{PRICING}/v1/providers/{member.provider_id}/rates/{market.framework}/{area}")
        for area in member.areas
    ]
    assert all(rate["number"] is None and Decimal(rate["rate"]) > 0 for body in bodies for rate in body["rates"])
