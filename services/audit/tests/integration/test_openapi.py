"""Whatever the OpenAPI page allows or forbids is answered as the page says, never with a failure of ours."""

from jsonschema.protocols import Validator

from contracts.ids import PackageId
from testkit.audit.harness import AuditHarness
from testkit.openapi import check_documented_operations


async def test_no_request_gets_an_answer_that_the_page_does_not_tell(
    harness: AuditHarness, package: PackageId, problem_schema: Validator
) -> None:
    story = await harness.send_story(package)
    token = harness.audit.issuer.issue_token
    scopes = ("audit:read", "sourcing:operate", "operations:manage")
    await check_documented_operations(
        harness.audit.url,
        tokens=[token(*scopes, council=harness.council), token(*scopes), token("offers:answer"), "rubbish"],
        known={"package_id": [package], "provider_id": list(story.providers.values())},
        problem_schema=problem_schema,
    )
