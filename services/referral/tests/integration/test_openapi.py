"""Whatever the OpenAPI page allows or forbids is answered as the page says, never with a failure of ours."""

from uuid import UUID

import pytest
from jsonschema.protocols import Validator

from contracts.events.packages import PackagePlaced
from contracts.ids import PackageId
from testkit.http_client import Client
from testkit.openapi import check_documented_operations
from testkit.referral.builders import a_body_about, a_provider_id
from testkit.referral.harness import ReferralHarness
from testkit.waiting import until

pytestmark = pytest.mark.xdist_group("referral")

ALDER = a_provider_id("Alder")


async def test_no_request_gets_an_answer_that_the_page_does_not_tell(
    client: Client, harness: ReferralHarness, problem_schema: Validator
) -> None:
    requested, placed = await posted(client, "Test Requested"), await posted(client, "Test Placed")
    package = PackageId(UUID(placed["package_id"]))
    await harness.publish_events(package, PackagePlaced, provider_id=ALDER)
    await until(lambda: is_shown(client, package), within=30)

    await check_documented_operations(
        client.url,
        tokens=[
            client.issue_token(),
            client.for_provider(ALDER).with_scopes("offers:answer", "operations:manage").issue_token(),
            client.with_scopes("audit:read").issue_token(),
            "rubbish",
        ],
        known={"referral_id": [requested["referral_id"], placed["referral_id"]], "package_id": [package]},
        problem_schema=problem_schema,
    )


async def posted(client: Client, name: str) -> dict[str, str]:
    reply = await client.post("/v1/referrals", a_body_about(name=name, nhs_number=None))
    assert reply.status == 201
    return reply.body


async def is_shown(client: Client, package: PackageId) -> bool:
    return (await client.for_provider(ALDER).get(f"/v1/packages/{package}/person")).status == 200
