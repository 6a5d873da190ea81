"""Places over HTTP: states, two people for a variation, mobilising, and the timer of the next day."""

from datetime import UTC, datetime
from uuid import uuid4

from contracts.catalogue import PROVIDERS
from contracts.events.providers import EligibilityChanged
from contracts.example_words import ServiceTypes, Tiers
from contracts.ids import FrameworkKey, ProviderId
from contracts.values import PlaceState
from provider_registry.store.gauges import GAUGES
from testkit.databases import fetch_rows
from testkit.http_response import list_invalid_fields
from testkit.provider_registry.builders import TENDRING
from testkit.provider_registry.harness import OPERATE, SECOND_OFFICER, RegistryHarness
from testkit.waiting import wait_until

CLOSED = "joining: {mode: closed}"
IN_ROUNDS = """joining:
  mode: in rounds
  rounds: [{name: Round 1, opens: 2026-01-01, closes: 2026-01-31, places_from: 2026-04-01}]"""


async def list_published_states(harness: RegistryHarness, provider: ProviderId) -> list[list[PlaceState]]:
    events = await harness.read_events(str(provider), topic=PROVIDERS)
    return [[each.state for each in event.places] for event in events if isinstance(event, EligibilityChanged)]


async def test_a_place_has_days_a_state_a_number_and_service_types(
    harness: RegistryHarness, framework: FrameworkKey
) -> None:
    provider = await harness.register_provider()
    sent = harness.build_place(
        service_types=[ServiceTypes.LIVE_IN],
        number=2,
        applied_on="2025-09-01",
        awarded_on="2025-10-01",
        until="2027-03-31",
        state="mobilising",
    )
    plain = harness.build_place(Tiers.TWO)
    answer = await harness.request("PUT", f"/v1/providers/{provider}/places", {"places": [sent, plain]})
    assert answer.status == 200
    first, second = answer.body["places"]
    assert {name: first[name] for name in sent} == sent
    assert (first["recorded_state"], first["eligible"], first["reasons"]) == (
        "mobilising",
        False,
        ["place is not active"],
    )
    assert (second["state"], second["service_types"], second["eligible"]) == (
        "active",
        ["personal-care", "live-in"],
        True,
    )


async def test_a_step_that_is_no_step_is_refused_with_the_possible_ones(
    harness: RegistryHarness, framework: FrameworkKey
) -> None:
    provider = await harness.register_provider()
    url = f"/v1/providers/{provider}/places"
    for state, status in (("applied", 200), ("active", 422), ("awarded", 200), ("left", 200), ("active", 422)):
        answer = await harness.request("PUT", url, {"places": [harness.build_place(state=state)]})
        assert answer.status == status, state
    assert list_invalid_fields(answer) == ["#/places/0/state"]
    assert "left" in answer.body["errors"][0]["detail"]


async def test_places_are_mobilised_zone_by_zone(harness: RegistryHarness, framework: FrameworkKey) -> None:
    provider = await harness.register_provider()
    places = [harness.build_place(state="mobilising"), harness.build_place(area=TENDRING, state="mobilising")]
    url = f"/v1/providers/{provider}/places"
    assert (await harness.request("PUT", url, {"places": places})).status == 200
    key = {name: places[1][name] for name in ("framework", "lot", "area", "tier")}
    answer = await harness.request("POST", f"{url}/mobilised", {"places": [key]})
    assert [each["state"] for each in answer.body["places"]] == ["mobilising", "active"]
    unknown = await harness.request("POST", f"{url}/mobilised", {"places": [{**key, "tier": Tiers.TWO}]})
    assert unknown.status == 404


async def test_a_provider_joins_a_closed_framework_later_by_two_people_only(harness: RegistryHarness) -> None:
    key = f"closed-{uuid4().hex[:8]}"
    assert (await harness.publish_definition(framework=key, life=CLOSED)).status == 201
    provider = await harness.register_provider()
    url = f"/v1/providers/{provider}/places"
    late = harness.build_place(framework=key, joined_on="2026-03-02")
    refused = await harness.request("PUT", url, {"places": [late]})
    assert (refused.status, list_invalid_fields(refused)) == (422, ["#/places/0/joined_on"])
    requested = await harness.request("POST", f"{url}/requests", {**late, "because": "VAR-17"})
    assert (requested.status, requested.body["places"][0]["state"]) == (200, "applied")
    place = {name: late[name] for name in ("framework", "lot", "area", "tier")}
    own = await harness.request("POST", f"{url}/approval", place)
    assert (own.status, own.body["detail"]) == (
        409,
        "you requested this place yourself; another officer must approve it",
    )
    approved = await harness.request("POST", f"{url}/approval", place, subject=SECOND_OFFICER)
    assert (approved.status, approved.body["places"][0]["state"]) == (200, "active")
    rows = await fetch_rows(
        harness.database,
        "SELECT actor FROM journal WHERE key = :key AND type = 'calloff.EligibilityChanged.v1' ORDER BY version",
        key=str(provider),
    )
    assert [row.actor for row in rows][-2:] == ["system:system-1", f"system:{SECOND_OFFICER}"]


async def test_a_place_of_a_round_begins_when_the_rounds_places_do(harness: RegistryHarness) -> None:
    key = f"rounds-{uuid4().hex[:8]}"
    assert (await harness.publish_definition(framework=key, life=IN_ROUNDS)).status == 201
    provider = await harness.register_provider()
    url = f"/v1/providers/{provider}/places"
    early = harness.build_place(framework=key, joined_on="2026-03-31")
    refused = await harness.request("PUT", url, {"places": [early]})
    assert "when the places of Round 1 begin" in refused.body["errors"][0]["detail"]
    unstated = {name: value for name, value in early.items() if name != "joined_on"}
    accepted = await harness.request("PUT", url, {"places": [unstated]})
    assert (accepted.body["places"][0]["joined_on"], accepted.body["places"][0]["state"]) == ("2026-04-01", "awarded")


async def test_officers_see_an_area_with_too_few_active_providers(harness: RegistryHarness) -> None:
    key = f"alarms-{uuid4().hex[:8]}"
    await harness.publish_definition(framework=key)
    url = f"/v1/frameworks/{key}/alarms"
    for count in (0, 1):
        (alarm,) = (await harness.request("GET", url, scope=OPERATE)).body["items"]
        text = f"Tendring has {count} active providers; at least 2 are asked"
        assert alarm == {"kind": "fewest providers", "day": None, "area": TENDRING, "text": text}
        assert await count_alarms(harness, key) == 1
        await join(harness, key)
    assert await count_alarms(harness, key) == 0
    assert (await harness.request("GET", url, scope=OPERATE)).body["items"] == []
    assert (await harness.request("GET", "/v1/frameworks/no-such-framework/alarms", scope=OPERATE)).status == 404


async def count_alarms(harness: RegistryHarness, framework: str) -> float:
    """Returns the gauge of the framework's areas with too few providers."""
    (gauge,) = GAUGES
    async with harness.database.open_read_connection() as connection:
        samples = await gauge.read(connection, harness.clock.now())
    return sum(each.value for each in samples if each.labels == (framework, "fewest providers"))


async def join(harness: RegistryHarness, framework: str) -> None:
    provider = await harness.register_provider()
    place = harness.build_place(area=TENDRING, framework=framework)
    assert (await harness.request("PUT", f"/v1/providers/{provider}/places", {"places": [place]})).status == 200


async def test_a_place_begins_and_ends_by_itself_on_its_days(harness: RegistryHarness, framework: FrameworkKey) -> None:
    """The last test of this module, because it moves the clock."""
    provider = await harness.register_provider()
    place = harness.build_place(joined_on="2026-04-01", until="2026-04-30")
    await harness.request("PUT", f"/v1/providers/{provider}/places", {"places": [place]})
    expected = [[PlaceState.AWARDED]]
    for midnight, state in (
        (datetime(2026, 3, 31, 23, tzinfo=UTC), PlaceState.ACTIVE),
        (datetime(2026, 4, 30, 23, tzinfo=UTC), PlaceState.LEFT),
    ):
        harness.clock.set_to(midnight)
        expected.append([state])

        async def is_published() -> bool:
            return [each for each in await list_published_states(harness, provider) if each] == expected

        await wait_until(is_published, within=20)
