"""The market over HTTP: frameworks, providers, places, lists, embargoes and capacity, and the events published."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.catalogue import FRAMEWORKS, PROVIDERS
from contracts.events.frameworks import FrameworkPublished, RankedListPublished, make_ranked_list_key
from contracts.events.providers import (
    CapacityDeclared,
    ChannelsChanged,
    EligibilityChanged,
    EmbargoLifted,
    ProviderEmbargoed,
    ProviderRegistered,
    RatingPublished,
)
from contracts.examples import COLCHESTER
from contracts.ids import AreaCode, FrameworkKey
from contracts.values import Tier
from testkit.databases import number, rows
from testkit.provider_registry.builders import A_PHONE
from testkit.provider_registry.harness import ADMIN, ANSWER, OPERATE, RegistryHarness, a_body

A_BRANCH: dict[str, object] = {"name": "Alder Colchester", "outward_code": "CO1", "domiciliary_care": True}


def a_list(
    *providers: UUID, version: int = 1, issued: str = "2026-01-01", live: str = "2026-01-05"
) -> dict[str, object]:
    ranking = [str(each) for each in providers]
    return {"list_version": version, "issued_on": issued, "live_from": live, "ranking": ranking}


def build_lists_url(framework: str, area: str = COLCHESTER, tier: int = 1) -> str:
    return f"/v1/frameworks/{framework}/areas/{area}/tiers/{tier}/lists"


def get_pointers(problem: Any) -> list[str]:
    return [each["pointer"] for each in problem["errors"]]


@pytest.fixture
async def framework(harness: RegistryHarness) -> FrameworkKey:
    """The harness's framework; published by whichever test comes first."""
    assert (await harness.publish_definition()).status in {200, 201}
    return harness.framework


async def test_a_definition_is_published_once_version_after_version(harness: RegistryHarness) -> None:
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


async def test_a_wrong_definition_is_refused_with_line_path_reason_and_remedy(harness: RegistryHarness) -> None:
    wrong = await harness.publish_definition(floor="Excellent", cap="ten")
    assert wrong.status == 422
    assert get_pointers(wrong.body) == ["#/tiers/0/minimum_rating", "#/tiers/0/providers_per_area"]
    assert all(each["detail"].startswith("line 14: ") and "; " in each["detail"] for each in wrong.body["errors"])
    assert "Excellent" not in str(wrong.body)
    assert (await harness.publish_definition("framework: [")).status == 422
    assert (await harness.publish_definition("x" * 100_001)).status == 422


async def test_a_council_publishes_and_sees_its_own_frameworks_only(
    harness: RegistryHarness, framework: FrameworkKey
) -> None:
    assert get_pointers((await harness.publish_definition(council="oxfordshire", scope=ADMIN)).body) == []
    foreign = await harness.publish_definition(framework=f"new-{uuid4().hex[:8]}", council="oxfordshire")
    assert foreign.status == 201
    key = foreign.body["framework"]
    assert (await harness.request("GET", f"/v1/frameworks/{key}/versions/1")).status == 404
    listed = (await harness.request("GET", "/v1/frameworks")).body["items"]
    assert framework in [each["framework"] for each in listed]
    assert key not in [each["framework"] for each in listed]


async def test_a_provider_is_registered_once_and_published_with_channels_and_eligibility(
    harness: RegistryHarness,
) -> None:
    provider = str(uuid4())
    body = {**a_body(), "provider_id": provider}
    first = await harness.request("POST", "/v1/providers", body)
    again = await harness.request("POST", "/v1/providers", body)
    other = await harness.request("POST", "/v1/providers", {**body, "name": "Elder Care Ltd"})
    assert [each.status for each in (first, again, other)] == [201, 200, 409]
    assert first.body == again.body
    events = await harness.wait_for_event(EligibilityChanged, provider)
    assert [type(each) for each in events] == [ProviderRegistered, ChannelsChanged, EligibilityChanged]
    without_id = await harness.request("POST", "/v1/providers", a_body("Birch Care Ltd"))
    assert without_id.status == 201
    assert without_id.headers["location"] == f"/v1/providers/{without_id.body['provider_id']}"


async def test_a_change_needs_the_etag_of_what_was_read(harness: RegistryHarness) -> None:
    provider = await harness.register()
    url, body = f"/v1/providers/{provider}", a_body("Elder Care Ltd")
    etag = (await harness.request("GET", url)).headers["etag"]

    async def put(**headers: str) -> int:
        return (await harness.registry.ask("PUT", url, ADMIN, body=body, headers=headers)).status

    assert await put() == 428
    assert await put(**{"If-Match": '"99"'}) == 412
    assert await put(**{"If-Match": etag}) == 200
    assert await put(**{"If-Match": etag}) == 412
    read = await harness.request("GET", url)
    assert read.body["name"] == "Elder Care Ltd"
    assert read.headers["etag"] != etag


async def test_a_rating_grants_and_removes_eligibility_and_each_change_is_published_once(
    harness: RegistryHarness, framework: FrameworkKey
) -> None:
    provider, branch = (await harness.request("POST", "/v1/providers", a_body())).body["provider_id"], uuid4()
    joined = await harness.set_places(UUID(provider), 1)
    assert joined.body["memberships"][0]["lacking"] == ["no branch is registered for domiciliary care and active"]
    url = f"/v1/providers/{provider}/branches/{branch}"
    good = {**A_BRANCH, "rating": "Good", "published_on": "2026-01-05"}
    fallen = {**A_BRANCH, "rating": "Requires Improvement", "published_on": "2026-02-05"}
    for body in (good, good, fallen):
        assert (await harness.request("PUT", url, body)).status == 200
    events = await harness.wait_for_event(RatingPublished, provider, times=2)
    eligible = [
        [each.eligible for each in event.memberships] for event in events if isinstance(event, EligibilityChanged)
    ]
    assert eligible == [[], [False], [True], [False]]
    assert len([event for event in events if isinstance(event, RatingPublished)]) == 2


async def test_a_new_definition_reassesses_every_member(harness: RegistryHarness) -> None:
    key = f"floors-{uuid4().hex[:8]}"
    await harness.publish_definition(framework=key)
    provider = await harness.register()
    place = {"framework": key, "area": COLCHESTER, "tier": 1}
    await harness.request("PUT", f"/v1/providers/{provider}/memberships", {"memberships": [place]})
    await harness.publish_definition(framework=key, version=2, floor="Outstanding")
    events = await harness.wait_for_event(EligibilityChanged, str(provider), times=4)
    last = events[-1]
    assert isinstance(last, EligibilityChanged)
    assert [(each.framework, each.eligible) for each in last.memberships] == [(key, False)]


async def test_lists_are_published_version_after_version_and_never_changed(
    harness: RegistryHarness, framework: FrameworkKey
) -> None:
    alder, birch = await harness.register("Alder Care Ltd"), await harness.register("Birch Care Ltd")
    for each in (alder, birch):
        await harness.set_places(each, 1, area="E07000076")
    url = build_lists_url(framework, "E07000076")
    first = await harness.request("POST", url, a_list(birch, alder))
    again = await harness.request("POST", url, a_list(birch, alder))
    other = await harness.request("POST", url, a_list(alder, birch))
    gap = await harness.request("POST", url, a_list(alder, version=3))
    empty = await harness.request("POST", url, a_list(version=2))
    assert [each.status for each in (first, again, other, gap, empty)] == [201, 200, 409, 409, 201]
    stream = make_ranked_list_key(framework, AreaCode("E07000076"), Tier.ONE)
    events = await harness.wait_for_event(RankedListPublished, stream, times=2)
    assert [len(each.ranking) for each in events if isinstance(each, RankedListPublished)] == [2, 0]
    shown = (await harness.request("GET", url, scope=OPERATE)).body["items"]
    assert [each["list_version"] for each in shown] == [2, 1]
    assert shown[1]["ranking"][0] == {"provider_id": str(birch), "rank": 1}


async def test_everything_wrong_with_a_list_is_named(harness: RegistryHarness, framework: FrameworkKey) -> None:
    alder, stranger = await harness.register(), await harness.register("Birch Care Ltd")
    await harness.set_places(alder, 2)
    body = a_list(alder, alder, stranger, issued="2026-01-05", live="2026-01-01")
    refused = await harness.request("POST", build_lists_url(framework, tier=2), body)
    assert refused.status == 422
    assert get_pointers(refused.body) == ["#/live_from", "#/ranking/1", "#/ranking/2"]
    assert (await harness.request("POST", build_lists_url(framework, "E07000001"), a_list())).status == 404
    assert (await harness.request("POST", build_lists_url("no-such-framework"), a_list())).status == 404


async def test_an_embargo_begins_and_ends_once(harness: RegistryHarness) -> None:
    provider = await harness.register()
    url = f"/v1/providers/{provider}/embargo"
    for _ in range(2):
        assert (await harness.request("POST", url, {"reason": "safeguarding"})).body["embargo"] == "safeguarding"
    for _ in range(2):
        assert (await harness.request("DELETE", url)).body["embargo"] is None
    events = await harness.wait_for_event(EmbargoLifted, str(provider))
    assert [type(each) for each in events][-2:] == [ProviderEmbargoed, EmbargoLifted]
    assert len([each for each in events if isinstance(each, ProviderEmbargoed)]) == 1


async def test_a_provider_declares_its_own_capacity(harness: RegistryHarness, framework: FrameworkKey) -> None:
    provider, other = await harness.register(), await harness.register("Birch Care Ltd")
    await harness.set_places(provider, 2)
    url, body = f"/v1/providers/{provider}/capacity", {"area": COLCHESTER, "free_hours": "12.50"}
    assert (await harness.request_as_provider(other, "POST", url, body)).status == 404
    assert (await harness.request_as_provider(provider, "POST", url, {**body, "area": "E07000076"})).status == 422
    answer = await harness.request_as_provider(provider, "POST", url, body)
    assert (answer.status, answer.body["free_hours"]) == (200, "12.50")
    events = await harness.wait_for_event(CapacityDeclared, str(provider))
    assert [each.declared_at for each in events if isinstance(each, CapacityDeclared)] == [harness.clock.now()]


async def test_a_provider_serves_areas_outside_any_framework(harness: RegistryHarness, framework: FrameworkKey) -> None:
    provider = await harness.register()
    url = f"/v1/providers/{provider}"
    etag = (await harness.request("GET", url)).headers["etag"]
    missing = await harness.request("PUT", f"{url}/spot-areas", {"areas": ["E07000076"]})
    twice = await harness.set_spot_areas(provider, "E07000076", "E07000076", if_match=etag)
    served = await harness.set_spot_areas(provider, "E07000076", COLCHESTER, if_match=etag)
    stale = await harness.set_spot_areas(provider, if_match=etag)
    assert [each.status for each in (missing, twice, served, stale)] == [428, 422, 200, 412]
    assert (served.body["spot_areas"], served.body["memberships"]) == ([COLCHESTER, "E07000076"], [])
    shown = await harness.request_as_provider(provider, "GET", url)
    assert (shown.body["spot_areas"], shown.body["rating"]) == ([COLCHESTER, "E07000076"], "Good")
    events = await harness.wait_for_event(EligibilityChanged, str(provider), times=3)
    events = [each for each in events if isinstance(each, EligibilityChanged)]
    assert [each.rating for each in events] == ["not rated", "Good", "Good"]
    assert [each.spot_areas for each in events] == [(), (), (COLCHESTER, "E07000076")]


async def test_providers_are_listed_page_by_page(harness: RegistryHarness) -> None:
    made = {str(await harness.register(f"Listed {number} Ltd")) for number in range(3)}
    seen: list[str] = []
    url = "/v1/providers?limit=2"
    while True:
        page = (await harness.request("GET", url, scope=OPERATE)).body
        seen += [each["provider_id"] for each in page["items"]]
        if page["next"] is None:
            break
        url = f"/v1/providers?limit=2&cursor={page['next']}"
    assert made <= set(seen)
    assert len(seen) == len(set(seen))


async def test_resources_of_another_council_or_provider_are_not_found(
    harness: RegistryHarness, framework: FrameworkKey
) -> None:
    provider, other = await harness.register(), await harness.register("Birch Care Ltd")
    own = f"/v1/providers/{provider}"
    assert (await harness.request_as_provider(provider, "GET", own)).status == 200
    for path in (own, f"{own}/deliveries"):
        assert (await harness.request_as_provider(other, "GET", path)).status == 404
        assert (await harness.request("GET", path, council="oxfordshire")).status == 404
    endpoint = {"url": "https://alder.example/offers"}
    assert (await harness.request_as_provider(other, "PUT", f"{own}/endpoint", endpoint)).status == 404
    assert (await harness.request_as_provider(other, "POST", f"{own}/endpoint/rotation")).status == 404
    assert (
        await harness.request("POST", f"{own}/embargo", {"reason": "safeguarding"}, council="oxfordshire")
    ).status == 404
    assert (await harness.request("GET", build_lists_url(framework), council="oxfordshire")).status == 404
    joined = await harness.request("PUT", f"{own}/memberships", {"memberships": []}, council="oxfordshire")
    assert joined.status == 404


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v1/frameworks", OPERATE),
        ("POST", "/v1/providers", ANSWER),
        ("GET", "/v1/providers", ANSWER),
        ("GET", "/v1/providers/{id}", "referrals:read"),
        ("PUT", "/v1/providers/{id}/memberships", ANSWER),
        ("PUT", "/v1/providers/{id}/spot-areas", OPERATE),
        ("POST", "/v1/providers/{id}/embargo", OPERATE),
        ("DELETE", "/v1/providers/{id}/endpoint", ANSWER),
        ("PUT", "/v1/providers/{id}/mailbox", OPERATE),
    ],
)
async def test_a_token_without_the_scope_is_refused(
    harness: RegistryHarness, method: str, path: str, scope: str
) -> None:
    answer = await harness.request(method, path.format(id=uuid4()), {}, scope=scope)
    assert (answer.status, answer.body["title"]) == (403, "Forbidden")


@pytest.mark.parametrize(
    ("method", "path", "body", "wrong"),
    [
        ("POST", "", {}, ["#/name", "#/service_types", "#/phone"]),
        ("POST", "", {**a_body(), "email": "x"}, ["#/email"]),
        ("POST", "", a_body(name="", service_types=[], turnover="-1", phone="call me"), None),
        ("POST", "", a_body(service_types=["personal care", "personal care"]), ["#/service_types"]),
        ("POST", "", a_body(service_types=["gardening"]), ["#/service_types/0"]),
        ("POST", "", a_body(name="a\x00b"), ["#/name"]),
        ("POST", "", a_body(provider_id="seven"), ["#/provider_id"]),
        ("PUT", "/{id}/branches/{id}", {**A_BRANCH, "outward_code": "CO1 1AA"}, ["#/outward_code"]),
        ("PUT", "/{id}/branches/{id}", {**A_BRANCH, "status": "asleep"}, ["#/status"]),
        ("PUT", "/{id}/branches/{id}", {**A_BRANCH, "published_on": "yesterday"}, ["#/published_on"]),
        ("PUT", "/{id}/memberships", {"memberships": [{"framework": "!", "area": "?", "tier": 3}]}, None),
        ("PUT", "/{id}/memberships", {"memberships": [None] * 501}, ["#/memberships"]),
        ("PUT", "/{id}/spot-areas", {"areas": ["E07000071", "!"]}, ["#/areas/1"]),
        ("POST", "/{id}/embargo", {"reason": "because"}, ["#/reason"]),
        ("POST", "/{id}/capacity", {"area": "E07000071", "free_hours": "-0.01"}, ["#/free_hours"]),
        ("PUT", "/{id}/endpoint", {"url": "not a url"}, ["#/url"]),
    ],
)
async def test_each_wrong_field_is_named_and_nothing_is_echoed(
    harness: RegistryHarness, method: str, path: str, body: dict[str, object], wrong: list[str] | None
) -> None:
    answer = await harness.request(method, f"/v1/providers{path.format(id=uuid4())}", body)
    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert wrong is None or get_pointers(answer.body) == wrong
    assert wrong is not None or len(answer.body["errors"]) >= 3


async def test_a_place_that_no_definition_has_is_named(harness: RegistryHarness, framework: FrameworkKey) -> None:
    provider = await harness.register()
    refused = await harness.set_places(provider, 1, area="E07000001")
    assert (refused.status, get_pointers(refused.body)) == (422, ["#/memberships/0/area"])


async def test_the_telephone_number_is_shown_to_officers_and_stored_nowhere_else(harness: RegistryHarness) -> None:
    number_of_alder = "01632 960777"
    headers = {"Idempotency-Key": str(uuid4())}
    body = {**a_body(phone=number_of_alder), "provider_id": str(uuid4())}
    made = await harness.registry.ask("POST", "/v1/providers", ADMIN, body=body, headers=headers)
    refused = await harness.request("POST", "/v1/providers", {**body, "phone": "01632 960778", "name": ""})
    url = f"/v1/providers/{body['provider_id']}"
    assert (await harness.request("GET", url, scope=OPERATE)).body["phone"] == number_of_alder
    assert "960777" not in str(made.body)
    assert "96077" not in str(refused.body)
    assert await number(harness.database, "SELECT count(*) FROM journal WHERE payload LIKE '%960777%'") == 0
    stored = await rows(harness.database, "SELECT answer, idempotency_key, fingerprint, headers FROM idempotency_keys")
    assert stored
    assert "960777" not in str(stored)
    events = await harness.read_events(str(body["provider_id"]), topic=PROVIDERS)
    assert "960777" not in "".join(each.model_dump_json() for each in events)
    assert A_PHONE not in str(await harness.read_events(harness.framework, topic=FRAMEWORKS))
