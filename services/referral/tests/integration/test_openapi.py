"""Every response to generated requests is one that the OpenAPI document describes."""

from uuid import UUID

import pytest
from jsonschema.protocols import Validator

from contracts.events.searches import PackagePlaced
from contracts.ids import PackageId
from testkit.http_client import ServiceClient
from testkit.openapi import check_documented_operations
from testkit.referral.builders import a_body_with_person, to_provider_id
from testkit.referral.harness import ReferralHarness
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("referral")

ALDER = to_provider_id("Alder")


async def test_every_response_is_documented_in_openapi(
    client: ServiceClient, harness: ReferralHarness, problem_schema: Validator
) -> None:
    requested, placed = await post_referral(client, "Test Requested"), await post_referral(client, "Test Placed")
    package = PackageId(UUID(placed["package_id"]))
    await harness.publish_events(package, PackagePlaced, provider_id=ALDER)
    await wait_until(lambda: is_shown(client, package), within=30)

    await check_documented_operations(
        client.url,
        tokens=[
            client.issue_token(),
            client.with_provider(ALDER).with_scopes("offers:answer", "operations:manage").issue_token(),
            client.with_scopes("audit:read").issue_token(),
            "rubbish",
        ],
        path_values={"referral_id": [requested["referral_id"], placed["referral_id"]], "package_id": [package]},
        problem_schema=problem_schema,
    )


async def post_referral(client: ServiceClient, name: str) -> dict[str, str]:
    reply = await client.post("/v1/referrals", a_body_with_person(name=name, nhs_number=None))
    assert reply.status == 201
    return reply.body


async def is_shown(client: ServiceClient, package: PackageId) -> bool:
    return (await client.with_provider(ALDER).get(f"/v1/packages/{package}/person")).status == 200
