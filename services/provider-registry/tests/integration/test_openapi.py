"""Whatever the OpenAPI page allows or forbids is answered as the page says, never with a failure of ours."""

from jsonschema.protocols import Validator

from testkit.contract_examples import COLCHESTER
from testkit.openapi import ask_all_that_the_page_tells
from testkit.provider_registry.harness import ADMIN, ANSWER, OPERATE, House


async def test_no_request_gets_an_answer_that_the_page_does_not_tell(house: House, problem_schema: Validator) -> None:
    await house.publish_definition()
    alder, birch = await house.register(), await house.register("Birch Care Ltd", system=True)
    for provider in (alder, birch):
        assert (await house.join(provider, 1)).status == 200
    token = house.registry.issuer.token

    await ask_all_that_the_page_tells(
        house.registry.url,
        tokens=[
            token(ADMIN, OPERATE, "operations:manage"),
            token(ANSWER, provider_id=str(birch)),
            token("referrals:read"),
            "rubbish",
        ],
        known={
            "provider_id": [alder, birch],
            "framework": [house.framework],
            "version": [1],
            "area": [COLCHESTER],
            "tier": [1],
        },
        problem_schema=problem_schema,
    )
