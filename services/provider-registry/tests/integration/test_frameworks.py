"""Definitions and ranked lists over HTTP, and the events published."""

import asyncio
import threading
from uuid import UUID, uuid4

import pytest

from contracts.definitions import read_definition
from contracts.events.frameworks import FrameworkPublished, RankedListPublished, make_ranked_list_key
from contracts.events.providers import EligibilityChanged
from contracts.example_words import LOT, ServiceTypes, Tiers
from contracts.examples import COLCHESTER, COUNCIL
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import FrameworkKey, GroupKey, TierKey
from provider_registry.api import definition_parser
from provider_registry.api.definition_parser import MAX_WAITING
from testkit.http_response import list_invalid_fields, read_response
from testkit.provider_registry.builders import OTHER_COUNCIL, TENDRING
from testkit.provider_registry.harness import ADMIN, OPERATE, RegistryHarness
from testkit.waiting import wait_until


def a_list(
    *providers: UUID, version: int = 1, issued: str = "2026-01-01", live: str = "2026-01-05"
) -> dict[str, object]:
    ranking = [str(each) for each in providers]
    return {"list_version": version, "issued_on": issued, "live_from": live, "ranking": ranking}


def build_lists_url(framework: str, area: str = COLCHESTER, tier: TierKey = Tiers.ONE) -> str:
    return f"/v1/frameworks/{framework}/lots/{LOT}/areas/{area}/tiers/{tier}/lists"


async def test_definition_versions_are_consecutive_and_published_once(harness: RegistryHarness) -> None:
    key = f"steps-{uuid4().hex[:8]}"
    first = await harness.publish_definition(framework=key)
    again = await harness.publish_definition(framework=key)
    gap = await harness.publish_definition(framework=key, version=3)
    changed = await harness.publish_definition(framework=key, cap=9)
    second = await harness.publish_definition(framework=key, version=2, cap=9)
    assert [each.status for each in (first, again, gap, changed, second)] == [201, 200, 409, 409, 201]
    events = await harness.wait_for_event(FrameworkPublished, key, times=2)
    assert [each.definition.version for each in events if isinstance(each, FrameworkPublished)] == [1, 2]
    shown = await harness.request("GET", f"/v1/frameworks/{key}/versions/1", scope=OPERATE)
    assert (shown.status, shown.body["definition"]["tiers"][0]["providers_per_area"]) == (200, 10)
    assert (await harness.request("GET", f"/v1/frameworks/{key}/versions/7")).status == 404


async def test_an_invalid_definition_is_refused_with_line_path_reason_and_remedy(harness: RegistryHarness) -> None:
    wrong = await harness.publish_definition(floor="Excellent", cap="ten")
    assert wrong.status == 422
    assert list_invalid_fields(wrong) == ["#/tiers/0/entry/0/at_least", "#/tiers/0/providers_per_area"]
    assert all(each["detail"].startswith("line 16: ") and "; " in each["detail"] for each in wrong.body["errors"])
    assert "Excellent" not in str(wrong.body)
    assert (await harness.publish_definition("framework: [")).status == 422
    assert (await harness.publish_definition("x" * 100_001)).status == 422


async def test_a_calendar_that_ends_before_the_framework_is_refused_with_the_first_missing_year(
    harness: RegistryHarness,
) -> None:
    short = await harness.publish_definition(framework="short-calendar", holidays="2026-12-25")
    assert (short.status, list_invalid_fields(short)) == (422, ["#/brokerage/bank_holidays"])
    assert "lacks bank holidays of 2025" in short.body["errors"][0]["detail"]


async def test_bytes_of_another_encoding_are_refused_with_their_line(harness: RegistryHarness) -> None:
    headers = {
        **harness.registry.issuer.build_bearer_header(ADMIN, council=COUNCIL),
        "content-type": "application/yaml",
    }
    body = "framework: x\ntitle: Caf\u00e9\n".encode("cp1252")
    async with harness.registry.http.post(f"{harness.registry.url}/v1/frameworks", data=body, headers=headers) as sent:
        answer = await read_response(sent)
    assert answer.status == 422
    assert answer.body["errors"][0]["detail"].startswith("line 2: is not UTF-8 text")


async def test_while_ten_definitions_are_read_other_requests_are_answered(
    harness: RegistryHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = threading.Event()

    def read_when_opened(text: str, *, source: str) -> FrameworkDefinition:
        opened.wait()
        return read_definition(text, source=source)

    monkeypatch.setattr(definition_parser, "read_definition", read_when_opened)
    reading = [asyncio.create_task(harness.publish_definition("framework: [")) for _ in range(10)]
    await wait_until(lambda: sum(each.done() for each in reading) == 10 - MAX_WAITING)
    async with harness.registry.http.get(f"{harness.registry.url}/healthz") as health:
        assert health.status == 200
    assert (await harness.request("GET", "/v1/frameworks")).status == 200
    opened.set()
    answers = await asyncio.gather(*reading)
    assert sorted(each.status for each in answers) == [422] * MAX_WAITING + [503] * (10 - MAX_WAITING)


async def test_a_council_publishes_and_sees_its_own_frameworks_only(
    harness: RegistryHarness, framework: FrameworkKey
) -> None:
    taken = await harness.publish_definition(council=OTHER_COUNCIL)
    assert (taken.status, taken.body["title"]) == (409, "Framework name in use")
    foreign = await harness.publish_definition(framework=f"new-{uuid4().hex[:8]}", council=OTHER_COUNCIL)
    assert foreign.status == 201
    key = foreign.body["framework"]
    assert (await harness.request("GET", f"/v1/frameworks/{key}/versions/1")).status == 404
    listed = (await harness.request("GET", "/v1/frameworks")).body["items"]
    assert framework in [each["framework"] for each in listed]
    assert key not in [each["framework"] for each in listed]


async def test_a_new_definition_reassesses_every_provider_with_a_place(harness: RegistryHarness) -> None:
    key = f"floors-{uuid4().hex[:8]}"
    await harness.publish_definition(framework=key)
    provider = await harness.register_provider()
    place = harness.build_place(framework=key)
    await harness.request("PUT", f"/v1/providers/{provider}/places", {"places": [place]})
    await harness.publish_definition(framework=key, version=2, floor="Outstanding")
    events = await harness.wait_for_event(EligibilityChanged, str(provider), times=4)
    last = events[-1]
    assert isinstance(last, EligibilityChanged)
    assert [(each.framework, each.eligible) for each in last.places] == [(key, False)]


async def test_list_versions_are_consecutive_and_immutable(harness: RegistryHarness, framework: FrameworkKey) -> None:
    alder, birch = await harness.register_provider("Alder Care Ltd"), await harness.register_provider("Birch Care Ltd")
    for each in (alder, birch):
        await harness.set_places(each, Tiers.ONE, area=TENDRING)
    url = build_lists_url(framework, "E07000076")
    first = await harness.request("POST", url, a_list(birch, alder))
    again = await harness.request("POST", url, a_list(birch, alder))
    other = await harness.request("POST", url, a_list(alder, birch))
    gap = await harness.request("POST", url, a_list(alder, version=3))
    empty = await harness.request("POST", url, a_list(version=2))
    assert [each.status for each in (first, again, other, gap, empty)] == [201, 200, 409, 409, 201]
    stream = make_ranked_list_key(framework, LOT, TENDRING, Tiers.ONE, None)
    events = await harness.wait_for_event(RankedListPublished, stream, times=2)
    assert [len(each.ranking) for each in events if isinstance(each, RankedListPublished)] == [2, 0]
    shown = (await harness.request("GET", url, scope=OPERATE)).body["items"]
    assert [each["list_version"] for each in shown] == [2, 1]
    assert shown[1]["ranking"][0] == {"provider_id": str(birch), "rank": 1}


async def test_every_error_of_a_list_is_reported(harness: RegistryHarness, framework: FrameworkKey) -> None:
    alder, stranger = await harness.register_provider(), await harness.register_provider("Birch Care Ltd")
    await harness.set_places(alder, Tiers.TWO)
    body = a_list(alder, alder, stranger, issued="2026-01-05", live="2026-01-01")
    refused = await harness.request("POST", build_lists_url(framework, tier=Tiers.TWO), body)
    assert refused.status == 422
    assert list_invalid_fields(refused) == ["#/live_from", "#/ranking/1", "#/ranking/2"]
    assert (await harness.request("POST", build_lists_url(framework, "E07000001"), a_list())).status == 404
    assert (await harness.request("POST", build_lists_url("no-such-framework"), a_list())).status == 404


async def test_a_group_has_ranked_lists_of_its_own(harness: RegistryHarness, framework: FrameworkKey) -> None:
    alder = await harness.register_provider()
    await harness.set_places(alder, Tiers.TWO)
    url = build_lists_url(framework, tier=Tiers.TWO)
    made = await harness.request("POST", url, {**a_list(alder), "group": ServiceTypes.LIVE_IN})
    unknown = await harness.request("POST", url, {**a_list(alder), "group": "no-such-group"})
    assert [(each.status, each.body.get("group")) for each in (made, unknown)] == [(201, "live-in"), (404, None)]
    of_group = (await harness.request("GET", f"{url}?group=live-in", scope=OPERATE)).body["items"]
    of_all = (await harness.request("GET", url, scope=OPERATE)).body["items"]
    assert ([each["list_version"] for each in of_group], of_all) == ([1], [])
    stream = make_ranked_list_key(framework, LOT, COLCHESTER, Tiers.TWO, GroupKey("live-in"))
    assert len(await harness.wait_for_event(RankedListPublished, stream)) == 1
