"""A definition takes effect by two people, over HTTP."""

from datetime import timedelta
from uuid import uuid4

from contracts.catalogue import FRAMEWORKS
from contracts.events.frameworks import FrameworkPublished
from contracts.examples import COUNCIL
from testkit.http_response import HttpResponse
from testkit.provider_registry.builders import OTHER_COUNCIL
from testkit.provider_registry.harness import ADMIN, OPERATE, SECOND_OFFICER, RegistryHarness


async def list_proposed(harness: RegistryHarness, *, council: str = COUNCIL) -> list[str]:
    answer = await harness.request("GET", "/v1/framework-proposals", scope=OPERATE, council=council)
    return [each["framework"] for each in answer.body["items"]]


async def approve(harness: RegistryHarness, key: str, *, subject: str, if_match: str | None = None) -> HttpResponse:
    headers = {} if if_match is None else {"If-Match": if_match}
    path = f"/v1/frameworks/{key}/versions/1/approval"
    return await harness.registry.request("POST", path, ADMIN, headers=headers, subject=subject, council=COUNCIL)


async def test_a_proposed_version_is_read_by_officers_and_published_by_another_one(harness: RegistryHarness) -> None:
    key = f"proposed-{uuid4().hex[:8]}"
    proposed = await harness.propose_definition(framework=key)
    assert (proposed.status, proposed.body["state"], proposed.body["proposed_by"]) == (
        202,
        "proposed",
        "system:system-1",
    )
    assert (await harness.request("GET", f"/v1/frameworks/{key}/versions/1")).status == 404
    assert key in await list_proposed(harness)
    assert key not in await list_proposed(harness, council=OTHER_COUNCIL)
    own = await approve(harness, key, subject="system-1")
    assert (own.status, own.body["title"]) == (409, "Second officer needed")
    assert await harness.read_events(key, topic=FRAMEWORKS) == []
    approved = await approve(harness, key, subject=SECOND_OFFICER)
    again = await approve(harness, key, subject=SECOND_OFFICER)
    assert (approved.status, again.status) == (201, 200)
    assert len(await harness.wait_for_event(FrameworkPublished, key)) == 1
    assert (await harness.request("GET", f"/v1/frameworks/{key}/versions/1")).status == 200
    assert key not in await list_proposed(harness)
    repeated = await harness.propose_definition(framework=key)
    assert (repeated.status, repeated.body["state"]) == (200, "published")


async def test_a_proposal_is_replaced_and_withdrawn_by_its_proposer_only(harness: RegistryHarness) -> None:
    key = f"proposed-{uuid4().hex[:8]}"
    path = f"/v1/frameworks/{key}/versions/1"
    await harness.propose_definition(framework=key)
    other = await harness.propose_definition(framework=key, cap=9, subject=SECOND_OFFICER)
    taken = await harness.request("DELETE", path, subject=SECOND_OFFICER)
    replaced = await harness.propose_definition(framework=key, cap=9)
    withdrawn = await harness.request("DELETE", path)
    assert [each.status for each in (other, taken, replaced, withdrawn)] == [409, 409, 202, 204]
    assert (await harness.request("DELETE", path)).status == 404
    assert (await approve(harness, key, subject=SECOND_OFFICER)).status == 404


async def test_an_approval_of_what_was_read_is_refused_after_it_was_replaced(harness: RegistryHarness) -> None:
    key = f"proposed-{uuid4().hex[:8]}"
    read = (await harness.propose_definition(framework=key)).headers["etag"]
    harness.clock.advance(timedelta(seconds=1))
    newest = (await harness.propose_definition(framework=key, cap=9)).headers["etag"]
    assert (await approve(harness, key, subject=SECOND_OFFICER, if_match=read)).status == 412
    assert (await approve(harness, key, subject=SECOND_OFFICER, if_match=newest)).status == 201


async def test_a_token_without_the_scope_neither_proposes_nor_approves(harness: RegistryHarness) -> None:
    path = "/v1/frameworks/some-framework/versions/1"
    for method, url in (("POST", f"{path}/approval"), ("DELETE", path)):
        assert (await harness.request(method, url, scope=OPERATE)).status == 403
    assert (await harness.request("GET", "/v1/framework-proposals", scope="offers:answer")).status == 403


async def test_a_version_is_explained_drawn_and_compared_before_it_is_approved(harness: RegistryHarness) -> None:
    framework = f"explained-{uuid4().hex[:8]}"
    assert (await harness.publish_definition(framework=framework)).status == 201
    assert (await harness.propose_definition(framework=framework, version=2, cap=12)).status == 202
    versions = f"/v1/frameworks/{framework}/versions"
    explained = await harness.request("GET", f"{versions}/1/explanation")
    assert explained.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert "A referral for personal care in Colchester (community):" in explained.text
    drawn = await harness.request("GET", f"{versions}/2/drawing")
    assert (drawn.headers["Content-Type"], drawn.text.startswith("<svg ")) == ("image/svg+xml", True)
    compared = await harness.request("GET", f"{versions}/2/changes")
    assert "at most 12 providers an area" in compared.text
    assert [(await harness.request("GET", f"{versions}/{path}")).status for path in ("1/changes", "3/drawing")] == [
        404,
        404,
    ]
    foreign = await harness.request("GET", f"{versions}/2/explanation", council="another-council")
    assert foreign.status == 404
