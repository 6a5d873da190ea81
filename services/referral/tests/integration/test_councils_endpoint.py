"""News on its way to a council's own system: signed, in order, without the person, and only while it listens."""

import base64
import json
import secrets
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from aiohttp import web
from standardwebhooks import Webhook

from calloff.testing import TestKafka, TestPostgres
from contracts.events.frameworks import FrameworkPublished
from contracts.events.listings import PackageListed, StillListed
from contracts.events.packages import PackagePlaced, SourcingStarted, SourcingStopped, StageEntered
from contracts.ids import CouncilKey, FrameworkKey, PackageId
from contracts.testing import a_definition
from referral.domain.intake import DespiteOpenReferral
from referral.settings import Settings
from referral.testing import a_body_about, provider, said
from referral.wiring import build
from service_runtime.testing.clocks import MovableClock
from service_runtime.testing.databases import number, rows
from service_runtime.testing.services import Reply, RunningService, Voice, a_service, free_port
from service_runtime.testing.tokens import TokenIssuer
from service_runtime.testing.waiting import until

ENDPOINT = "/v1/council/endpoint"
WRITE, READ = "referrals:write", "referrals:read"
PLANTED = ("Quillfeather", "1931-12-09", "Plantagenet Mews", "CO4", "OUR-REFERENCE-1", "needs-planted")


@dataclass
class CouncilsSystem:
    """What listens for news."""

    port: int
    status: int = 204
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list[tuple[dict[str, str], bytes]])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/news"

    @property
    def said(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.heard]

    def about(self, package_id: PackageId) -> list[dict[str, Any]]:
        return [each for each in self.said if each["data"]["package_id"] == str(package_id)]

    def kinds(self, package_id: PackageId) -> list[str]:
        return [each["type"] for each in self.about(package_id)]

    async def receive(self, request: web.Request) -> web.Response:
        self.heard.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status)


@dataclass
class Town:
    """Referral, a council's system that listens, and sourcing."""

    referral: RunningService
    system: CouncilsSystem
    sourcing: Voice
    clock: MovableClock
    council: CouncilKey

    async def ask(
        self, method: str, path: str, body: object = None, *, scope: str = WRITE, council: str | None = None
    ) -> Reply:
        return await self.referral.ask(method, path, scope, body=body, council=council or self.council)

    async def listens(self) -> str | None:
        """Registers the council's system; its secret, where it is new."""
        answer = await self.ask("PUT", ENDPOINT, {"url": self.system.url})
        assert answer.status == 200
        return answer.body["secret"]

    async def refers(self) -> tuple[PackageId, UUID]:
        body = a_body_about(
            name="Test Quillfeather",
            date_of_birth="1931-12-09",
            nhs_number=None,
            address={"lines": [f"{secrets.randbelow(10_000)} Plantagenet Mews"], "postcode": "CO4 0AE"},
            communication_needs="needs-planted",
        )
        another = {"district": "E07000071", "despite_open_referral": DespiteOpenReferral.SEPARATE_PACKAGE}
        answer = await self.ask("POST", "/v1/referrals", {**body, **another})
        assert answer.status == 201, answer.body
        return PackageId(UUID(answer.body["package_id"])), UUID(answer.body["referral_id"])

    async def hears(self, package_id: PackageId, *events: Any) -> None:
        """Sourcing says examples of `events` about a package."""
        await self.sourcing.says(*(said(event, package_id) for event in events), at=self.clock.now())


@pytest_asyncio.fixture(scope="module")
async def town(
    postgres: TestPostgres, kafka: TestKafka, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Town]:
    council, clock = CouncilKey(f"council-{secrets.token_hex(4)}"), MovableClock()
    system, app = CouncilsSystem(free_port()), web.Application()
    app.router.add_post("/news", system.receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", system.port).start()
    async with (
        TokenIssuer().serving() as issuer,
        a_service(
            Settings,
            build,
            databases=postgres,
            bootstrap=kafka.bootstrap,
            issuer=issuer,
            clock=clock,
            postcode_directory=tmp_path_factory.mktemp("geography"),
            referral_url="https://referral.example",
            webhook_keys=(base64.b64encode(secrets.token_bytes(32)).decode(),),
            webhook_private_addresses=(f"127.0.0.1:{system.port}",),
        ) as referral,
        Voice(kafka.bootstrap, "sourcing", council=council) as sourcing,
    ):
        definition = a_definition(framework=FrameworkKey(f"invented-{council}"), council=council)
        await sourcing.says(FrameworkPublished(definition=definition), at=clock.now())
        known = "SELECT count(*) FROM views WHERE key LIKE :key"
        await until(lambda: number(referral.service.database, known, key=f"%{council}"), within=30)
        yield Town(referral, system, sourcing, clock, council)
    await runner.cleanup()


async def test_a_council_hears_signed_news_of_its_referral_in_order_and_nothing_of_the_person(town: Town) -> None:
    secret = await town.listens()
    assert secret is not None
    package, referral = await town.refers()
    await town.hears(package, SourcingStarted, StageEntered, PackageListed, StillListed)
    await town.sourcing.says(said(PackagePlaced, package, provider_id=provider("Alder")), at=town.clock.now())
    expected = [
        "referral.received",
        "package.changed",
        "package.changed",
        "package.not_placed_yet",
        "package.not_placed_yet",
        "package.placed",
    ]
    await until(lambda: len(town.system.about(package)) == len(expected), within=30)
    assert town.system.kinds(package) == expected
    placed = town.system.about(package)[-1]["data"]
    assert (placed["status"], placed["provider_id"]) == ("placed", str(provider("Alder")))
    assert placed["links"] == {"referral": f"https://referral.example/v1/referrals/{referral}"}
    for headers, body in town.system.heard:
        assert Webhook(secret).verify(body, headers) == json.loads(body)
        assert not any(word in body.decode() + str(headers) for word in PLANTED)
    queued = await rows(town.referral.service.database, "SELECT * FROM deliveries")
    assert not any(word in str(row) for row in queued for word in PLANTED)
    seen = await town.ask("GET", f"/v1/referrals/{referral}", scope=READ)
    assert [each["what"] for each in seen.body["history"]][-3:] == [
        "listed for all to propose",
        "still listed",
        "placed",
    ]


async def test_a_withdrawal_is_told_when_it_is_asked_for_and_once_more_when_it_is_done(town: Town) -> None:
    await town.listens()
    package, referral = await town.refers()
    await town.ask("POST", f"/v1/referrals/{referral}/withdrawal", {"reason": "person has died"})
    await town.hears(package, SourcingStopped)
    await until(lambda: "package.stopped" in town.system.kinds(package), within=30)
    assert town.system.kinds(package) == ["referral.received", "package.changed", "package.stopped"]
    assert [each["data"]["status"] for each in town.system.about(package)][1:] == ["withdrawal requested", "withdrawn"]
    assert "died" not in str(town.system.about(package))


async def test_an_endpoint_is_shown_rotated_and_disabled_and_its_secret_is_shown_once(town: Town) -> None:
    await town.listens()
    assert (await town.ask("GET", ENDPOINT)).body == {
        "url": town.system.url,
        "enabled": True,
        "disabled_because": None,
    }
    key = {"Idempotency-Key": str(uuid4())}
    path = f"{ENDPOINT}/rotation"
    rotated = await town.referral.ask("POST", path, WRITE, headers=key, council=town.council)
    again = await town.referral.ask("POST", path, WRITE, headers=key, council=town.council)
    assert (rotated.body["secret"].startswith("whsec_"), again.body) == (True, {"secret": None})
    for table in ("commands", "endpoints", "deliveries"):
        query = f"SELECT count(*) FROM {table} WHERE strpos(CAST({table} AS text), :secret) > 0"
        bare = rotated.body["secret"].removeprefix("whsec_")
        assert await number(town.referral.service.database, query, secret=bare) == 0
    for _ in range(2):
        assert (await town.ask("DELETE", ENDPOINT)).status == 204
    shown = (await town.ask("GET", ENDPOINT)).body
    assert (shown["enabled"], shown["disabled_because"]) == (False, "disabled by the council")
    silent, _ = await town.refers()
    await town.listens()
    loud, _ = await town.refers()
    await until(lambda: town.system.kinds(loud), within=30)
    assert town.system.kinds(silent) == []


async def test_an_endpoint_that_is_gone_is_not_called_again(town: Town) -> None:
    await town.listens()
    town.system.status = 410
    await town.refers()

    async def is_disabled() -> bool:
        return (await town.ask("GET", ENDPOINT)).body["disabled_because"] == "gone"

    await until(is_disabled, within=30)
    town.system.status = 204


async def test_a_council_has_its_own_endpoint_and_no_other(town: Town) -> None:
    await town.listens()
    for method, path in (("GET", ENDPOINT), ("POST", f"{ENDPOINT}/rotation")):
        assert (await town.ask(method, path, council="another")).status == 404
    assert (await town.ask("DELETE", ENDPOINT, council="another")).status == 204
    assert (await town.ask("GET", ENDPOINT)).body["enabled"] is True


@pytest.mark.parametrize("url", ["http://council.example/", "https://127.0.0.1/", "https://user:word@council.example/"])
async def test_news_goes_to_the_public_internet_only(town: Town, url: str) -> None:
    refused = await town.ask("PUT", ENDPOINT, {"url": url})
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "#/url")
    assert url not in str(refused.body)


@pytest.mark.parametrize(("method", "path"), [("PUT", ""), ("GET", ""), ("DELETE", ""), ("POST", "/rotation")])
async def test_who_may_only_read_has_no_say_about_the_endpoint(town: Town, method: str, path: str) -> None:
    answer = await town.ask(method, ENDPOINT + path, {}, scope=READ)
    assert (answer.status, answer.body["title"]) == (403, "Not yours to do")
