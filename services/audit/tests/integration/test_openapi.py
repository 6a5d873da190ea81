"""Every response to generated requests is one that the OpenAPI document describes."""

from jsonschema.protocols import Validator

from contracts.ids import PackageId
from testkit.audit.harness import AuditHarness
from testkit.openapi import check_documented_operations


async def test_every_response_is_documented_in_openapi(
    harness: AuditHarness, package: PackageId, problem_schema: Validator
) -> None:
    story = await harness.send_complete_case(package)
    token = harness.audit.issuer.issue_token
    scopes = ("audit:read", "sourcing:operate", "operations:manage")
    await check_documented_operations(
        harness.audit.url,
        tokens=[token(*scopes, council=harness.council), token(*scopes), token("offers:answer"), "rubbish"],
        path_values={"package_id": [package], "provider_id": list(story.providers.values())},
        problem_schema=problem_schema,
    )
