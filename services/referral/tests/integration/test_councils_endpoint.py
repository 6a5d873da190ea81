"""News on its way to a council's own system: signed, in order, without the person, and only while it listens."""

import json
from uuid import uuid4

import pytest
from standardwebhooks import Webhook

from contracts.events.listings import PackageListed, StillListed
from contracts.events.packages import PackagePlaced, SourcingStarted, SourcingStopped, StageEntered
from testkit.databases import number, rows
from testkit.referral.builders import a_provider_id
from testkit.referral.harness import ENDPOINT, READ, WRITE, ReferralHarness
from testkit.waiting import until

pytestmark = pytest.mark.xdist_group("referral")

PLANTED = ("Quillfeather", "1931-12-09", "Plantagenet Mews", "CO4", "OUR-REFERENCE-1", "needs-planted")


async def test_a_council_hears_signed_news_of_its_referral_in_order_and_nothing_of_the_person(
    harness: ReferralHarness,
) -> None:
    secret = await harness.register_endpoint()
    assert secret is not None
    package, referral = await harness.post_referral()
    await harness.publish_events(package, SourcingStarted, StageEntered, PackageListed, StillListed)
    await harness.publish_events(package, PackagePlaced, provider_id=a_provider_id("Alder"))
    expected = [
        "referral.received",
        "package.changed",
        "package.changed",
        "package.not_placed_yet",
        "package.not_placed_yet",
        "package.placed",
    ]
    await until(lambda: len(harness.system.find_bodies(package)) == len(expected), within=30)
    assert harness.system.list_types(package) == expected
    placed = harness.system.find_bodies(package)[-1]["data"]
    assert (placed["status"], placed["provider_id"]) == ("placed", str(a_provider_id("Alder")))
    assert placed["links"] == {"referral": f"https://referral.example/v1/referrals/{referral}"}
    for headers, body in harness.system.requests:
        assert Webhook(secret).verify(body, headers) == json.loads(body)
        assert not any(word in body.decode() + str(headers) for word in PLANTED)
    queued = await rows(harness.database, "SELECT * FROM deliveries")
    assert not any(word in str(row) for row in queued for word in PLANTED)
    seen = await harness.ask("GET", f"/v1/referrals/{referral}", scope=READ)
    assert [each["what"] for each in seen.body["history"]][-3:] == [
        "listed for all to propose",
        "still listed",
        "placed",
    ]


async def test_a_withdrawal_is_told_when_it_is_asked_for_and_once_more_when_it_is_done(
    harness: ReferralHarness,
) -> None:
    await harness.register_endpoint()
    package, referral = await harness.post_referral()
    await harness.ask("POST", f"/v1/referrals/{referral}/withdrawal", {"reason": "person has died"})
    await harness.publish_events(package, SourcingStopped)
    await until(lambda: "package.stopped" in harness.system.list_types(package), within=30)
    assert harness.system.list_types(package) == ["referral.received", "package.changed", "package.stopped"]
    assert [each["data"]["status"] for each in harness.system.find_bodies(package)][1:] == [
        "withdrawal requested",
        "withdrawn",
    ]
    assert "died" not in str(harness.system.find_bodies(package))


async def test_an_endpoint_is_shown_rotated_and_disabled_and_its_secret_is_shown_once(harness: ReferralHarness) -> None:
    await harness.register_endpoint()
    assert (await harness.ask("GET", ENDPOINT)).body == {
        "url": harness.system.url,
        "enabled": True,
        "disabled_because": None,
    }
    key = {"Idempotency-Key": str(uuid4())}
    path = f"{ENDPOINT}/rotation"
    rotated = await harness.referral.ask("POST", path, WRITE, headers=key, council=harness.council)
    again = await harness.referral.ask("POST", path, WRITE, headers=key, council=harness.council)
    assert (rotated.body["secret"].startswith("whsec_"), again.body) == (True, {"secret": None})
    for table in ("idempotency_keys", "endpoints", "deliveries"):
        query = f"SELECT count(*) FROM {table} WHERE strpos(CAST({table} AS text), :secret) > 0"
        bare = rotated.body["secret"].removeprefix("whsec_")
        assert await number(harness.database, query, secret=bare) == 0
    for _ in range(2):
        assert (await harness.ask("DELETE", ENDPOINT)).status == 204
    shown = (await harness.ask("GET", ENDPOINT)).body
    assert (shown["enabled"], shown["disabled_because"]) == (False, "disabled by the council")
    silent, _ = await harness.post_referral()
    await harness.register_endpoint()
    loud, _ = await harness.post_referral()
    await until(lambda: harness.system.list_types(loud), within=30)
    assert harness.system.list_types(silent) == []


async def test_an_endpoint_that_is_gone_is_not_called_again(harness: ReferralHarness) -> None:
    await harness.register_endpoint()
    harness.system.status = 410
    await harness.post_referral()

    async def is_disabled() -> bool:
        return (await harness.ask("GET", ENDPOINT)).body["disabled_because"] == "gone"

    await until(is_disabled, within=30)
    harness.system.status = 204


async def test_a_council_has_its_own_endpoint_and_no_other(harness: ReferralHarness) -> None:
    await harness.register_endpoint()
    for method, path in (("GET", ENDPOINT), ("POST", f"{ENDPOINT}/rotation")):
        assert (await harness.ask(method, path, council="another")).status == 404
    assert (await harness.ask("DELETE", ENDPOINT, council="another")).status == 204
    assert (await harness.ask("GET", ENDPOINT)).body["enabled"] is True


@pytest.mark.parametrize("url", ["http://council.example/", "https://127.0.0.1/", "https://user:word@council.example/"])
async def test_news_goes_to_the_public_internet_only(harness: ReferralHarness, url: str) -> None:
    refused = await harness.ask("PUT", ENDPOINT, {"url": url})
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "#/url")
    assert url not in str(refused.body)


@pytest.mark.parametrize(("method", "path"), [("PUT", ""), ("GET", ""), ("DELETE", ""), ("POST", "/rotation")])
async def test_who_may_only_read_has_no_say_about_the_endpoint(
    harness: ReferralHarness, method: str, path: str
) -> None:
    answer = await harness.ask(method, ENDPOINT + path, {}, scope=READ)
    assert (answer.status, answer.body["title"]) == (403, "Forbidden")
