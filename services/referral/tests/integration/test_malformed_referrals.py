"""Malformed referrals: the answer names each field, echoes nothing that was sent, and nothing is half-written."""

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest

from service_runtime.postgres.database import Database
from testkit.databases import rows
from testkit.http_client import Client, list_named_fields
from testkit.referral.builders import a_body, a_provider_id
from testkit.referral.harness import ReferralHarness

pytestmark = pytest.mark.xdist_group("referral")

Body = dict[str, Any]  # JSON, as a council's system writes it
Change = Callable[[Body], object]

SENT = "Zzyzx"
"""Stands in every value that is sent, and must stand in no answer."""
A_CONTACT = {"name": SENT, "relationship": SENT, "phone": SENT}
ADDRESS = "#/person/address"
VISIT = "#/visits/0"


def put(path: str, value: object) -> Change:
    """Sets what `path` points to, from the top of the body."""

    def change(body: Body) -> None:
        *way, last = path.split("/")
        place: Any = body  # an object or a list, by turns
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        place[int(last) if last.isdigit() else last] = value

    return change


def take_out(path: str) -> Change:
    def change(body: Body) -> None:
        *way, last = path.split("/")
        place: Any = body  # an object or a list, by turns
        for step in way:
            place = place[step]
        del place[last]

    return change


def all_of(*changes: Change) -> Change:
    def change(body: Body) -> None:
        for each in changes:
            each(body)

    return change


MALFORMED: list[tuple[Change, list[str]]] = [
    (take_out("reference"), ["#/reference"]),
    (put("reference", ""), ["#/reference"]),
    (put("reference", SENT * 30), ["#/reference"]),
    (put("reference", f"{SENT}\x00"), ["#/reference"]),
    (put("person", SENT), ["#/person"]),
    (take_out("person/name"), ["#/person/name"]),
    (put("person/name", "   "), ["#/person/name"]),
    (put("person/name", 7), ["#/person/name"]),
    (put("person/name", f"{SENT}\x1b[31m"), ["#/person/name"]),
    (put("person/name", f"{SENT}\ud800"), ["#/person/name"]),
    (put("person/date_of_birth", SENT), ["#/person/date_of_birth"]),
    (put("person/date_of_birth", "2012-01-01"), ["#/person/date_of_birth"]),
    (put("person/date_of_birth", "1066-10-14"), ["#/person/date_of_birth"]),
    (put("person/nhs_number", SENT * 5), ["#/person/nhs_number"]),
    (put("person/nickname", SENT), ["#/person/nickname"]),
    (put("person/address/lines", []), [f"{ADDRESS}/lines"]),
    (put("person/address/lines/0", SENT * 50), [f"{ADDRESS}/lines/0"]),
    (put("person/address/postcode", SENT), [f"{ADDRESS}/postcode"]),
    (put("person/address/postcode", "CO99 9ZZ"), [f"{ADDRESS}/postcode", "#/district"]),
    (put("person/address/postcode", "SW1A 1AA"), [f"{ADDRESS}/postcode"]),
    (put("person/contacts", [{"name": SENT}]), ["#/person/contacts/0/relationship", "#/person/contacts/0/phone"]),
    (put("person/contacts", [A_CONTACT] * 11), ["#/person/contacts"]),
    (put("person/notes", SENT * 1000), ["#/person/notes"]),
    (put("service_type", SENT), ["#/service_type"]),
    (put("service_type", "carer's break"), ["#/service_type"]),
    (put("visits", []), ["#/visits"]),
    (put("visits/0/days", [SENT]), [f"{VISIT}/days/0"]),
    (put("visits/0/days", ["MON", "MON"]), [VISIT]),
    (put("visits/0/earliest", "25:00"), [f"{VISIT}/earliest"]),
    (put("visits/0/earliest", "07:30+01:00"), [f"{VISIT}/earliest"]),
    (put("visits/0/latest", "07:00"), [VISIT]),
    (put("visits/0/minutes", 14), [f"{VISIT}/minutes"]),
    (put("visits/0/minutes", SENT), [f"{VISIT}/minutes"]),
    (put("visits/0/carers", 5), [f"{VISIT}/carers"]),
    (put("starts_on", "2026-02-30"), ["#/starts_on"]),
    (put("starts_on", "2026-03-01"), ["#/starts_on"]),
    (put("urgency", SENT), ["#/urgency"]),
    (put("needs", [SENT]), ["#/needs/0"]),
    (put("needs", ["hoist", "hoist"]), ["#/needs"]),
    (put("carer_gender", SENT), ["#/carer_gender"]),
    (put("refused_providers", [SENT]), ["#/refused_providers/0"]),
    (
        all_of(
            put("refused_providers", [str(a_provider_id("A"))]), put("preferred_providers", [str(a_provider_id("A"))])
        ),
        ["#/preferred_providers"],
    ),
    (put("district", f"{SENT} {SENT}"), ["#/district"]),
    (put("district", "E07000076"), ["#/district", "#/district"]),
    (put("district_confirmed", SENT), ["#/district_confirmed"]),
    (put("framework", SENT), ["#/framework"]),
    (put("framework", "no-such-framework"), ["#/framework"]),
    (put("despite_open_referral", SENT), ["#/despite_open_referral"]),
    (put(SENT, SENT), [f"#/{SENT}"]),
    (
        all_of(put("reference", 7), put("urgency", SENT), put("visits/0/minutes", 1)),
        ["#/reference", f"{VISIT}/minutes", "#/urgency"],
    ),
]


async def everything_written(database: Database) -> list[int]:
    """How much stands in each table but those that grow when the other services of this run say something."""
    tables = ("referrals", "persons", "history", "journal", "outbox", "idempotency_keys", "timers")
    return [int((await rows(database, f"SELECT count(*) FROM {table}"))[0][0]) for table in tables]


@pytest.mark.parametrize(("change", "fields"), MALFORMED)
async def test_each_wrong_field_is_named_and_nothing_is_written_or_echoed(
    client: Client, harness: ReferralHarness, change: Change, fields: list[str]
) -> None:
    body = json.loads(json.dumps(a_body()))
    change(body)
    before = await everything_written(harness.database)
    reply = await client.post("/v1/referrals", body, key=f"malformed {fields} {change}")
    assert (reply.status, reply.headers["Content-Type"]) == (422, "application/problem+json")
    assert list_named_fields(reply) == fields
    assert SENT not in reply.text.replace(f"#/{SENT}", "")
    assert "Test Person" not in reply.text
    assert await everything_written(harness.database) == before


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"NaN", b"[" * 100_000])
async def test_what_is_no_referral_at_all_is_refused(client: Client, data: bytes) -> None:
    reply = await client.call("POST", "/v1/referrals", data=data)
    assert reply.status in {400, 422}
    assert reply.headers["Content-Type"] == "application/problem+json"


async def test_too_much_is_refused_before_it_is_read(client: Client) -> None:
    reply = await client.call("POST", "/v1/referrals", data=BytesIO(b'{"reference": "' + b"x" * 1_100_000))
    assert (reply.status, reply.headers["Content-Type"]) == (413, "application/problem+json")


@pytest.mark.parametrize(
    ("body", "fields"),
    [({}, ["#/reason"]), ({"reason": SENT}, ["#/reason"]), ({"reason": "moved away", "why": SENT}, ["#/why"])],
)
async def test_a_withdrawal_says_why_and_nothing_else(client: Client, body: object, fields: list[str]) -> None:
    path = "/v1/referrals/0197a3c0-0000-7000-8000-000000000000/withdrawal"
    reply = await client.post(path, body)
    assert (reply.status, list_named_fields(reply)) == (422, fields)
    assert SENT not in reply.text


@pytest.mark.parametrize("path", ["/v1/referrals/not-an-id", "/v1/referrals?limit=0", "/v1/referrals?cursor=xyz"])
async def test_a_wrong_parameter_is_named(client: Client, path: str) -> None:
    reply = await client.get(path)
    assert (reply.status, len(list_named_fields(reply))) == (422, 1)
