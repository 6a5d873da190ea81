"""Whatever the OpenAPI page allows or forbids is answered as the page says, never with a failure of ours."""

from uuid import UUID

import pytest
from jsonschema.protocols import Validator

from contracts.events.packages import PackagePlaced
from contracts.ids import PackageId
from testkit.http_client import Client
from testkit.openapi import ask_all_that_the_page_tells
from testkit.referral.builders import a_body_about, provider
from testkit.referral.harness import House
from testkit.waiting import until

pytestmark = pytest.mark.xdist_group("referral")

ALDER = provider("Alder")


async def test_no_request_gets_an_answer_that_the_page_does_not_tell(
    client: Client, house: House, problem_schema: Validator
) -> None:
    requested, placed = await posted(client, "Test Requested"), await posted(client, "Test Placed")
    package = PackageId(UUID(placed["package_id"]))
    await house.hears(package, PackagePlaced, provider_id=ALDER)
    await until(lambda: is_shown(client, package), within=30)

    await ask_all_that_the_page_tells(
        client.url,
        tokens=[
            client.token(),
            client.of_provider(ALDER).allowed("offers:answer", "operations:manage").token(),
            client.allowed("audit:read").token(),
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
    return (await client.of_provider(ALDER).get(f"/v1/packages/{package}/person")).status == 200
