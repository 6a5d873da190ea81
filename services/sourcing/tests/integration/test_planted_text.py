"""Text that a caller plants in a request is stored and shown nowhere."""

import secrets
from typing import Final

import pytest

from testkit.databases import fetch_rows
from testkit.sourcing.harness import OPERATE, SourcingHarness
from testkit.sourcing.offer_desk import OfferDesk

pytestmark = pytest.mark.xdist_group("sourcing")
TABLES: Final = (
    "journal",
    "outbox",
    "inbox",
    "idempotency_keys",
    "dead_letters",
    "streams",
    "timers",
    "holds",
    "searches",
    "offers",
    "placements",
)


async def test_text_planted_by_a_caller_is_stored_and_shown_nowhere(offer_desk: OfferDesk) -> None:
    harness, market = offer_desk.harness, offer_desk.market
    planted = f"TestPerson{secrets.token_hex(6)}"
    headers = {
        "X-Request-Id": planted,
        "User-Agent": planted,
        "tracestate": f"who={planted.lower()}",
        "baggage": f"who={planted}",
    }
    decline = f"/v1/offers/{offer_desk.offer.offer_id}/decline"
    orders: list[tuple[str, object]] = [
        (decline, {"reason": planted}),
        (decline, {"reason": planted.lower()}),
        (decline, {"reason": "other", planted: 1, "note": planted}),
        (decline, [planted]),
        (f"/v1/offers/{planted}/accept", None),
        (f"/v1/{planted}", {"name": planted}),
        (f"/v1/offers/{offer_desk.offer.offer_id}/accept?who={planted}", None),
        (decline, {"reason": "other"}),
    ]
    calls = [{"result": planted}, {"result": "reached", "answer": planted}, {"result": "reached", planted: ""}]
    path = f"/v1/offers/{offer_desk.to_call.offer_id}/calls"
    ask = harness.sourcing.request
    told = [
        *[
            await market.request_as_provider(
                "Alder", "POST", path, body, headers={**headers, "Idempotency-Key": f"{planted} {number}"}
            )
            for number, (path, body) in enumerate(orders)
        ],
        *[
            await market.request_as_provider("Alder", "GET", f"/v1/offers?{name}={planted}", headers=headers)
            for name in ("cursor", "live", "limit")
        ],
        *[await harness.request_as_officer("POST", path, body) for body in calls],
        await ask("GET", "/v1/work-list", OPERATE, subject=f"{planted} x", council=harness.council),
        await ask("GET", "/v1/work-list", headers={"Authorization": f"Bearer {planted}"}),
        await ask("GET", "/metrics"),
        await harness.request_decision(offer_desk.offer.package_id),
    ]
    assert {answer.status for answer in told} == {200, 401, 404, 409, 422}

    kept = await harness.read_kafka_records([offer_desk.offer.package_id, offer_desk.to_call.package_id])
    assert kept
    places = {
        # Which field is not one of ours can only be said by its name.
        "answers": [f"{each.body} {dict(each.headers)}".replace(f"#/{planted}", "") for each in told],
        "Kafka": [f"{each.key} {each.headers} {each.value!r}" for each in kept],
        "logs": [harness.logs.getvalue()],
        **{table: await fetch_table_as_text(harness, table) for table in TABLES},
    }
    assert [place for place, texts in places.items() if any(planted.lower() in each.lower() for each in texts)] == []


async def fetch_table_as_text(harness: SourcingHarness, table: str) -> list[str]:
    """Every row as text, bytes as what they say."""
    return [
        " ".join(each.decode(errors="replace") if isinstance(each, bytes) else str(each) for each in row)
        for row in await fetch_rows(harness.database, f"SELECT * FROM {table}")
    ]
