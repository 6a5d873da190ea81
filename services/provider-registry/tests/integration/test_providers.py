"""Providers, places, embargoes and capacity over HTTP, and the events published."""

from uuid import UUID, uuid4

import pytest

from contracts.catalogue import FRAMEWORKS, PROVIDERS
from contracts.events.providers import (
    CapacityDeclared,
    ChannelsChanged,
    EligibilityChanged,
    EmbargoLifted,
    ProviderEmbargoed,
    ProviderRegistered,
    RatingPublished,
)
from contracts.example_words import LOT, Tiers
from contracts.examples import COLCHESTER, COUNCIL
from contracts.ids import AreaCode, FrameworkKey
from testkit.databases import fetch_number, fetch_rows
from testkit.http_response import list_invalid_fields
from testkit.provider_registry.builders import A_PHONE, OTHER_COUNCIL
from testkit.provider_registry.harness import ADMIN, ANSWER, OPERATE, RegistryHarness, a_body

A_PLACE: dict[str, object] = {
    "framework": "some-framework",
    "lot": "home-care",
    "area": "E07000071",
    "tier": "tier-1",
}
A_BRANCH: dict[str, object] = {"name": "Alder Colchester", "outward_code": "CO1", "domiciliary_care": True}


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


async def test_a_change_requires_the_etag_of_the_current_version(harness: RegistryHarness) -> None:
    provider = await harness.register_provider()
    url, body = f"/v1/providers/{provider}", a_body("Elder Care Ltd")
    etag = (await harness.request("GET", url)).headers["etag"]

    async def put(**headers: str) -> int:
        sent = harness.registry.request("PUT", url, ADMIN, body=body, headers=headers, council=COUNCIL)
        return (await sent).status

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
    joined = await harness.set_places(UUID(provider), Tiers.ONE)
    assert joined.body["places"][0]["lacking"] == ["no branch is registered for domiciliary care and active"]
    url = f"/v1/providers/{provider}/branches/{branch}"
    good = {**A_BRANCH, "rating": "Good", "published_on": "2026-01-05"}
    fallen = {**A_BRANCH, "rating": "Requires Improvement", "published_on": "2026-02-05"}
    for body in (good, good, fallen):
        assert (await harness.request("PUT", url, body)).status == 200
    events = await harness.wait_for_event(RatingPublished, provider, times=2)
    eligible = [[each.eligible for each in event.places] for event in events if isinstance(event, EligibilityChanged)]
    assert eligible == [[], [False], [True], [False]]
    assert len([event for event in events if isinstance(event, RatingPublished)]) == 2


async def test_an_embargo_begins_and_ends_once(harness: RegistryHarness) -> None:
    provider = await harness.register_provider()
    url = f"/v1/providers/{provider}/embargo"
    for _ in range(2):
        assert (await harness.request("POST", url, {"reason": "safeguarding"})).body["embargo"] == "safeguarding"
    for _ in range(2):
        assert (await harness.request("DELETE", url)).body["embargo"] is None
    events = await harness.wait_for_event(EmbargoLifted, str(provider))
    assert [type(each) for each in events][-2:] == [ProviderEmbargoed, EmbargoLifted]
    assert len([each for each in events if isinstance(each, ProviderEmbargoed)]) == 1


async def test_a_provider_declares_its_own_capacity(harness: RegistryHarness, framework: FrameworkKey) -> None:
    provider, other = await harness.register_provider(), await harness.register_provider("Birch Care Ltd")
    await harness.set_places(provider, Tiers.TWO)
    url, body = f"/v1/providers/{provider}/capacity", {"area": COLCHESTER, "free_hours": "12.50"}
    assert (await harness.request_as_provider(other, "POST", url, body)).status == 404
    assert (await harness.request_as_provider(provider, "POST", url, {**body, "area": "E07000076"})).status == 422
    answer = await harness.request_as_provider(provider, "POST", url, body)
    assert (answer.status, answer.body["free_hours"]) == (200, "12.50")
    events = await harness.wait_for_event(CapacityDeclared, str(provider))
    assert [each.declared_at for each in events if isinstance(each, CapacityDeclared)] == [harness.clock.now()]


async def test_a_provider_serves_areas_outside_any_framework(harness: RegistryHarness, framework: FrameworkKey) -> None:
    provider = await harness.register_provider()
    url = f"/v1/providers/{provider}"
    etag = (await harness.request("GET", url)).headers["etag"]
    missing = await harness.request("PUT", f"{url}/spot-areas", {"areas": ["E07000076"]})
    twice = await harness.set_spot_areas(provider, "E07000076", "E07000076", if_match=etag)
    served = await harness.set_spot_areas(provider, "E07000076", COLCHESTER, if_match=etag)
    stale = await harness.set_spot_areas(provider, if_match=etag)
    assert [each.status for each in (missing, twice, served, stale)] == [428, 422, 200, 412]
    assert (served.body["spot_areas"], served.body["places"]) == ([COLCHESTER, "E07000076"], [])
    shown = await harness.request_as_provider(provider, "GET", url)
    assert (shown.body["spot_areas"], shown.body["rating"]) == ([COLCHESTER, "E07000076"], "Good")
    events = await harness.wait_for_event(EligibilityChanged, str(provider), times=3)
    events = [each for each in events if isinstance(each, EligibilityChanged)]
    assert [each.rating for each in events] == ["not rated", "Good", "Good"]
    assert [each.spot_areas for each in events] == [(), (), (COLCHESTER, "E07000076")]


async def test_providers_are_listed_page_by_page(harness: RegistryHarness) -> None:
    made = {str(await harness.register_provider(f"Listed {number} Ltd")) for number in range(3)}
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
    provider, other = await harness.register_provider(), await harness.register_provider("Birch Care Ltd")
    own = f"/v1/providers/{provider}"
    assert (await harness.request_as_provider(provider, "GET", own)).status == 200
    for path in (own, f"{own}/deliveries"):
        assert (await harness.request_as_provider(other, "GET", path)).status == 404
        assert (await harness.request("GET", path, council=OTHER_COUNCIL)).status == 404
    endpoint = {"url": "https://alder.example/offers"}
    assert (await harness.request_as_provider(other, "PUT", f"{own}/endpoint", endpoint)).status == 404
    assert (await harness.request_as_provider(other, "POST", f"{own}/endpoint/rotation")).status == 404
    assert (
        await harness.request("POST", f"{own}/embargo", {"reason": "safeguarding"}, council=OTHER_COUNCIL)
    ).status == 404
    assert (
        await harness.request(
            "GET", f"/v1/frameworks/{framework}/lots/{LOT}/areas/{COLCHESTER}/tiers/tier-1/lists", council=OTHER_COUNCIL
        )
    ).status == 404
    joined = await harness.request("PUT", f"{own}/places", {"places": []}, council=OTHER_COUNCIL)
    assert joined.status == 404


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v1/frameworks", OPERATE),
        ("POST", "/v1/providers", ANSWER),
        ("GET", "/v1/providers", ANSWER),
        ("GET", "/v1/providers/{id}", "referrals:read"),
        ("PUT", "/v1/providers/{id}/places", ANSWER),
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
        ("POST", "", {}, ["#/name", "#/phone"]),
        ("POST", "", {**a_body(), "email": "x"}, ["#/email"]),
        ("POST", "", a_body(name="", turnover="-1", phone="call me"), None),
        ("POST", "", a_body(turnover_evidence=None), ["#/turnover_evidence"]),
        ("POST", "", a_body(name="a\x00b"), ["#/name"]),
        ("POST", "", a_body(provider_id="seven"), ["#/provider_id"]),
        ("PUT", "/{id}/branches/{id}", {**A_BRANCH, "outward_code": "CO1 1AA"}, ["#/outward_code"]),
        ("PUT", "/{id}/branches/{id}", {**A_BRANCH, "status": "asleep"}, ["#/status"]),
        ("PUT", "/{id}/branches/{id}", {**A_BRANCH, "published_on": "yesterday"}, ["#/published_on"]),
        ("PUT", "/{id}/places", {"places": [{"framework": "!", "lot": "home-care", "area": "?", "tier": 3}]}, None),
        ("PUT", "/{id}/places", {"places": [None] * 501}, ["#/places"]),
        ("PUT", "/{id}/places", {"places": [{**A_PLACE, "state": "gone", "number": 0}]}, None),
        ("POST", "/{id}/places/requests", A_PLACE, ["#/because"]),
        ("POST", "/{id}/branches/{id}/location", {"framework": "some-framework", "within": False}, ["#/miles"]),
        ("PUT", "/{id}/skills", {"skills": [{"skill": "dementia"}]}, None),
        ("PUT", "/{id}/spot-areas", {"areas": ["E07000071", "!"]}, ["#/areas/1"]),
        ("POST", "/{id}/embargo", {"reason": "because"}, ["#/reason"]),
        ("POST", "/{id}/capacity", {"area": "E07000071", "free_hours": "-0.01"}, ["#/free_hours"]),
        ("PUT", "/{id}/endpoint", {"url": "not a url"}, ["#/url"]),
    ],
)
async def test_each_invalid_field_is_named_and_not_echoed(
    harness: RegistryHarness, method: str, path: str, body: dict[str, object], wrong: list[str] | None
) -> None:
    answer = await harness.request(method, f"/v1/providers{path.format(id=uuid4())}", body)
    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert wrong is None or list_invalid_fields(answer) == wrong
    assert wrong is not None or len(answer.body["errors"]) >= 2


async def test_a_place_outside_every_definition_is_named(harness: RegistryHarness, framework: FrameworkKey) -> None:
    provider = await harness.register_provider()
    refused = await harness.set_places(provider, Tiers.ONE, area=AreaCode("E07000001"))
    assert (refused.status, list_invalid_fields(refused)) == (422, ["#/places/0/area"])


async def test_only_officers_see_the_telephone_number_and_one_table_stores_it(harness: RegistryHarness) -> None:
    number_of_alder = "01632 960777"
    headers = {"Idempotency-Key": str(uuid4())}
    body = {**a_body(phone=number_of_alder), "provider_id": str(uuid4())}
    made = await harness.registry.request("POST", "/v1/providers", ADMIN, body=body, headers=headers, council=COUNCIL)
    refused = await harness.request("POST", "/v1/providers", {**body, "phone": "01632 960778", "name": ""})
    url = f"/v1/providers/{body['provider_id']}"
    assert (await harness.request("GET", url, scope=OPERATE)).body["phone"] == number_of_alder
    assert "960777" not in str(made.body)
    assert "96077" not in str(refused.body)
    assert await fetch_number(harness.database, "SELECT count(*) FROM journal WHERE payload LIKE '%960777%'") == 0
    stored = await fetch_rows(
        harness.database, "SELECT answer, idempotency_key, fingerprint, headers FROM idempotency_keys"
    )
    assert stored
    assert "960777" not in str(stored)
    events = await harness.read_events(str(body["provider_id"]), topic=PROVIDERS)
    assert "960777" not in "".join(each.model_dump_json() for each in events)
    assert A_PHONE not in str(await harness.read_events(harness.framework, topic=FRAMEWORKS))
