"""The harness of notices: a running registry with a mail server, and short ways to what officers see."""

import secrets
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from contracts.events.offers import CallResult
from contracts.events.searches import PackagePlaced
from contracts.examples import an_example_of
from contracts.ids import PackageId, PlacementId, ProviderId
from testkit.mail_server import FakeMailServer
from testkit.provider_registry.harness import OPERATE, RegistryHarness

LINK_KEY: Final = "a link key for tests with 32 characters"


@dataclass
class NoticeHarness:
    """A running registry, its mail server, and short ways to what officers see."""

    harness: RegistryHarness
    mail: FakeMailServer

    async def set_mailbox(self, provider: UUID) -> str:
        address = f"office-{secrets.token_hex(6)}@alder.example"
        path = f"/v1/providers/{provider}/mailbox"
        assert (await self.harness.request("PUT", path, {"address": address})).status == 204
        return address

    async def place(self, provider: ProviderId, **changed: object) -> PackagePlaced:
        usual: dict[str, object] = {"package_id": PackageId(uuid4()), "placement_id": PlacementId(uuid4())}
        placed = an_example_of(PackagePlaced, **{**usual, "provider_id": provider, **changed})
        await self.harness.publish(placed)
        return placed

    async def find_calls(self, provider: UUID) -> list[dict[str, Any]]:
        page = await self.harness.request("GET", "/v1/call-list?limit=200", scope=OPERATE)
        assert page.status == 200
        return [each for each in page.body["items"] if each["provider_id"] == str(provider)]

    async def has_calls(self, provider: UUID, number: int) -> bool:
        return len(await self.find_calls(provider)) == number

    async def record_call(self, notice_id: str, result: CallResult, **claims: Any) -> Any:
        path = f"/v1/call-list/{notice_id}/calls"
        return await self.harness.request("POST", path, {"result": result.value}, scope=OPERATE, **claims)

    async def report_bounce(self, message_id: str, **changed: object) -> Any:
        body = {"message_id": message_id, "action": "failed", "status": "5.1.1", **changed}
        return await self.harness.request("POST", "/v1/mail-bounces", body)
