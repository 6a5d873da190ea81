"""Concurrent requests: one succeeds, and the others fail with a reason and change nothing."""

import asyncio
from collections import Counter
from uuid import uuid4

from contracts.events.frameworks import RankedListPublished, make_ranked_list_key
from contracts.example_words import LOT, Tiers
from contracts.examples import COLCHESTER
from contracts.ids import FrameworkKey
from testkit.provider_registry.harness import RegistryHarness

ROUNDS = 10


async def test_two_providers_that_race_for_the_tenth_place_do_not_both_get_it(harness: RegistryHarness) -> None:
    for _ in range(ROUNDS):
        key = f"race-{uuid4().hex[:8]}"
        await harness.publish_definition(framework=key, cap=2)
        place = {"places": [harness.build_place(framework=key)]}
        providers = [await harness.register_provider(f"Racer {number} Ltd") for number in range(3)]
        answers = await asyncio.gather(
            *(harness.request("PUT", f"/v1/providers/{each}/places", place) for each in providers)
        )
        assert Counter(each.status for each in answers) == {200: 2, 409: 1}
        (refused,) = (each for each in answers if each.status == 409)
        assert f"tier-1 of {COLCHESTER} in lot {LOT} of {key}" in refused.body["detail"]


async def test_concurrent_publications_of_one_list_version_publish_one_list(harness: RegistryHarness) -> None:
    key = f"race-{uuid4().hex[:8]}"
    await harness.publish_definition(framework=key)
    alder, birch = await harness.register_provider("Alder Care Ltd"), await harness.register_provider("Birch Care Ltd")
    place = {"places": [harness.build_place(framework=key)]}
    for each in (alder, birch):
        await harness.request("PUT", f"/v1/providers/{each}/places", place)
    url = f"/v1/frameworks/{key}/lots/{LOT}/areas/{COLCHESTER}/tiers/{Tiers.ONE}/lists"
    dates = {"issued_on": "2026-01-01", "live_from": "2026-01-05"}
    for version in range(1, ROUNDS + 1):
        rankings = ([str(alder), str(birch)], [str(birch), str(alder)])
        bodies = [{"list_version": version, "ranking": ranking, **dates} for ranking in rankings]
        answers = await asyncio.gather(*(harness.request("POST", url, body) for body in bodies))
        assert sorted(each.status for each in answers) == [201, 409]
    stream = make_ranked_list_key(FrameworkKey(key), LOT, COLCHESTER, Tiers.ONE, None)
    events = await harness.wait_for_event(RankedListPublished, stream, times=ROUNDS)
    versions = [each.list_version for each in events if isinstance(each, RankedListPublished)]
    assert versions == list(range(1, ROUNDS + 1))


async def test_concurrent_identical_registrations_register_one_provider(harness: RegistryHarness) -> None:
    body = {
        "provider_id": str(uuid4()),
        "name": "Alder Care Ltd",
        "phone": "01632 960001",
    }
    answers = await asyncio.gather(*(harness.request("POST", "/v1/providers", body) for _ in range(5)))
    assert Counter(each.status for each in answers) == {201: 1, 200: 4}
