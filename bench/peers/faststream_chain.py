"""The chain with FastStream: `web` takes requests, `worker` handles events from Kafka, PostgreSQL holds the state.

An event is published after the commit of the change that it follows from, and a record counts as handled when it is
read: both are FastStream's defaults. Runs in the environment of `requirements.txt`.
"""

# The type checker's environment does not contain FastStream, and the stubs of asyncpg leave pools out.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUntypedFunctionDecorator=false, reportAttributeAccessIssue=false, reportUnknownArgumentType=false

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import uvicorn
import uvloop
from fastapi import FastAPI, HTTPException
from faststream import FastStream
from faststream.kafka import KafkaBroker, KafkaRouter
from pydantic import BaseModel

DATABASE: Final = os.environ["PEER_DATABASE"]
KAFKA: Final = os.environ["PEER_KAFKA"]
PORT: Final = int(os.environ["PEER_PORT"])
WEBHOOKS: Final = os.environ["PEER_WEBHOOKS"]
WORKERS: Final = 20
CONNECTIONS: Final = 20
REQUESTED: Final = "peer.package-requested"
OFFERED: Final = "peer.offer-made"
DECLINED: Final = "peer.offer-declined"
PLACED: Final = "peer.package-placed"
SCHEMA: Final = """
    CREATE TABLE packages (id uuid PRIMARY KEY, referral jsonb NOT NULL, placed_with text);
    CREATE TABLE offers (
        id uuid PRIMARY KEY, package_id uuid NOT NULL REFERENCES packages, turn integer NOT NULL,
        provider text NOT NULL, state text NOT NULL, UNIQUE (package_id, turn)
    );
    CREATE TABLE purchase_orders (
        package_id uuid PRIMARY KEY REFERENCES packages, provider text NOT NULL, issued_at timestamptz DEFAULT now()
    );
"""
INSERT_PACKAGE: Final = "INSERT INTO packages (id, referral) VALUES ($1, $2)"
INSERT_OFFER: Final = """
    INSERT INTO offers (id, package_id, turn, provider, state) VALUES ($1, $2, $3, $4, 'open') ON CONFLICT DO NOTHING
    RETURNING id
"""
DECLINE_OFFER: Final = """
    UPDATE offers SET state = 'declined' WHERE id = $1 AND state = 'open' RETURNING package_id, turn
"""
ACCEPT_OFFER: Final = """
    WITH accepted AS (
        UPDATE offers SET state = 'accepted' WHERE id = $1 AND state = 'open' RETURNING package_id, provider
    )
    UPDATE packages SET placed_with = provider FROM accepted WHERE id = package_id RETURNING package_id, provider
"""
INSERT_ORDER: Final = "INSERT INTO purchase_orders (package_id, provider) VALUES ($1, $2) ON CONFLICT DO NOTHING"


class Referral(BaseModel):
    reference: str
    district: str
    service: str
    weekly_hours: float


class PackageRequested(BaseModel):
    package_id: UUID


class OfferMade(BaseModel):
    offer_id: UUID
    package_id: UUID
    turn: int
    provider: str


class OfferDeclined(BaseModel):
    package_id: UUID
    turn: int


class PackagePlaced(BaseModel):
    package_id: UUID
    provider: str


broker = KafkaBroker(KAFKA, logger=None)
subscribers = KafkaRouter()
pools: list[asyncpg.Pool] = []
clients: list[aiohttp.ClientSession] = []


@asynccontextmanager
async def open_connections() -> AsyncGenerator[None]:
    pool = await asyncpg.create_pool(DATABASE, min_size=CONNECTIONS, max_size=CONNECTIONS)
    try:
        async with aiohttp.ClientSession() as client:
            pools.append(pool)
            clients.append(client)
            yield
    finally:
        await pool.close()


@asynccontextmanager
async def open_publisher(_: FastAPI) -> AsyncGenerator[None]:
    async with open_connections(), broker:
        yield


api = FastAPI(lifespan=open_publisher)


async def publish(topic: str, package_id: UUID, event: BaseModel) -> None:
    await broker.publish(event, topic, key=str(package_id).encode())


@api.get("/health")
async def report_health() -> dict[str, str]:
    return {"status": "ok"}


@api.post("/referrals", status_code=201)
async def take_referral(referral: Referral) -> dict[str, str]:
    package_id = uuid4()
    await pools[0].execute(INSERT_PACKAGE, package_id, referral.model_dump_json())
    await publish(REQUESTED, package_id, PackageRequested(package_id=package_id))
    return {"package_id": str(package_id)}


@api.post("/offers/{offer_id}/decline")
async def decline_offer(offer_id: UUID) -> dict[str, str]:
    offer = await pools[0].fetchrow(DECLINE_OFFER, offer_id)
    if offer is None:
        raise HTTPException(409, "the offer is not open")
    await publish(DECLINED, offer["package_id"], OfferDeclined(package_id=offer["package_id"], turn=offer["turn"]))
    return {"state": "declined"}


@api.post("/offers/{offer_id}/accept")
async def accept_offer(offer_id: UUID) -> dict[str, str]:
    placed = await pools[0].fetchrow(ACCEPT_OFFER, offer_id)
    if placed is None:
        raise HTTPException(409, "the offer is not open")
    event = PackagePlaced(package_id=placed["package_id"], provider=placed["provider"])
    await publish(PLACED, event.package_id, event)
    return {"state": "accepted"}


@subscribers.subscriber(REQUESTED, group_id="requested", auto_offset_reset="earliest", max_workers=WORKERS)
async def make_first_offer(event: PackageRequested) -> None:
    await make_offer(event.package_id, 1)


@subscribers.subscriber(DECLINED, group_id="declined", auto_offset_reset="earliest", max_workers=WORKERS)
async def make_next_offer(event: OfferDeclined) -> None:
    await make_offer(event.package_id, event.turn + 1)


@subscribers.subscriber(OFFERED, group_id="offered", auto_offset_reset="earliest", max_workers=WORKERS)
async def send_webhook(event: OfferMade) -> None:
    body = {"type": "offer.made", **event.model_dump(mode="json", exclude={"provider"})}
    async with clients[0].post(f"{WEBHOOKS}/{event.provider}", json=body) as response:
        response.raise_for_status()


@subscribers.subscriber(PLACED, group_id="placed", auto_offset_reset="earliest", max_workers=WORKERS)
async def issue_order(event: PackagePlaced) -> None:
    await pools[0].execute(INSERT_ORDER, event.package_id, event.provider)


async def make_offer(package_id: UUID, turn: int) -> None:
    offer = OfferMade(offer_id=uuid4(), package_id=package_id, turn=turn, provider=f"provider-{turn}")
    if await pools[0].fetchval(INSERT_OFFER, offer.offer_id, package_id, turn, offer.provider):
        await publish(OFFERED, package_id, offer)


async def create_schema() -> None:
    connection = await asyncpg.connect(DATABASE)
    await connection.execute(SCHEMA)
    await connection.close()


async def run_worker() -> None:
    broker.include_router(subscribers)
    async with open_connections():
        await FastStream(broker, logger=None).run()


def main(role: str) -> None:
    if role == "schema":
        asyncio.run(create_schema())
    elif role == "worker":
        uvloop.run(run_worker())
    else:
        uvicorn.run(api, host="127.0.0.1", port=PORT, log_level="warning", access_log=False)


if __name__ == "__main__":
    main(sys.argv[1])
