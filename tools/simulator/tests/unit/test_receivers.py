"""A simulated provider trusts what is signed, follows each webhook once however often it comes, and notes them all."""

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
from simulator.behaviour import Receipt
from simulator.webhook_receivers import Received, Receivers, Said

ALDER = UUID("0197a3c0-0000-7000-8000-000000000002")
SECRET = generate_secret()


@dataclass
class Post:
    """A provider's endpoint, and what became of what was sent there."""

    server: BaseTestServer
    log: Path
    receipts: list[Receipt]
    followed: list[Said] = field(default_factory=list[Said])

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

    def lines(self) -> list[Received]:
        return list(JsonLinesReader(self.log, Received).read_new())


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    """An endpoint that takes everything, unless `receipts` says otherwise."""
    receipts: list[Receipt] = []

    def reception(_: UUID, __: Said, ___: int) -> Receipt:
        return receipts.pop(0) if receipts else Receipt.TAKEN

    async def follow(_: UUID, said: Said) -> None:
        there.followed.append(said)

    writer = JsonLinesWriter[Received](tmp_path / "receivers.jsonl")
    receivers = Receivers({ALDER: SECRET}.get, writer, reception=reception, follow=follow)
    async with TestServer(receivers.app()) as server:
        there = Post(server, tmp_path / "receivers.jsonl", receipts)
        yield there
    writer.close()


def an_offer() -> str:
    data = {"offer_id": str(uuid4()), "package_id": str(uuid4())}
    return json.dumps({"type": "offer.made", "timestamp": datetime.now(UTC).isoformat(), "data": data})


async def test_a_signed_webhook_is_taken_and_written_down(post: Post) -> None:
    assert await post.send(an_offer()) == 204
    [line] = post.lines()
    assert (line.verified, line.type, line.provider_id) == (True, "offer.made", ALDER)
    assert line.headers["webhook-id"] == "msg_1"


async def test_a_wrong_signature_is_refused_written_down_and_not_followed(post: Post) -> None:
    assert await post.send(an_offer(), secret=generate_secret()) == 401
    await asyncio.sleep(0)
    assert not post.lines()[0].verified
    assert not post.followed


async def test_a_webhook_that_comes_twice_is_followed_once(post: Post) -> None:
    offer = an_offer()
    assert [await post.send(offer), await post.send(offer)] == [204, 204]
    assert [line.attempt for line in post.lines()] == [1, 2]
    assert len(post.followed) == 1


async def test_an_error_is_answered_with_500_and_the_next_attempt_counts(post: Post) -> None:
    post.receipts.append(Receipt.ERROR)
    offer = an_offer()
    assert [await post.send(offer), await post.send(offer)] == [500, 204]
    assert len(post.followed) == 1


async def test_a_cut_connection_gives_no_answer(post: Post) -> None:
    post.receipts.append(Receipt.CUT)
    with pytest.raises(aiohttp.ClientError):
        await post.send(an_offer())
    assert post.lines()[0].receipt is Receipt.CUT
