"""Whatever the OpenAPI page allows or forbids is answered as the page says, never with a failure of ours."""

from jsonschema.protocols import Validator

from contracts.ids import PackageId
from testkit.audit.harness import House
from testkit.openapi import ask_all_that_the_page_tells


async def test_no_request_gets_an_answer_that_the_page_does_not_tell(
    house: House, package: PackageId, problem_schema: Validator
) -> None:
    story = await house.hears_a_story(package)
    token = house.audit.issuer.token
    scopes = ("audit:read", "sourcing:operate", "operations:manage")
    await ask_all_that_the_page_tells(
        house.audit.url,
        tokens=[token(*scopes, council=house.council), token(*scopes), token("offers:answer"), "rubbish"],
        known={"package_id": [package], "provider_id": list(story.providers.values())},
        problem_schema=problem_schema,
    )
