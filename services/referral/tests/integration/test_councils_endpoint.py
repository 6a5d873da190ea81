"""News on its way to a council's own system: signed, in order, without the person, and only while it listens."""

import json
from uuid import uuid4

import pytest
from standardwebhooks import Webhook

from contracts.events.listings import PackageListed, StillListed
from contracts.events.packages import PackagePlaced, SourcingStarted, SourcingStopped, StageEntered
from testkit.databases import number, rows
from testkit.referral.builders import provider
from testkit.referral.harness import ENDPOINT, READ, WRITE, House
from testkit.waiting import until

pytestmark = pytest.mark.xdist_group("referral")

PLANTED = ("Quillfeather", "1931-12-09", "Plantagenet Mews", "CO4", "OUR-REFERENCE-1", "needs-planted")


async def test_a_council_hears_signed_news_of_its_referral_in_order_and_nothing_of_the_person(house: House) -> None:
    secret = await house.listens()
    assert secret is not None
    package, referral = await house.refers()
    await house.hears(package, SourcingStarted, StageEntered, PackageListed, StillListed)
    await house.hears(package, PackagePlaced, provider_id=provider("Alder"))
    expected = [
        "referral.received",
        "package.changed",
        "package.changed",
        "package.not_placed_yet",
        "package.not_placed_yet",
        "package.placed",
    ]
    await until(lambda: len(house.system.about(package)) == len(expected), within=30)
    assert house.system.kinds(package) == expected
    placed = house.system.about(package)[-1]["data"]
    assert (placed["status"], placed["provider_id"]) == ("placed", str(provider("Alder")))
    assert placed["links"] == {"referral": f"https://referral.example/v1/referrals/{referral}"}
    for headers, body in house.system.heard:
        assert Webhook(secret).verify(body, headers) == json.loads(body)
        assert not any(word in body.decode() + str(headers) for word in PLANTED)
    queued = await rows(house.database, "SELECT * FROM deliveries")
    assert not any(word in str(row) for row in queued for word in PLANTED)
    seen = await house.ask("GET", f"/v1/referrals/{referral}", scope=READ)
    assert [each["what"] for each in seen.body["history"]][-3:] == [
        "listed for all to propose",
        "still listed",
        "placed",
    ]


async def test_a_withdrawal_is_told_when_it_is_asked_for_and_once_more_when_it_is_done(house: House) -> None:
    await house.listens()
    package, referral = await house.refers()
    await house.ask("POST", f"/v1/referrals/{referral}/withdrawal", {"reason": "person has died"})
    await house.hears(package, SourcingStopped)
    await until(lambda: "package.stopped" in house.system.kinds(package), within=30)
    assert house.system.kinds(package) == ["referral.received", "package.changed", "package.stopped"]
    assert [each["data"]["status"] for each in house.system.about(package)][1:] == ["withdrawal requested", "withdrawn"]
    assert "died" not in str(house.system.about(package))


async def test_an_endpoint_is_shown_rotated_and_disabled_and_its_secret_is_shown_once(house: House) -> None:
    await house.listens()
    assert (await house.ask("GET", ENDPOINT)).body == {
        "url": house.system.url,
        "enabled": True,
        "disabled_because": None,
    }
    key = {"Idempotency-Key": str(uuid4())}
    path = f"{ENDPOINT}/rotation"
    rotated = await house.referral.ask("POST", path, WRITE, headers=key, council=house.council)
    again = await house.referral.ask("POST", path, WRITE, headers=key, council=house.council)
    assert (rotated.body["secret"].startswith("whsec_"), again.body) == (True, {"secret": None})
    for table in ("commands", "endpoints", "deliveries"):
        query = f"SELECT count(*) FROM {table} WHERE strpos(CAST({table} AS text), :secret) > 0"
        bare = rotated.body["secret"].removeprefix("whsec_")
        assert await number(house.database, query, secret=bare) == 0
    for _ in range(2):
        assert (await house.ask("DELETE", ENDPOINT)).status == 204
    shown = (await house.ask("GET", ENDPOINT)).body
    assert (shown["enabled"], shown["disabled_because"]) == (False, "disabled by the council")
    silent, _ = await house.refers()
    await house.listens()
    loud, _ = await house.refers()
    await until(lambda: house.system.kinds(loud), within=30)
    assert house.system.kinds(silent) == []


async def test_an_endpoint_that_is_gone_is_not_called_again(house: House) -> None:
    await house.listens()
    house.system.status = 410
    await house.refers()

    async def is_disabled() -> bool:
        return (await house.ask("GET", ENDPOINT)).body["disabled_because"] == "gone"

    await until(is_disabled, within=30)
    house.system.status = 204


async def test_a_council_has_its_own_endpoint_and_no_other(house: House) -> None:
    await house.listens()
    for method, path in (("GET", ENDPOINT), ("POST", f"{ENDPOINT}/rotation")):
        assert (await house.ask(method, path, council="another")).status == 404
    assert (await house.ask("DELETE", ENDPOINT, council="another")).status == 204
    assert (await house.ask("GET", ENDPOINT)).body["enabled"] is True


@pytest.mark.parametrize("url", ["http://council.example/", "https://127.0.0.1/", "https://user:word@council.example/"])
async def test_news_goes_to_the_public_internet_only(house: House, url: str) -> None:
    refused = await house.ask("PUT", ENDPOINT, {"url": url})
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "#/url")
    assert url not in str(refused.body)


@pytest.mark.parametrize(("method", "path"), [("PUT", ""), ("GET", ""), ("DELETE", ""), ("POST", "/rotation")])
async def test_who_may_only_read_has_no_say_about_the_endpoint(house: House, method: str, path: str) -> None:
    answer = await house.ask(method, ENDPOINT + path, {}, scope=READ)
    assert (answer.status, answer.body["title"]) == (403, "Not yours to do")
