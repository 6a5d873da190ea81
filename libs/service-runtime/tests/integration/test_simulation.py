"""Simulated clock: a service in a separate process passes days in moments, and only the driver moves its clock."""

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
import pytest_asyncio

from contracts.catalogue import PACKAGES
from contracts.precedence import Precedence
from devstack.errors import NotSimulated
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.postgres.database import Database
from service_runtime.simulated_clock.messages import ACTIVITY_PATH, CLOCK_PATH, KEY_HEADER
from simulator.simulated_clock.driver import ClockDriver
from simulator.simulated_clock.service_client import SimulatedProcessClient
from testkit.databases import fetch_number, fetch_rows
from testkit.running_services import find_free_port
from testkit.topics import move_group_to_end
from testkit.waiting import wait_until

CHILD = Path(__file__).parents[1] / "simulated_child.py"
KEY = secrets.token_hex(16)
EIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)

pytestmark = pytest.mark.servers


@dataclass
class Child:
    database: Database
    kafka: KafkaConnection
    session: aiohttp.ClientSession
    unreachable: str
    """A host and port without a listener."""
    name: str
    port: int = field(default_factory=find_free_port)
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        environment = {
            **os.environ,
            "CALLOFF_DATABASE_URL": self.database.url,
            "CALLOFF_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "CALLOFF_PORT": str(self.port),
            "CALLOFF_TOKEN_ISSUER": "http://127.0.0.1:1",
            "CALLOFF_TOKEN_JWKS_URL": "http://127.0.0.1:1/jwks",
            "CALLOFF_FINGERPRINT_KEY": "f" * 32,
            "CALLOFF_LOG_LEVEL": "warning",
            "CALLOFF_NAME": self.name,
            "CALLOFF_RECEIVER": self.unreachable,
            "CALLOFF_SIMULATED_CLOCK": EIGHT.isoformat(),
            "CALLOFF_SIMULATION_KEY": KEY,
        }
        self.process = await asyncio.create_subprocess_exec(sys.executable, CHILD, env=environment)
        await wait_until(self.is_ready, within=60)

    async def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.returncode is None
        try:
            async with self.session.get(f"{self.url}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def end(self, *, kill: bool = False) -> None:
        assert self.process is not None
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        await self.process.wait()

    async def post(self, path: str, body: object) -> None:
        async with self.session.post(self.url + path, json=body) as answer:
            assert answer.status == 200, await answer.text()

    def build_driver(self) -> ClockDriver:
        return ClockDriver([SimulatedProcessClient("sample", self.url, key=KEY, session=self.session)], seed=1)

    async def list_fired_timers(self) -> list[str]:
        return [
            row.about for row in await fetch_rows(self.database, "SELECT about FROM fired_timers ORDER BY position")
        ]


@pytest_asyncio.fixture
async def child(database: Database, kafka_connection: KafkaConnection) -> AsyncGenerator[Child]:
    name = f"sample-{secrets.token_hex(4)}"
    await move_group_to_end(kafka_connection, f"calloff.{name}", [PACKAGES])
    async with aiohttp.ClientSession(trust_env=False) as session:
        child = Child(database, kafka_connection, session, f"127.0.0.1:{find_free_port()}", name)
        await child.start()
        yield child
        await child.end()


def a_closing(about: str, at: datetime, precedence: Precedence) -> dict[str, object]:
    return {"about": about, "at": at.isoformat(), "precedence": int(precedence)}


async def test_timers_of_different_days_fire_in_order_and_each_on_its_day(child: Child) -> None:
    at = [EIGHT + DAY, EIGHT + 3 * DAY, EIGHT + 9 * DAY]
    packages = [uuid4(), uuid4()]
    closings = [
        [
            a_closing("a list", at[1], Precedence.LIST_GOES_OUT),
            a_closing("third", at[2], Precedence.EXPIRY),
            a_closing("first", at[0], Precedence.OPENING),
        ],
        [a_closing("an answer's end", at[1], Precedence.EXPIRY), a_closing("a fact", at[1], Precedence.FACT)],
    ]
    for package, requested in zip(packages, closings, strict=True):
        await child.post("/asks", {"package_id": str(package), "closings": requested})
    driver = child.build_driver()

    await driver.advance(timedelta(hours=23))
    assert await child.list_fired_timers() == []
    journey = await driver.advance(4 * DAY)
    assert await child.list_fired_timers() == [
        "first at 03 08:00:00",
        "an answer's end at 05 08:00:00",
        "a fact at 05 08:00:00",
        "a list at 05 08:00:00",
    ]
    assert journey.steps == 2
    await driver.advance(30 * DAY)
    assert (await child.list_fired_timers())[-1] == "third at 11 08:00:00"
    assert await fetch_number(child.database, "SELECT count(*) FROM outbox") == 0
    assert await fetch_number(child.database, "SELECT count(*) FROM handled_events") == 2, (
        "published events have been handled"
    )


async def test_a_webhook_to_an_unreachable_endpoint_is_given_up_after_two_simulated_minutes(child: Child) -> None:
    await child.post("/calls", {"package_id": str(uuid4()), "url": f"http://{child.unreachable}/"})
    driver = child.build_driver()
    await driver.advance_to(EIGHT + timedelta(seconds=119))
    assert await child.list_fired_timers() == []
    await driver.advance_to(EIGHT + timedelta(seconds=120))
    assert await child.list_fired_timers() == ["given up at 02 08:02:00 after 8 attempts"]
    attempts = await fetch_rows(child.database, "SELECT at FROM delivery_attempts ORDER BY at")
    assert [(row.at - EIGHT).total_seconds() for row in attempts] == [0, 1, 3, 7, 15, 31, 63, 110]


async def test_a_service_that_was_killed_continues_at_the_drivers_time(child: Child) -> None:
    await child.post(
        "/asks", {"package_id": str(uuid4()), "closings": [a_closing("first", EIGHT + DAY, Precedence.FACT)]}
    )
    driver = child.build_driver()
    await driver.advance(timedelta(hours=5))
    await child.end(kill=True)
    await child.start()
    await driver.advance(DAY)
    assert await child.list_fired_timers() == ["first at 03 08:00:00"]


async def test_the_routes_are_hidden_without_the_key(child: Child) -> None:
    for headers in ({}, {KEY_HEADER: "guessed"}):
        async with child.session.get(child.url + ACTIVITY_PATH, headers=headers) as answer:
            assert answer.status == 404
        async with child.session.post(
            child.url + CLOCK_PATH, json={"now": EIGHT.isoformat()}, headers=headers
        ) as answer:
            assert answer.status == 404
    with pytest.raises(NotSimulated):
        await SimulatedProcessClient("sample", child.url, key="guessed", session=child.session).read_activity()


async def test_the_clock_refuses_an_earlier_instant_and_an_instant_without_a_zone(child: Child) -> None:
    headers = {KEY_HEADER: KEY}
    for now, status in ((EIGHT - DAY).isoformat(), 409), ("2026-03-02T09:00:00", 422), ("soon", 422):
        async with child.session.post(child.url + CLOCK_PATH, json={"now": now}, headers=headers) as answer:
            assert answer.status == status


async def test_a_hundred_minutes_with_a_timer_each_are_a_hundred_steps(child: Child) -> None:
    minutes = [EIGHT + timedelta(minutes=n) for n in range(1, 101)]
    closings = [a_closing(f"{at:%H:%M}", at, Precedence.FACT) for at in minutes]
    await child.post("/asks", {"package_id": str(uuid4()), "closings": closings})
    journey = await child.build_driver().advance(DAY)
    print(journey)  # noqa: T201  shows the cost of a step with pytest -s
    assert journey.steps == 100
    assert await child.list_fired_timers() == [f"{at:%H:%M} at {at:%d %H:%M:%S}" for at in minutes]
