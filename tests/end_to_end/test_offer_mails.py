"""An offer by mail from the registry, answered by its link at sourcing: both services run with the same link key."""

import base64
import re
import secrets
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import pytest_asyncio

from contracts.events.packages import PackageRequested
from contracts.example_words import LOT, Routes, Tiers
from contracts.examples import COLCHESTER, some_care
from contracts.ids import FrameworkKey, PackageId
from provider_registry import wiring as registry_wiring
from provider_registry.settings import Settings as RegistrySettings
from sourcing import wiring as sourcing_wiring
from sourcing.settings import Settings as SourcingSettings
from testkit.clocks import MovableClock
from testkit.http_response import HttpResponse, read_response
from testkit.mail_server import FakeMailServer
from testkit.provider_registry.harness import RegistryHarness, WebhookReceiver
from testkit.running_services import EventPublisher, RunningService, find_free_port, run_service
from testkit.servers import TestKafka, TestPostgres
from testkit.tokens import TokenIssuer
from testkit.waiting import wait_until

KEY: Final = "a key that only tests have, of some length"
ADDRESS: Final = "offers@alder.example"
WAIT_TIMEOUT: Final = 30.0


@dataclass
class MailedOfferHarness:
    """Sourcing, the registry, a mail server that receives the offer, and a publisher of referral's events."""

    sourcing: RunningService
    registry: RegistryHarness
    referral: EventPublisher
    mail: FakeMailServer

    async def get_decision(self, package: PackageId) -> dict[str, Any]:
        answer = await self.sourcing.request("GET", f"/v1/packages/{package}/decision", "sourcing:operate")
        return answer.body if answer.status == 200 else {"status": "unknown", "record": []}

    async def browse(self, address: str, *, form: bytes | None = None) -> HttpResponse:
        method = "GET" if form is None else "POST"
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        async with self.sourcing.http.request(method, address, data=form, headers=kind) as answer:
            return await read_response(answer)


@pytest_asyncio.fixture
async def harness(postgres: TestPostgres, own_kafka: TestKafka) -> AsyncGenerator[MailedOfferHarness]:
    clock, kafka, framework = (
        MovableClock(),
        own_kafka.connection,
        FrameworkKey(f"invented-{secrets.token_hex(4)}"),
    )
    async with (
        FakeMailServer().run() as mail,
        TokenIssuer().serve() as issuer,
        EventPublisher(kafka, "referral") as referral,
        EventPublisher(kafka, "sourcing") as sourcing_publisher,
        run_service(
            SourcingSettings,
            sourcing_wiring.build,
            databases=postgres,
            kafka=kafka,
            issuer=issuer,
            clock=clock,
            offer_link_key=KEY,
        ) as sourcing,
        run_service(
            RegistrySettings,
            registry_wiring.build,
            databases=postgres,
            kafka=kafka,
            issuer=issuer,
            clock=clock,
            sourcing_url=sourcing.url,
            referral_url="https://referral.example",
            webhook_keys=(base64.b64encode(secrets.token_bytes(32)).decode(),),
            smtp_host="127.0.0.1",
            smtp_port=mail.port,
            smtp_from="offers@calloff.example",
            smtp_starttls=False,
            offer_link_key=KEY,
        ) as registry,
    ):
        registry_harness = RegistryHarness(
            registry, sourcing_publisher, WebhookReceiver(find_free_port()), clock, kafka, framework
        )
        yield MailedOfferHarness(sourcing, registry_harness, referral, mail)


async def test_the_link_in_the_registrys_mail_is_accepted_by_sourcing(harness: MailedOfferHarness) -> None:
    registry = harness.registry
    assert (await registry.publish_definition()).status == 201
    alder = await registry.register_provider()
    assert (await registry.set_places(alder, Tiers.ONE)).status == 200
    mailbox = await registry.request_as_provider(alder, "PUT", f"/v1/providers/{alder}/mailbox", {"address": ADDRESS})
    assert mailbox.status == 204
    ranking = {"list_version": 1, "issued_on": "2026-01-01", "live_from": "2026-01-05", "ranking": [str(alder)]}
    lists = f"/v1/frameworks/{registry.framework}/lots/{LOT}/areas/{COLCHESTER}/tiers/{Tiers.ONE}/lists"
    assert (await registry.request("POST", lists, ranking)).status == 201

    package = PackageId(uuid4())
    care = some_care(framework=registry.framework, route=Routes.CRISIS, urgent=True)
    await harness.referral.publish(PackageRequested(package_id=package, care=care), at=registry.clock.now())

    async def is_clock_running() -> bool:
        types = [entry["type"] for entry in (await harness.get_decision(package))["record"]]
        return "calloff.OfferClockStarted.v1" in types

    await wait_until(is_clock_running, within=WAIT_TIMEOUT)
    (mail,) = harness.mail.find_mail(ADDRESS)
    (link,) = re.findall(r"https?://\S+", mail.text)

    shown = await harness.browse(link)
    assert (shown.status, "Answer before" in shown.body, "Personal care" in shown.body) == (200, True, True)
    answered = await harness.browse(link, form=b"answer=accept")
    assert (answered.status, "We have recorded that you accept" in answered.body) == (200, True)
    decision = await harness.get_decision(package)
    assert (decision["status"], decision["placed_with"]) == ("placed", str(alder))
