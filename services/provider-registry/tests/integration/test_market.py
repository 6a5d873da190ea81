"""The market over HTTP: frameworks, providers, places, lists, embargoes and capacity, and what others are told."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.catalogue import FRAMEWORKS, PROVIDERS
from contracts.events.frameworks import FrameworkPublished, RankedListPublished, ranked_list_key
from contracts.events.providers import (
    CapacityDeclared,
    ChannelsChanged,
    EligibilityChanged,
    EmbargoLifted,
    ProviderEmbargoed,
    ProviderRegistered,
    RatingPublished,
)
from contracts.ids import AreaCode, FrameworkKey
from contracts.values import Tier
from testkit.contract_examples import COLCHESTER
from testkit.databases import number, rows
from testkit.provider_registry.builders import A_PHONE
from testkit.provider_registry.harness import ADMIN, ANSWER, OPERATE, House, a_body

A_BRANCH: dict[str, object] = {"name": "Alder Colchester", "outward_code": "CO1", "domiciliary_care": True}


def a_list(
    *providers: UUID, version: int = 1, issued: str = "2026-01-01", live: str = "2026-01-05"
) -> dict[str, object]:
    ranking = [str(each) for each in providers]
    return {"list_version": version, "issued_on": issued, "live_from": live, "ranking": ranking}


def lists_of(framework: str, area: str = COLCHESTER, tier: int = 1) -> str:
    return f"/v1/frameworks/{framework}/areas/{area}/tiers/{tier}/lists"


def pointers(problem: Any) -> list[str]:
    return [each["pointer"] for each in problem["errors"]]


@pytest.fixture
async def framework(house: House) -> FrameworkKey:
    """The house's framework; published by whichever test comes first."""
    assert (await house.publish_definition()).status in {200, 201}
    return house.framework


async def test_a_definition_is_published_once_version_after_version(house: House) -> None:
    key = f"steps-{uuid4().hex[:8]}"
    first = await house.publish_definition(framework=key)
    again = await house.publish_definition(framework=key)
    gap = await house.publish_definition(framework=key, version=3)
    changed = await house.publish_definition(framework=key, cap=9)
    second = await house.publish_definition(framework=key, version=2, cap=9)
    assert [each.status for each in (first, again, gap, changed, second)] == [201, 200, 409, 409, 201]
    said = await house.until_said(FrameworkPublished, key, times=2)
    assert [each.definition.version for each in said if isinstance(each, FrameworkPublished)] == [1, 2]
    shown = await house.ask("GET", f"/v1/frameworks/{key}/versions/1", scope=OPERATE)
    assert (shown.status, shown.body["definition"]["tiers"][0]["providers_per_area"]) == (200, 10)
    assert (await house.ask("GET", f"/v1/frameworks/{key}/versions/7")).status == 404


async def test_a_wrong_definition_is_refused_with_line_path_reason_and_remedy(house: House) -> None:
    wrong = await house.publish_definition(floor="Excellent", cap="ten")
    assert wrong.status == 422
    assert pointers(wrong.body) == ["#/tiers/0/minimum_rating", "#/tiers/0/providers_per_area"]
    assert all(each["detail"].startswith("line 14: ") and "; " in each["detail"] for each in wrong.body["errors"])
    assert "Excellent" not in str(wrong.body)
    assert (await house.publish_definition("framework: [")).status == 422
    assert (await house.publish_definition("x" * 100_001)).status == 422


async def test_a_council_publishes_and_sees_its_own_frameworks_only(house: House, framework: FrameworkKey) -> None:
    assert pointers((await house.publish_definition(council="oxfordshire", scope=ADMIN)).body) == []
    foreign = await house.publish_definition(framework=f"new-{uuid4().hex[:8]}", council="oxfordshire")
    assert foreign.status == 201
    key = foreign.body["framework"]
    assert (await house.ask("GET", f"/v1/frameworks/{key}/versions/1")).status == 404
    listed = (await house.ask("GET", "/v1/frameworks")).body["items"]
    assert framework in [each["framework"] for each in listed]
    assert key not in [each["framework"] for each in listed]


async def test_a_provider_is_registered_once_and_told_with_its_channels_and_eligibility(house: House) -> None:
    provider = str(uuid4())
    body = {**a_body(), "provider_id": provider}
    first = await house.ask("POST", "/v1/providers", body)
    again = await house.ask("POST", "/v1/providers", body)
    other = await house.ask("POST", "/v1/providers", {**body, "name": "Elder Care Ltd"})
    assert [each.status for each in (first, again, other)] == [201, 200, 409]
    assert first.body == again.body
    said = await house.until_said(EligibilityChanged, provider)
    assert [type(each) for each in said] == [ProviderRegistered, ChannelsChanged, EligibilityChanged]
    without_id = await house.ask("POST", "/v1/providers", a_body("Birch Care Ltd"))
    assert without_id.status == 201
    assert without_id.headers["location"] == f"/v1/providers/{without_id.body['provider_id']}"


async def test_a_change_needs_the_etag_of_what_was_read(house: House) -> None:
    provider = await house.register()
    url, body = f"/v1/providers/{provider}", a_body("Elder Care Ltd")
    etag = (await house.ask("GET", url)).headers["etag"]

    async def put(**headers: str) -> int:
        return (await house.registry.ask("PUT", url, ADMIN, body=body, headers=headers)).status

    assert await put() == 428
    assert await put(**{"If-Match": '"99"'}) == 412
    assert await put(**{"If-Match": etag}) == 200
    assert await put(**{"If-Match": etag}) == 412
    read = await house.ask("GET", url)
    assert read.body["name"] == "Elder Care Ltd"
    assert read.headers["etag"] != etag


async def test_a_rating_makes_and_unmakes_eligibility_and_each_change_is_told_once(
    house: House, framework: FrameworkKey
) -> None:
    provider, branch = (await house.ask("POST", "/v1/providers", a_body())).body["provider_id"], uuid4()
    joined = await house.join(UUID(provider), 1)
    assert joined.body["memberships"][0]["lacking"] == ["no branch is registered for domiciliary care and active"]
    url = f"/v1/providers/{provider}/branches/{branch}"
    good = {**A_BRANCH, "rating": "Good", "published_on": "2026-01-05"}
    fallen = {**A_BRANCH, "rating": "Requires Improvement", "published_on": "2026-02-05"}
    for body in (good, good, fallen):
        assert (await house.ask("PUT", url, body)).status == 200
    said = await house.until_said(RatingPublished, provider, times=2)
    eligible = [
        [each.eligible for each in event.memberships] for event in said if isinstance(event, EligibilityChanged)
    ]
    assert eligible == [[], [False], [True], [False]]
    assert len([event for event in said if isinstance(event, RatingPublished)]) == 2


async def test_a_new_definition_looks_at_every_member_again(house: House) -> None:
    key = f"floors-{uuid4().hex[:8]}"
    await house.publish_definition(framework=key)
    provider = await house.register()
    place = {"framework": key, "area": COLCHESTER, "tier": 1}
    await house.ask("PUT", f"/v1/providers/{provider}/memberships", {"memberships": [place]})
    await house.publish_definition(framework=key, version=2, floor="Outstanding")
    said = await house.until_said(EligibilityChanged, str(provider), times=4)
    last = said[-1]
    assert isinstance(last, EligibilityChanged)
    assert [(each.framework, each.eligible) for each in last.memberships] == [(key, False)]


async def test_lists_are_published_version_after_version_and_never_changed(
    house: House, framework: FrameworkKey
) -> None:
    alder, birch = await house.register("Alder Care Ltd"), await house.register("Birch Care Ltd")
    for each in (alder, birch):
        await house.join(each, 1, area="E07000076")
    url = lists_of(framework, "E07000076")
    first = await house.ask("POST", url, a_list(birch, alder))
    again = await house.ask("POST", url, a_list(birch, alder))
    other = await house.ask("POST", url, a_list(alder, birch))
    gap = await house.ask("POST", url, a_list(alder, version=3))
    empty = await house.ask("POST", url, a_list(version=2))
    assert [each.status for each in (first, again, other, gap, empty)] == [201, 200, 409, 409, 201]
    stream = ranked_list_key(framework, AreaCode("E07000076"), Tier.ONE)
    said = await house.until_said(RankedListPublished, stream, times=2)
    assert [len(each.ranking) for each in said if isinstance(each, RankedListPublished)] == [2, 0]
    shown = (await house.ask("GET", url, scope=OPERATE)).body["items"]
    assert [each["list_version"] for each in shown] == [2, 1]
    assert shown[1]["ranking"][0] == {"provider_id": str(birch), "rank": 1}


async def test_everything_wrong_with_a_list_is_named(house: House, framework: FrameworkKey) -> None:
    alder, stranger = await house.register(), await house.register("Birch Care Ltd")
    await house.join(alder, 2)
    body = a_list(alder, alder, stranger, issued="2026-01-05", live="2026-01-01")
    refused = await house.ask("POST", lists_of(framework, tier=2), body)
    assert refused.status == 422
    assert pointers(refused.body) == ["#/live_from", "#/ranking/1", "#/ranking/2"]
    assert (await house.ask("POST", lists_of(framework, "E07000001"), a_list())).status == 404
    assert (await house.ask("POST", lists_of("no-such-framework"), a_list())).status == 404


async def test_an_embargo_begins_and_ends_once(house: House) -> None:
    provider = await house.register()
    url = f"/v1/providers/{provider}/embargo"
    for _ in range(2):
        assert (await house.ask("POST", url, {"reason": "safeguarding"})).body["embargo"] == "safeguarding"
    for _ in range(2):
        assert (await house.ask("DELETE", url)).body["embargo"] is None
    said = await house.until_said(EmbargoLifted, str(provider))
    assert [type(each) for each in said][-2:] == [ProviderEmbargoed, EmbargoLifted]
    assert len([each for each in said if isinstance(each, ProviderEmbargoed)]) == 1


async def test_a_provider_declares_its_own_capacity(house: House, framework: FrameworkKey) -> None:
    provider, other = await house.register(), await house.register("Birch Care Ltd")
    await house.join(provider, 2)
    url, body = f"/v1/providers/{provider}/capacity", {"area": COLCHESTER, "free_hours": "12.50"}
    assert (await house.ask_as(other, "POST", url, body)).status == 404
    assert (await house.ask_as(provider, "POST", url, {**body, "area": "E07000076"})).status == 422
    answer = await house.ask_as(provider, "POST", url, body)
    assert (answer.status, answer.body["free_hours"]) == (200, "12.50")
    said = await house.until_said(CapacityDeclared, str(provider))
    assert [each.declared_at for each in said if isinstance(each, CapacityDeclared)] == [house.clock.now()]


async def test_a_provider_serves_areas_outside_any_framework(house: House, framework: FrameworkKey) -> None:
    provider = await house.register()
    url = f"/v1/providers/{provider}"
    etag = (await house.ask("GET", url)).headers["etag"]
    missing = await house.ask("PUT", f"{url}/spot-areas", {"areas": ["E07000076"]})
    twice = await house.serve(provider, "E07000076", "E07000076", if_match=etag)
    served = await house.serve(provider, "E07000076", COLCHESTER, if_match=etag)
    stale = await house.serve(provider, if_match=etag)
    assert [each.status for each in (missing, twice, served, stale)] == [428, 422, 200, 412]
    assert (served.body["spot_areas"], served.body["memberships"]) == ([COLCHESTER, "E07000076"], [])
    shown = await house.ask_as(provider, "GET", url)
    assert (shown.body["spot_areas"], shown.body["rating"]) == ([COLCHESTER, "E07000076"], "Good")
    said = await house.until_said(EligibilityChanged, str(provider), times=3)
    told = [each for each in said if isinstance(each, EligibilityChanged)]
    assert [each.rating for each in told] == ["not rated", "Good", "Good"]
    assert [each.spot_areas for each in told] == [(), (), (COLCHESTER, "E07000076")]


async def test_providers_are_listed_page_by_page(house: House) -> None:
    made = {str(await house.register(f"Listed {number} Ltd")) for number in range(3)}
    seen: list[str] = []
    url = "/v1/providers?limit=2"
    while True:
        page = (await house.ask("GET", url, scope=OPERATE)).body
        seen += [each["provider_id"] for each in page["items"]]
        if page["next"] is None:
            break
        url = f"/v1/providers?limit=2&cursor={page['next']}"
    assert made <= set(seen)
    assert len(seen) == len(set(seen))


async def test_another_councils_and_another_providers_things_are_not_there(
    house: House, framework: FrameworkKey
) -> None:
    provider, other = await house.register(), await house.register("Birch Care Ltd")
    own = f"/v1/providers/{provider}"
    assert (await house.ask_as(provider, "GET", own)).status == 200
    for path in (own, f"{own}/deliveries"):
        assert (await house.ask_as(other, "GET", path)).status == 404
        assert (await house.ask("GET", path, council="oxfordshire")).status == 404
    endpoint = {"url": "https://alder.example/offers"}
    assert (await house.ask_as(other, "PUT", f"{own}/endpoint", endpoint)).status == 404
    assert (await house.ask_as(other, "POST", f"{own}/endpoint/rotation")).status == 404
    assert (await house.ask("POST", f"{own}/embargo", {"reason": "safeguarding"}, council="oxfordshire")).status == 404
    assert (await house.ask("GET", lists_of(framework), council="oxfordshire")).status == 404
    joined = await house.ask("PUT", f"{own}/memberships", {"memberships": []}, council="oxfordshire")
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
async def test_a_token_without_the_scope_is_refused(house: House, method: str, path: str, scope: str) -> None:
    answer = await house.ask(method, path.format(id=uuid4()), {}, scope=scope)
    assert (answer.status, answer.body["title"]) == (403, "Not yours to do")


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
    house: House, method: str, path: str, body: dict[str, object], wrong: list[str] | None
) -> None:
    answer = await house.ask(method, f"/v1/providers{path.format(id=uuid4())}", body)
    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert wrong is None or pointers(answer.body) == wrong
    assert wrong is not None or len(answer.body["errors"]) >= 3


async def test_a_place_that_no_definition_has_is_named(house: House, framework: FrameworkKey) -> None:
    provider = await house.register()
    refused = await house.join(provider, 1, area="E07000001")
    assert (refused.status, pointers(refused.body)) == (422, ["#/memberships/0/area"])


async def test_the_telephone_number_is_shown_to_officers_and_stands_nowhere_else(house: House) -> None:
    number_of_alder = "01632 960777"
    headers = {"Idempotency-Key": str(uuid4())}
    body = {**a_body(phone=number_of_alder), "provider_id": str(uuid4())}
    made = await house.registry.ask("POST", "/v1/providers", ADMIN, body=body, headers=headers)
    refused = await house.ask("POST", "/v1/providers", {**body, "phone": "01632 960778", "name": ""})
    url = f"/v1/providers/{body['provider_id']}"
    assert (await house.ask("GET", url, scope=OPERATE)).body["phone"] == number_of_alder
    assert "960777" not in str(made.body)
    assert "96077" not in str(refused.body)
    assert await number(house.database, "SELECT count(*) FROM journal WHERE payload LIKE '%960777%'") == 0
    stored = await rows(house.database, "SELECT answer, idempotency_key, fingerprint, headers FROM commands")
    assert stored
    assert "960777" not in str(stored)
    said = await house.said_of(str(body["provider_id"]), topic=PROVIDERS)
    assert "960777" not in "".join(each.model_dump_json() for each in said)
    assert A_PHONE not in str(await house.said_of(house.framework, topic=FRAMEWORKS))
