"""Responses to generated requests conform to the OpenAPI document."""

from uuid import uuid4

import pytest
from jsonschema.protocols import Validator

from contracts.examples import COLCHESTER
from contracts.ids import ProviderId
from testkit.openapi import check_documented_operations
from testkit.pricing.harness import ADMIN, ANSWER, OPERATE, PricingHarness, a_body

pytestmark = pytest.mark.xdist_group("pricing")

EVERYTHING = (ADMIN, OPERATE, "audit:read", "operations:manage")


async def test_every_response_conforms_to_the_openapi_document(
    harness: PricingHarness, problem_schema: Validator
) -> None:
    alder = ProviderId(uuid4())
    await harness.request_as_provider(alder, "PUT", harness.build_rates_path(alder), a_body(harness.today))
    awards, placed = await harness.publish_awards(4), await harness.place_package(provider_id=alder)
    await harness.wait_for_orders(placed)
    issuer, council = harness.pricing.issuer, harness.council
    await check_documented_operations(
        harness.pricing.url,
        tokens=[
            issuer.issue_token(*EVERYTHING, council=council, subject="second"),
            issuer.issue_token(ANSWER, council=council, provider_id=str(alder)),
            issuer.issue_token("referrals:read", council=council),
            "rubbish",
        ],
        path_values={
            "provider_id": [alder],
            "framework": [harness.framework],
            "area": [COLCHESTER],
            "version": [1],
            "package_id": [placed.package_id],
            "award_id": [each.award_id for each in awards],
        },
        problem_schema=problem_schema,
    )
