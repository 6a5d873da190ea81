"""The chain with procrastinate: `web` takes requests, `worker` runs jobs, PostgreSQL holds state and queue.

A job is deferred in the transaction of the change that it follows from. Runs in the environment of `requirements.txt`.
"""

# The type checker's environment does not contain procrastinate and psycopg.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUntypedFunctionDecorator=false, reportUnknownParameterType=false, reportUnknownArgumentType=false
# pyright: reportFunctionMemberAccess=false

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final
from uuid import uuid4

import aiohttp
import uvicorn
import uvloop
from fastapi import FastAPI, HTTPException
from procrastinate import App, PsycopgConnector
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel

DATABASE: Final = os.environ["PEER_DATABASE"]
PORT: Final = int(os.environ["PEER_PORT"])
WEBHOOKS: Final = os.environ["PEER_WEBHOOKS"]
CONCURRENCY: Final = 50
CONNECTIONS: Final = 20
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
INSERT_PACKAGE: Final = "INSERT INTO packages (id, referral) VALUES (%s, %s)"
INSERT_OFFER: Final = """
    INSERT INTO offers (id, package_id, turn, provider, state) VALUES (%s, %s, %s, %s, 'open') ON CONFLICT DO NOTHING
"""
CLOSE_OFFER: Final = """
    UPDATE offers SET state = %s WHERE id = %s AND state = 'open' RETURNING package_id::text, turn, provider
"""
PLACE_PACKAGE: Final = "UPDATE packages SET placed_with = %s WHERE id = %s"
INSERT_ORDER: Final = "INSERT INTO purchase_orders (package_id, provider) VALUES (%s, %s) ON CONFLICT DO NOTHING"

jobs = App(connector=PsycopgConnector())
pool = AsyncConnectionPool(DATABASE, min_size=CONNECTIONS, max_size=CONNECTIONS, open=False)
clients: list[aiohttp.ClientSession] = []


class Referral(BaseModel):
    reference: str
    district: str
    service: str
    weekly_hours: float


@asynccontextmanager
async def open_pools(_: FastAPI | None = None) -> AsyncGenerator[None]:
    async with pool, jobs.open_async(pool):
        yield


api = FastAPI(lifespan=open_pools)


@api.get("/health")
async def report_health() -> dict[str, str]:
    return {"status": "ok"}


@api.post("/referrals", status_code=201)
async def take_referral(referral: Referral) -> dict[str, str]:
    package_id = str(uuid4())
    async with pool.connection() as connection:
        await connection.execute(INSERT_PACKAGE, (package_id, referral.model_dump_json()))
        await make_offer.configure(connection=connection).defer_async(package_id=package_id, turn=1)
    return {"package_id": package_id}


@api.post("/offers/{offer_id}/decline")
async def decline_offer(offer_id: str) -> dict[str, str]:
    async with pool.connection() as connection:
        offer = await (await connection.execute(CLOSE_OFFER, ("declined", offer_id))).fetchone()
        if offer is None:
            raise HTTPException(409, "the offer is not open")
        package_id, turn, _ = offer
        await make_offer.configure(connection=connection).defer_async(package_id=package_id, turn=turn + 1)
    return {"state": "declined"}


@api.post("/offers/{offer_id}/accept")
async def accept_offer(offer_id: str) -> dict[str, str]:
    async with pool.connection() as connection:
        offer = await (await connection.execute(CLOSE_OFFER, ("accepted", offer_id))).fetchone()
        if offer is None:
            raise HTTPException(409, "the offer is not open")
        package_id, _, provider = offer
        await connection.execute(PLACE_PACKAGE, (provider, package_id))
        await issue_order.configure(connection=connection).defer_async(package_id=package_id, provider=provider)
    return {"state": "accepted"}


@jobs.task
async def make_offer(package_id: str, turn: int) -> None:
    offer_id, provider = str(uuid4()), f"provider-{turn}"
    async with pool.connection() as connection:
        inserted = await connection.execute(INSERT_OFFER, (offer_id, package_id, turn, provider))
        if inserted.rowcount:
            await send_webhook.configure(connection=connection).defer_async(
                offer_id=offer_id, package_id=package_id, turn=turn, provider=provider
            )


@jobs.task(retry=5)
async def send_webhook(offer_id: str, package_id: str, turn: int, provider: str) -> None:
    body = {"type": "offer.made", "offer_id": offer_id, "package_id": package_id, "turn": turn}
    async with clients[0].post(f"{WEBHOOKS}/{provider}", json=body) as response:
        response.raise_for_status()


@jobs.task
async def issue_order(package_id: str, provider: str) -> None:
    async with pool.connection() as connection:
        await connection.execute(INSERT_ORDER, (package_id, provider))


async def create_schema() -> None:
    async with open_pools():
        await jobs.schema_manager.apply_schema_async()
        async with pool.connection() as connection:
            await connection.execute(SCHEMA)


async def run_worker() -> None:
    async with open_pools(), aiohttp.ClientSession() as client:
        clients.append(client)
        await jobs.run_worker_async(concurrency=CONCURRENCY)


def main(role: str) -> None:
    if role == "schema":
        asyncio.run(create_schema())
    elif role == "worker":
        uvloop.run(run_worker())
    else:
        uvicorn.run(api, host="127.0.0.1", port=PORT, log_level="warning", access_log=False)


if __name__ == "__main__":
    main(sys.argv[1])
