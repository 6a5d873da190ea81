"""A simulated provider verifies signatures, handles each webhook once, and logs every request."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import aiohttp
import pytest
from aiohttp.test_utils import BaseTestServer, TestServer
from standardwebhooks import Webhook

from devstack.json_lines import JsonLinesReader, JsonLinesWriter
from service_runtime.webhooks.signing import generate_secret
from simulator.behaviour import WebhookReaction
from simulator.webhook_receivers import ReceivedWebhook, WebhookLogEntry, WebhookReceivers

ALDER = UUID("0197a3c0-0000-7000-8000-000000000002")
SECRET = generate_secret()


@dataclass
class Endpoint:
    """A provider's endpoint, its log, and the webhooks it handled."""

    server: BaseTestServer
    log: Path
    reactions: list[WebhookReaction]
    handled: list[ReceivedWebhook] = field(default_factory=list[ReceivedWebhook])

    async def send(self, body: str, *, secret: str = SECRET, webhook_id: str = "msg_1") -> int:
        at = datetime.now(UTC)
        headers = {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign(webhook_id, at, body),
        }
        url = self.server.make_url(f"/providers/{ALDER}/webhooks")
        async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
            return answer.status

    def read_log(self) -> list[WebhookLogEntry]:
        return list(JsonLinesReader(self.log, WebhookLogEntry).read_new())


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Endpoint]:
    """An endpoint that acknowledges every webhook, unless `reactions` holds other reactions."""
    reactions: list[WebhookReaction] = []

    def choose_reaction(_: UUID, __: ReceivedWebhook, ___: int) -> WebhookReaction:
        return reactions.pop(0) if reactions else WebhookReaction.ACKNOWLEDGED

    async def handle_webhook(_: UUID, webhook: ReceivedWebhook) -> None:
        endpoint.handled.append(webhook)

    writer = JsonLinesWriter[WebhookLogEntry](tmp_path / "receivers.jsonl")
    receivers = WebhookReceivers(
        {ALDER: SECRET}.get, writer, choose_reaction=choose_reaction, handle_webhook=handle_webhook
    )
    async with TestServer(receivers.build_app()) as server:
        endpoint = Endpoint(server, tmp_path / "receivers.jsonl", reactions)
        yield endpoint
    writer.close()


def an_offer() -> str:
    data = {"offer_id": str(uuid4()), "package_id": str(uuid4())}
    return json.dumps({"type": "offer.made", "timestamp": datetime.now(UTC).isoformat(), "data": data})


async def test_a_signed_webhook_is_acknowledged_and_logged(post: Endpoint) -> None:
    assert await post.send(an_offer()) == 204
    [entry] = post.read_log()
    assert (entry.verified, entry.type, entry.provider_id) == (True, "offer.made", ALDER)
    assert entry.headers["webhook-id"] == "msg_1"


async def test_a_webhook_with_a_wrong_signature_is_refused_and_logged_and_not_handled(post: Endpoint) -> None:
    assert await post.send(an_offer(), secret=generate_secret()) == 401
    await asyncio.sleep(0)
    assert not post.read_log()[0].verified
    assert not post.handled


async def test_a_repeated_webhook_is_handled_once(post: Endpoint) -> None:
    offer = an_offer()
    assert [await post.send(offer), await post.send(offer)] == [204, 204]
    assert [entry.attempt for entry in post.read_log()] == [1, 2]
    assert len(post.handled) == 1


async def test_a_failed_attempt_is_answered_with_500_and_the_next_one_is_handled(post: Endpoint) -> None:
    post.reactions.append(WebhookReaction.ERROR)
    offer = an_offer()
    assert [await post.send(offer), await post.send(offer)] == [500, 204]
    assert len(post.handled) == 1


async def test_a_cut_connection_gives_no_answer(post: Endpoint) -> None:
    post.reactions.append(WebhookReaction.CONNECTION_CUT)
    with pytest.raises(aiohttp.ClientError):
        await post.send(an_offer())
    assert post.read_log()[0].reaction is WebhookReaction.CONNECTION_CUT


async def test_a_list_is_logged_with_its_content(post: Endpoint) -> None:
    list_id, reference = str(uuid4()), str(uuid4())
    row = {"advert": {"reference": reference}, "unit": "hour", "links": {"interest": "https://sourcing/tick"}}
    data = {"list_id": list_id, "closes_at": "2027-03-25T10:00:00Z", "rows": [row]}
    at = datetime.now(UTC).isoformat()
    assert await post.send(json.dumps({"type": "list.issued", "timestamp": at, "data": data})) == 204
    [entry] = post.read_log()
    assert (str(entry.list_id), entry.reference) == (list_id, None)
    assert entry.body is not None
    assert reference in entry.body
    assert [each.data.rows[0].links.interest for each in post.handled] == ["https://sourcing/tick"]
