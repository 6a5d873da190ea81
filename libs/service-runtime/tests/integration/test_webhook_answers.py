"""Foreign answers: whatever an endpoint sends, the attempt is logged, and the engine and its backoff go on."""

from typing import Final

import pytest

from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.webhooks.addresses import AddressRules
from testkit.clocks import MONDAY_NINE
from testkit.scripted_receiver import ScriptedReceiver
from testkit.webhook_receiver import answer_with
from testkit.webhooks import SECOND, TOPIC, WebhookHarness

FAILED: Final = b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n"
NOT_UNDERSTOOD: Final = {"answer not understood"}
CLOSED: Final = {"connection closed"}
UNAVAILABLE: Final = {"status 503"}
ANSWERS: Final = {
    "date beyond every calendar": (
        FAILED + b"Retry-After: Fri, 99999999999 Dec 2026 00:00:00 GMT\r\n\r\n",
        UNAVAILABLE,
    ),
    "exponent": (FAILED + b"Retry-After: 1e400\r\n\r\n", UNAVAILABLE),
    "bytes that are no text": (FAILED + b"Retry-After: \xff\xfe\r\n\r\n", UNAVAILABLE),
    "empty": (FAILED + b"Retry-After:\r\n\r\n", UNAVAILABLE),
    "no status": (b"HTTP/1.1 \r\n\r\n", NOT_UNDERSTOOD),
    "negative status": (b"HTTP/1.1 -1 No\r\n\r\n", NOT_UNDERSTOOD),
    "long status": (b"HTTP/1.1 99999 No\r\n\r\n", NOT_UNDERSTOOD),
    "unknown status": (b"HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n", {"status 999"}),
    "foreign reason": (b"HTTP/1.1 503 \xff\xfe\r\nContent-Length: 0\r\n\r\n", UNAVAILABLE),
    "negative length": (b"HTTP/1.1 503 No\r\nContent-Length: -5\r\n\r\n", NOT_UNDERSTOOD),
    "length that is no number": (b"HTTP/1.1 503 No\r\nContent-Length: many\r\n\r\n", NOT_UNDERSTOOD),
    "no HTTP": (b"220 mail.example ESMTP\r\n", NOT_UNDERSTOOD),
    "nothing": (b"", CLOSED),
    "half a status line": (b"HTTP/1.1 2", CLOSED | NOT_UNDERSTOOD),
    "body that is no gzip": (b"HTTP/1.1 503 No\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", UNAVAILABLE),
    "chunk without a length": (
        b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        UNAVAILABLE | NOT_UNDERSTOOD,
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_whatever_an_endpoint_answers_is_logged_as_a_failed_attempt(harness: WebhookHarness, name: str) -> None:
    answer, failures = ANSWERS[name]
    async with ScriptedReceiver(answer).run() as receiver:
        rules = AddressRules([receiver.address])
        await harness.put_endpoint("Alder", f"http://{receiver.address}/", rules=rules)
        await harness.queue_webhooks("O-1")
        async with harness.run_engine(rules=rules):
            await harness.wait_until_attempted(1)
            assert MONDAY_NINE < await harness.get_next_attempt_at() <= MONDAY_NINE + SECOND
    [logged] = await harness.load_log()
    assert logged.attempts[0].failure in failures


async def test_an_endless_head_ends_the_attempt(harness: WebhookHarness) -> None:
    head = b"HTTP/1.1 200 OK\r\n" + b"x-more: and more\r\n" * 10_000
    async with ScriptedReceiver(head).run() as receiver:
        rules = AddressRules([receiver.address])
        await harness.put_endpoint("Alder", f"http://{receiver.address}/", rules=rules)
        await harness.queue_webhooks("O-1")
        async with harness.run_engine(rules=rules):
            await harness.wait_until_attempted(1)
    [logged] = await harness.load_log()
    assert (logged.outcome, logged.attempts[0].status) == (None, None)


@pytest.mark.parametrize("retry_after", ["0", "-5", "Thu, 01 Jan 1970 00:00:00 GMT"])
async def test_retry_after_never_switches_the_backoff_off(harness: WebhookHarness, retry_after: str) -> None:
    harness.receiver.answers["/ok"] = answer_with(503, Retry_After=retry_after)
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    async with harness.run_engine():
        await harness.wait_until_attempted(1)
        assert await harness.get_next_attempt_at() >= MONDAY_NINE + SECOND / 2


async def test_a_pause_holds_for_the_whole_endpoint_and_in_every_process(harness: WebhookHarness) -> None:
    harness.receiver.answers["/ok"] = answer_with(429, Retry_After="40")
    await harness.put_endpoint("Alder")
    await harness.put_endpoint("Birch", "/birch")
    await harness.queue_webhooks("O-1")
    async with harness.run_engine():
        await harness.wait_until_attempted(1)
    harness.receiver.answers["/ok"] = answer_with(200)
    async with harness.run_engine(), harness.run_engine(in_other_process=True):
        await harness.queue_webhooks("O-2", stream=StreamKey(TOPIC, "P-18"))
        await harness.queue_webhooks("B-1", to="Birch", stream=StreamKey(TOPIC, "P-18"))
        await harness.wait_until_stored("Birch has B-1")
        assert len(harness.receiver.list_received("/ok")) == 1
        harness.clock.advance(40 * SECOND)
        await harness.wait_until_stored("Alder has O-2")
        await harness.wait_until_stored("Alder has O-1")


async def test_a_pause_keeps_no_delivery_beyond_its_deadline(harness: WebhookHarness) -> None:
    harness.receiver.answers["/ok"] = answer_with(503, Retry_After="99999999")
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    async with harness.run_engine():
        await harness.wait_until_attempted(1)
        await harness.queue_webhooks("O-2", stream=StreamKey(TOPIC, "P-18"))
        harness.clock.advance(121 * SECOND)
        await harness.wait_until_stored("O-1: status 503")
        await harness.wait_until_stored("O-2: endpoint paused")
    assert len(harness.receiver.received) == 1
