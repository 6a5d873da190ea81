"""Definitions are parsed on a thread of their own with a short queue."""

import asyncio
import threading

import pytest

from contracts.definition_problems import DefinitionRefused
from contracts.errors import RetryLater
from provider_registry.api import definition_parser
from provider_registry.api.definition_parser import DefinitionParser


class _Gate:
    """Stands in for a long parse: it lasts until `opened` is set."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.threads = set[str]()

    def read(self, text: str, *, source: str) -> str:
        self.threads.add(threading.current_thread().name)
        self.opened.wait()
        return f"{source}: {text}"


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> _Gate:
    gate = _Gate()
    monkeypatch.setattr(definition_parser, "read_definition", gate.read)
    return gate


async def test_a_refused_definition_is_refused_through_the_thread() -> None:
    with pytest.raises(DefinitionRefused):
        await DefinitionParser().parse("framework: [")


async def test_beyond_the_queue_a_caller_is_asked_to_come_back(gate: _Gate) -> None:
    parser = DefinitionParser(max_waiting=2)
    accepted = [asyncio.create_task(parser.parse(text)) for text in ("first", "second")]
    await asyncio.sleep(0)
    with pytest.raises(RetryLater) as refused:
        await parser.parse("third")
    assert (refused.value.status, refused.value.retry_after) == (503, 5)
    gate.opened.set()
    assert len(await asyncio.gather(*accepted)) == 2
    assert len(gate.threads) == 1
    assert await parser.parse("fourth")


async def test_the_default_threads_of_dns_and_mail_stay_free_while_definitions_are_parsed(gate: _Gate) -> None:
    parser = DefinitionParser(max_waiting=100)
    parsing = [asyncio.create_task(parser.parse(str(number))) for number in range(100)]
    await asyncio.sleep(0)
    assert await asyncio.to_thread(int, "7") == 7
    gate.opened.set()
    await asyncio.gather(*parsing)


async def test_a_parse_beyond_the_time_limit_is_answered_and_keeps_its_place_in_the_queue(gate: _Gate) -> None:
    parser = DefinitionParser(max_waiting=1, time_limit=0)
    with pytest.raises(RetryLater, match="took too long"):
        await parser.parse("first")
    with pytest.raises(RetryLater, match="1 definitions are being read"):
        await parser.parse("second")
    gate.opened.set()
