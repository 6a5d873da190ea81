"""Responses to generated requests conform to the OpenAPI document."""

from jsonschema.protocols import Validator

from contracts.example_words import LOT, Tiers
from contracts.examples import COLCHESTER, COUNCIL
from testkit.openapi import check_documented_operations
from testkit.provider_registry.harness import ADMIN, ANSWER, OPERATE, RegistryHarness


async def test_every_response_conforms_to_the_openapi_page(harness: RegistryHarness, problem_schema: Validator) -> None:
    await harness.publish_definition()
    alder, birch = (
        await harness.register_provider(),
        await harness.register_provider("Birch Care Ltd", with_endpoint=True),
    )
    for provider in (alder, birch):
        assert (await harness.set_places(provider, Tiers.ONE)).status == 200
    token = harness.registry.issuer.issue_token

    await check_documented_operations(
        harness.registry.url,
        tokens=[
            token(ADMIN, OPERATE, "operations:manage", council=COUNCIL),
            token(ANSWER, provider_id=str(birch), council=COUNCIL),
            token("referrals:read"),
            "rubbish",
        ],
        path_values={
            "provider_id": [alder, birch],
            "framework": [harness.framework],
            "version": [1],
            "area": [COLCHESTER],
            "lot": [LOT],
            "tier": [Tiers.ONE],
        },
        problem_schema=problem_schema,
    )
