"""A council that no code has heard of: its words are in its definition only, and a referral becomes an order."""

import base64
import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Unpack
from uuid import uuid4

import pytest
import pytest_asyncio

from contracts.bank_holidays import list_bank_holidays
from pricing import wiring as pricing_wiring
from pricing.settings import Settings as PricingSettings
from provider_registry import wiring as registry_wiring
from provider_registry.settings import Settings as RegistrySettings
from referral import wiring as referral_wiring
from referral.settings import Settings as ReferralSettings
from sourcing import wiring as sourcing_wiring
from sourcing.settings import Settings as SourcingSettings
from testkit.clocks import MovableClock
from testkit.http_response import HttpResponse, read_response
from testkit.referral.builders import a_body
from testkit.running_services import RunningService, run_service
from testkit.servers import TestKafka, TestPostgres
from testkit.tokens import Claims, TokenIssuer
from testkit.waiting import wait_until

ROOT: Final = Path(__file__).parents[2]
COUNCIL: Final = "brackwater"
FRAMEWORK: Final = "brackwater-tidings"
WORDS: Final = ("brackwater", "samphire", "bittern", "avocet", "curlew", "saltings", "wherrying", "ebbtide", "fenlark")
DEFINITION: Final = f"""
framework: {FRAMEWORK}
version: 1
council: {COUNCIL}
title: Brackwater tidings
source: invented for a test
runs_from: 2025-11-09
runs_until: 2031-11-08
joining: {{mode: at any time}}
areas: [{{code: saltings, name: The Saltings, districts: [E07000071]}}]
service_types: [{{service_type: wherrying, title: Wherrying}}]
lots: [{{lot: samphire, title: Samphire lot}}]
tiers:
  - {{tier: bittern, title: Bitterns, entry: [{{rule: key-question, key_question: Safe, at_least: Good}}]}}
  - {{tier: avocet, title: Avocets}}
  - {{tier: curlew, title: Curlews}}
units: [{{unit: ebbtide, title: ebbtide, kind: episode}}]
routes: [{{route: fenlark, title: By fenlark, urgent: true}}]
reasons:
  decline: [{{reason: becalmed, title: Becalmed}}]
  withdrawal: [{{reason: silted-up, title: Silted up}}]
brokerage:
  bank_holidays: [{", ".join(map(str, list_bank_holidays(range(2025, 2032))))}]
prices:
  invented: true
  price_list: brackwater-1
  rates_set_by: provider
  matrix: [{{service_type: wherrying, unit: ebbtide, rate: 900.00, highest: 1400.00}}]
sourcing:
  - {{stage: bitterns-first, procedure: designated, to: {{tiers: [bittern]}}}}
  - {{stage: avocets-and-curlews, procedure: offer-to-all, to: {{tiers: [avocet, curlew]}}, order: [price, draw]}}
"""


@dataclass
class Installation:
    """Four services in this process, and requests with tokens of the invented council."""

    referral: RunningService
    sourcing: RunningService
    registry: RunningService
    pricing: RunningService

    async def request(
        self,
        service: RunningService,
        method: str,
        path: str,
        scope: str,
        body: object = None,
        **claims: Unpack[Claims],
    ) -> HttpResponse:
        all_claims: Claims = {"council": COUNCIL, **claims}
        return await service.request(method, path, scope, body=body, **all_claims)

    async def publish_definition(self) -> None:
        headers = self.registry.issuer.build_bearer_header("registry:admin", council=COUNCIL, subject="first")
        url = f"{self.registry.url}/v1/frameworks"
        headers = {**headers, "content-type": "application/yaml"}
        async with self.registry.http.post(url, data=DEFINITION.encode(), headers=headers) as response:
            proposed = await read_response(response)
        assert proposed.status == 202, proposed.body
        path = f"/v1/frameworks/{FRAMEWORK}/versions/1/approval"
        approved = await self.request(self.registry, "POST", path, "registry:admin", subject="second")
        assert approved.status == 201, approved.body

    async def register_provider(self, name: str, tier: str, rate: str) -> str:
        """Registers a provider that is rated Good for Safe, with a place in the tier and a rate of its own."""
        provider, admin = str(uuid4()), "registry:admin"
        profile = {"provider_id": provider, "name": name, "phone": "01632 960001"}
        branch = {"name": name, "outward_code": "CO1", "domiciliary_care": True, "rating": "Good"}
        safe = {"key_questions": [{"key_question": "Safe", "rating": "Good"}], "published_on": "2026-01-05"}
        place = {"framework": FRAMEWORK, "lot": "samphire", "area": "saltings", "tier": tier, "number": 1}
        requests = (
            ("POST", "", profile),
            ("PUT", f"/{provider}/branches/{uuid4()}", {**branch, **safe}),
            ("PUT", f"/{provider}/places", {"places": [{**place, "joined_on": "2025-11-09"}]}),
        )
        for method, path, body in requests:
            answer = await self.request(self.registry, method, f"/v1/providers{path}", admin, body)
            assert answer.status in {200, 201}, answer.body
        path = f"/v1/providers/{provider}/rates/{FRAMEWORK}/saltings"
        rates = {"valid_from": "2026-01-05", "rates": [{"service_type": "wherrying", "rate": rate}]}
        answer = await self.request(self.pricing, "PUT", path, "pricing:admin", rates)
        assert answer.status in {200, 201}, answer.body
        return provider

    async def find_live_offer(self, provider: str) -> dict[str, Any] | None:
        answer = await self.request(
            self.sourcing, "GET", "/v1/offers?live=true", "offers:answer", provider_id=provider, subject=provider
        )
        return next(iter(answer.body["items"]), None)

    async def answer(self, provider: str, offer: str, answer: str, body: object = None) -> HttpResponse:
        path = f"/v1/offers/{offer}/{answer}"
        return await self.request(
            self.sourcing, "POST", path, "offers:answer", body, provider_id=provider, subject=provider
        )


@pytest_asyncio.fixture
async def installation(postgres: TestPostgres, own_kafka: TestKafka, tmp_path: Path) -> AsyncGenerator[Installation]:
    clock, kafka = MovableClock(), own_kafka.connection
    keys = (base64.b64encode(secrets.token_bytes(32)).decode(),)
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(TokenIssuer().serve())

        async def run(settings: Any, build: Any, **changed: Any) -> RunningService:  # any service
            service = run_service(
                settings, build, databases=postgres, kafka=kafka, issuer=issuer, clock=clock, **changed
            )
            return await stack.enter_async_context(service)

        sourcing = await run(SourcingSettings, sourcing_wiring.build)
        referral_url = "https://referral.example"
        yield Installation(
            await run(
                ReferralSettings,
                referral_wiring.build,
                postcode_directory=tmp_path,
                referral_url=referral_url,
                webhook_keys=keys,
            ),
            sourcing,
            await run(
                RegistrySettings,
                registry_wiring.build,
                sourcing_url=sourcing.url,
                referral_url=referral_url,
                webhook_keys=keys,
            ),
            await run(PricingSettings, pricing_wiring.build),
        )


@pytest.mark.parametrize("word", WORDS)
def test_no_code_knows_the_councils_words(word: str) -> None:
    files = [path for folder in ("libs", "services", "tools") for path in (ROOT / folder).glob("*/src/**/*.py")]
    assert len(files) > 300
    assert [path.name for path in files if word in path.read_text().lower()] == []


async def test_a_referral_in_the_councils_own_words_becomes_an_order(installation: Installation) -> None:
    await installation.publish_definition()
    await wait_until(lambda: _knows_framework(installation), within=60)
    bittern = await installation.register_provider("Bittern Test Care", "bittern", "1000.00")
    avocet = await installation.register_provider("Avocet Test Care", "avocet", "1200.00")
    curlew = await installation.register_provider("Curlew Test Care", "curlew", "950.00")
    package = await _post_referral(installation)

    first = await wait_until(lambda: installation.find_live_offer(bittern), within=60)
    terms = first["terms"]
    assert (terms["weekly_cost"], terms["fixed_cost"], terms["lines"][0]["unit"]) == ("0.00", "1000.00", "ebbtide")
    refused = await installation.answer(bittern, first["offer_id"], "decline", {"reason": "no-capacity"})
    assert (refused.status, "choose one of becalmed" in str(refused.body)) == (422, True)
    declined = await installation.answer(bittern, first["offer_id"], "decline", {"reason": "becalmed"})
    assert declined.status == 200, declined.body

    dearer = await wait_until(lambda: installation.find_live_offer(avocet), within=60)
    cheaper = await wait_until(lambda: installation.find_live_offer(curlew), within=60)
    assert (await installation.answer(avocet, dearer["offer_id"], "accept")).body["status"] == "waiting"
    assert (await installation.answer(curlew, cheaper["offer_id"], "accept")).status == 200
    assert await wait_until(lambda: _find_provider(installation, package), within=60) == curlew
    too_late = await installation.answer(avocet, dearer["offer_id"], "accept")
    assert (too_late.status, "another provider" in too_late.body["detail"]) == (409, True)
    order = await wait_until(lambda: _find_order(installation, package), within=60)
    assert (order["weekly_cost"], order["fixed_cost"]) == ("0.00", "950.00")
    assert [(line["service_type"], line["quantity"]) for line in order["lines"]] == [("wherrying", "1.00")]


async def _knows_framework(installation: Installation) -> bool:
    """Pricing and referral have the definition when pricing shows the matrix and referral takes a wrong body for it."""
    shown = await installation.request(installation.pricing, "GET", "/v1/matrices", "pricing:admin")
    tried = await installation.request(installation.referral, "POST", "/v1/referrals", "referrals:write", a_body())
    return FRAMEWORK in str(shown.body) and tried.status == 422


async def _post_referral(installation: Installation) -> str:
    starts_on = (MovableClock().now() + timedelta(days=7)).date().isoformat()
    body = a_body(service_type="wherrying", area="saltings", area_confirmed=True, starts_on=starts_on)
    posted = await installation.request(installation.referral, "POST", "/v1/referrals", "referrals:write", body)
    assert posted.status == 201, posted.body
    return posted.body["package_id"]


async def _find_provider(installation: Installation, package: str) -> str | None:
    path = f"/v1/packages/{package}/decision"
    shown = await installation.request(installation.sourcing, "GET", path, "sourcing:operate")
    return shown.body["placed_with"]


async def _find_order(installation: Installation, package: str) -> dict[str, Any] | None:
    path = f"/v1/packages/{package}/purchase-orders"
    shown = await installation.request(installation.pricing, "GET", path, "pricing:admin")
    return shown.body["items"][0] if shown.status == 200 else None
