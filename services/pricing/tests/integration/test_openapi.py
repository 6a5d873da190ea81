"""Whatever the OpenAPI page allows or forbids is answered as the page says, never with a failure of ours."""

from uuid import uuid4

import pytest
from jsonschema.protocols import Validator

from contracts.ids import ProviderId
from testkit.contract_examples import COLCHESTER
from testkit.openapi import ask_all_that_the_page_tells
from testkit.pricing.harness import ADMIN, ANSWER, OPERATE, House, a_body

pytestmark = pytest.mark.xdist_group("pricing")

EVERYTHING = (ADMIN, OPERATE, "audit:read", "operations:manage")


async def test_no_request_gets_an_answer_that_the_page_does_not_tell(house: House, problem_schema: Validator) -> None:
    alder = ProviderId(uuid4())
    await house.provider(alder, "PUT", house.rates_path(alder), a_body(house.today))
    awards, placed = await house.awards(4), await house.places(provider_id=alder)
    await house.orders(placed)
    issuer, council = house.pricing.issuer, house.council
    await ask_all_that_the_page_tells(
        house.pricing.url,
        tokens=[
            issuer.token(*EVERYTHING, council=council, subject="second"),
            issuer.token(ANSWER, council=council, provider_id=str(alder)),
            issuer.token("referrals:read", council=council),
            "rubbish",
        ],
        known={
            "provider_id": [alder],
            "framework": [house.framework],
            "area": [COLCHESTER],
            "version": [1],
            "package_id": [placed.package_id],
            "award_id": [each.award_id for each in awards],
        },
        problem_schema=problem_schema,
    )
