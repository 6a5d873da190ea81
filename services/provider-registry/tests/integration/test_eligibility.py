"""Eligibility as at any instant, with the outcome of every rule in words."""

from uuid import uuid4

from contracts.events.providers import EligibilityChanged, RatingPublished
from contracts.example_words import Needs, Tiers
from contracts.ids import FrameworkKey, ProviderId
from testkit.http_response import HttpResponse
from testkit.provider_registry.harness import ANSWER, OPERATE, RegistryHarness, a_body

A_BRANCH: dict[str, object] = {"name": "Alder Colchester", "outward_code": "CO1", "domiciliary_care": True}
TIERS = """
tiers:
  - tier: tier-1
    title: Tier 1
    entry:
      - {rule: overall-rating, at_least: Good}
      - {rule: key-question, key_question: Safe, at_least: Good}
      - {rule: branch-location, miles: 5}
      - {rule: skill, skill: dementia}
  - {tier: tier-2, title: Tier 2}
"""


async def publish_rules(harness: RegistryHarness) -> str:
    """Publishes a framework with a tier that has four entry rules."""
    key = f"rules-{uuid4().hex[:8]}"
    yaml = harness.render_definition(framework=key)
    head, rest = yaml.split("tiers:\n", 1)
    rest = rest[rest.index("units:") :]
    assert (await harness.publish_definition(f"{head}{TIERS.lstrip()}{rest}")).status == 201
    return key


async def ask(harness: RegistryHarness, provider: ProviderId, at: str | None = None) -> HttpResponse:
    query = "" if at is None else f"?at={at}"
    return await harness.request("GET", f"/v1/providers/{provider}/eligibility{query}", scope=OPERATE)


async def test_each_rule_is_answered_in_words_until_all_are_met(harness: RegistryHarness) -> None:
    framework = await publish_rules(harness)
    made = await harness.request("POST", "/v1/providers", a_body())
    provider, branch = ProviderId(made.body["provider_id"]), uuid4()
    url = f"/v1/providers/{provider}"
    await harness.request("PUT", f"{url}/places", {"places": [harness.build_place(framework=framework)]})
    rated = {
        **A_BRANCH,
        "rating": "good",
        "published_on": "2026-01-05",
        "key_questions": [{"key_question": "safe", "rating": "GOOD"}, {"key_question": "Well led", "rating": "n/a"}],
    }
    await harness.request("PUT", f"{url}/branches/{branch}", rated)
    (place,) = (await ask(harness, provider)).body["places"]
    assert (place["eligible"], [each["met"] for each in place["rules"]]) == (False, [True, True, False, False])
    assert [each["outcome"].split(",")[0] for each in place["rules"]] == [
        "CQC overall Good since 5 January 2026",
        "CQC Safe Good since 5 January 2026",
        "no officer's finding recorded",
        "no evidence of the skill Dementia care",
    ]
    finding = {"framework": framework, "within": False, "miles": "4.80"}
    assert (await harness.request("POST", f"{url}/branches/{branch}/location", finding)).status == 200
    skill = {"skill": Needs.DEMENTIA, "evidence": "CERT-17", "valid_from": "2026-01-01"}
    assert (await harness.request("PUT", f"{url}/skills", {"skills": [skill]})).status == 200
    (place,) = (await ask(harness, provider)).body["places"]
    assert (place["eligible"], place["rules"][2]["branch"]) == (True, "Alder Colchester")
    assert place["rules"][2]["outcome"].startswith("found 4.80 miles outside the boundary on 2 March 2026")
    assert await is_published_with(harness, provider)


async def is_published_with(harness: RegistryHarness, provider: ProviderId) -> bool:
    """Returns whether key questions, skills and eligibility are on the record."""
    events = await harness.wait_for_event(EligibilityChanged, str(provider), times=4)
    ratings = [each for each in events if isinstance(each, RatingPublished)]
    last = [each for each in events if isinstance(each, EligibilityChanged)][-1]
    rated = [(each.key_question.value, each.rating.value) for each in ratings[0].key_questions]
    return (rated, last.skills, last.places[0].eligible) == ([("Safe", "Good")], (Needs.DEMENTIA,), True)


async def test_a_past_instant_is_answered_by_the_histories(harness: RegistryHarness, framework: FrameworkKey) -> None:
    provider = await harness.register_provider()
    await harness.set_places(provider, Tiers.ONE)
    (branch,) = (await harness.request("GET", f"/v1/providers/{provider}")).body["branches"]
    fallen = {**A_BRANCH, "rating": "Inadequate", "published_on": "2026-02-01"}
    url = f"/v1/providers/{provider}/branches/{branch['branch_id']}"
    assert (await harness.request("PUT", url, fallen)).status == 200
    answers = [await ask(harness, provider, at) for at in (None, "2026-01-31T12:00:00Z", "2026-01-04T12:00:00Z")]
    assert [each.body["places"][0]["eligible"] for each in answers] == [False, True, False]
    assert [each.body["places"][0]["rules"][0]["outcome"] for each in answers] == [
        "CQC overall Inadequate since 1 February 2026, at least Good is asked",
        "CQC overall Good since 5 January 2026, at least Good is asked",
        "CQC overall not rated, at least Good is asked",
    ]


async def test_a_rating_that_was_recorded_wrongly_is_corrected_and_kept(harness: RegistryHarness) -> None:
    provider, branch = await harness.register_provider(), uuid4()
    url = f"/v1/providers/{provider}/branches/{branch}"
    for rating in (
        {"rating": "Good", "published_on": "2026-02-03"},
        {"rating": "Good", "published_on": "2026-01-03", "corrects": "2026-02-03"},
    ):
        answer = await harness.request("PUT", url, {**A_BRANCH, **rating})
        assert answer.status == 200
    shown = next(each for each in answer.body["branches"] if each["branch_id"] == str(branch))
    assert shown["published_on"] == "2026-01-03"
    assert [(each["published_on"], each["counts"]) for each in shown["ratings"]] == [
        ("2026-02-03", False),
        ("2026-01-03", True),
    ]
    unknown = await harness.request("PUT", url, {**A_BRANCH, "rating": "Good", "corrects": "2020-01-01"})
    assert (unknown.status, unknown.body["errors"][0]["pointer"]) == (422, "#/corrects")


async def test_a_provider_asks_about_itself_only(harness: RegistryHarness) -> None:
    provider, other = await harness.register_provider(), await harness.register_provider("Birch Care Ltd")
    path = f"/v1/providers/{provider}/eligibility"
    assert (await harness.request_as_provider(provider, "GET", path)).status == 200
    assert (await harness.request_as_provider(other, "GET", path)).status == 404
    assert (await harness.request("GET", path, scope="referrals:read")).status == 403
    assert (await harness.request("GET", f"{path}?at=yesterday", scope=ANSWER)).status == 422
