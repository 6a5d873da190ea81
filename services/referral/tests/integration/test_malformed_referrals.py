"""Malformed referrals: the response names each invalid field and echoes no value, and nothing is stored."""

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest

from service_runtime.postgres.database import Database
from testkit.databases import fetch_rows
from testkit.http_client import ServiceClient
from testkit.http_response import list_invalid_fields
from testkit.referral.builders import a_body, to_provider_id
from testkit.referral.harness import ReferralHarness

pytestmark = pytest.mark.xdist_group("referral")

Body = dict[str, Any]  # JSON, as a council's system writes it
Change = Callable[[Body], object]

SENT = "Zzyzx"
"""Contained in every value that is sent; no response may contain it."""
A_CONTACT = {"name": SENT, "relationship": SENT, "phone": "01632 960001"}
ADDRESS = "#/person/address"
VISIT = "#/visits/0"


def set_value(path: str, value: object) -> Change:
    """Returns a change that sets the value at `path` of the body."""

    def change_body(body: Body) -> None:
        *parents, last = path.split("/")
        target: Any = body  # an object or a list
        for step in parents:
            target = target[int(step) if step.isdigit() else step]
        target[int(last) if last.isdigit() else last] = value

    return change_body


def remove_value(path: str) -> Change:
    def change_body(body: Body) -> None:
        *parents, last = path.split("/")
        target: Any = body  # an object or a list
        for step in parents:
            target = target[step]
        del target[last]

    return change_body


def combine_changes(*changes: Change) -> Change:
    def change_body(body: Body) -> None:
        for change in changes:
            change(body)

    return change_body


MALFORMED: list[tuple[Change, list[str]]] = [
    (remove_value("reference"), ["#/reference"]),
    (set_value("reference", ""), ["#/reference"]),
    (set_value("reference", SENT * 30), ["#/reference"]),
    (set_value("reference", f"{SENT}\x00"), ["#/reference"]),
    (set_value("person", SENT), ["#/person"]),
    (remove_value("person/name"), ["#/person/name"]),
    (set_value("person/name", "   "), ["#/person/name"]),
    (set_value("person/name", 7), ["#/person/name"]),
    (set_value("person/name", f"{SENT}\x1b[31m"), ["#/person/name"]),
    (set_value("person/name", f"{SENT}\ud800"), ["#"]),
    (set_value("person/date_of_birth", SENT), ["#/person/date_of_birth"]),
    (set_value("person/date_of_birth", "2012-01-01"), ["#/person/date_of_birth"]),
    (set_value("person/date_of_birth", "1066-10-14"), ["#/person/date_of_birth"]),
    (set_value("person/nhs_number", SENT * 5), ["#/person/nhs_number"]),
    (set_value("person/nickname", SENT), ["#/person/nickname"]),
    (set_value("person/address/lines", []), [f"{ADDRESS}/lines"]),
    (set_value("person/address/lines/0", SENT * 50), [f"{ADDRESS}/lines/0"]),
    (set_value("person/address/postcode", SENT), [f"{ADDRESS}/postcode"]),
    (set_value("person/address/postcode", "CO99 9ZZ"), [f"{ADDRESS}/postcode", "#/area"]),
    (set_value("person/address/postcode", "SW1A 1AA"), [f"{ADDRESS}/postcode"]),
    (set_value("person/contacts", [{"name": SENT}]), ["#/person/contacts/0/relationship", "#/person/contacts/0/phone"]),
    (set_value("person/contacts", [A_CONTACT] * 11), ["#/person/contacts"]),
    (set_value("person/contacts", [{**A_CONTACT, "phone": f"{SENT}\x00"}]), ["#/person/contacts/0/phone"]),
    (set_value("person/notes", SENT * 1000), ["#/person/notes"]),
    (set_value("service_type", SENT), ["#/service_type"]),
    (set_value("service_type", "carers-break"), ["#/service_type"]),
    (set_value("visits", []), ["#/visits"]),
    (set_value("visits/0/days", [SENT]), [f"{VISIT}/days/0"]),
    (set_value("visits/0/days", ["MON", "MON"]), [VISIT]),
    (set_value("visits/0/earliest", "25:00"), [f"{VISIT}/earliest"]),
    (set_value("visits/0/earliest", "07:30+01:00"), [f"{VISIT}/earliest"]),
    (set_value("visits/0/latest", "07:00"), [VISIT]),
    (set_value("visits/0/minutes", 14), [f"{VISIT}/minutes"]),
    (set_value("visits/0/minutes", SENT), [f"{VISIT}/minutes"]),
    (set_value("visits/0/carers", 5), [f"{VISIT}/carers"]),
    (set_value("starts_on", "2026-02-30"), ["#/starts_on"]),
    (set_value("starts_on", "2026-03-01"), ["#/starts_on"]),
    (set_value("service_type", "personal care"), ["#/service_type"]),
    (set_value("route", SENT), ["#/route"]),
    (set_value("route", "by-post"), ["#/route"]),
    (set_value("urgent_since", SENT), ["#/urgent_since"]),
    (set_value("urgent_since", "2026-03-02T09:00:00"), ["#/urgent_since"]),
    (set_value("urgent_since", "2026-03-02T08:00:00Z"), ["#/urgent_since"]),
    (set_value("needs", ["juggling"]), ["#/needs/0"]),
    (set_value("lot", SENT), ["#/lot"]),
    (set_value("lot", "no-such-lot"), ["#/lot"]),
    (set_value("follows_package", SENT), ["#/follows_package"]),
    (set_value("follows_package", str(to_provider_id("A"))), ["#/follows_package"]),
    (set_value("needs", [SENT]), ["#/needs/0"]),
    (set_value("needs", ["hoist", "hoist"]), ["#/needs"]),
    (set_value("carer_gender", SENT), ["#/carer_gender"]),
    (set_value("refused_providers", [SENT]), ["#/refused_providers/0"]),
    (
        combine_changes(
            set_value("refused_providers", [str(to_provider_id("A"))]),
            set_value("preferred_providers", [str(to_provider_id("A"))]),
        ),
        ["#/preferred_providers"],
    ),
    (set_value("area", f"{SENT} {SENT}"), ["#/area"]),
    (set_value("area", "E07000076"), ["#/area"]),
    (set_value("area_confirmed", SENT), ["#/area_confirmed"]),
    (set_value("framework", SENT), ["#/framework"]),
    (set_value("framework", "no-such-framework"), ["#/framework"]),
    (set_value("despite_open_referral", SENT), ["#/despite_open_referral"]),
    (set_value(SENT, SENT), [f"#/{SENT}"]),
    (
        combine_changes(set_value("reference", 7), set_value("route", SENT), set_value("visits/0/minutes", 1)),
        ["#/reference", f"{VISIT}/minutes", "#/route"],
    ),
]


async def count_rows(database: Database) -> list[int]:
    """Counts the rows of each table that only requests to referral change, not events of other services."""
    tables = ("referrals", "persons", "history", "journal", "outbox", "idempotency_keys", "timers")
    return [int((await fetch_rows(database, f"SELECT count(*) FROM {table}"))[0][0]) for table in tables]


@pytest.mark.parametrize(("change", "fields"), MALFORMED)
async def test_each_invalid_field_is_named_and_nothing_is_stored_or_echoed(
    client: ServiceClient, harness: ReferralHarness, change: Change, fields: list[str]
) -> None:
    body = json.loads(json.dumps(a_body()))
    change(body)
    before = await count_rows(harness.database)
    reply = await client.post("/v1/referrals", body, key=f"malformed-{id(change)}")
    assert (reply.status, reply.headers["Content-Type"]) == (422, "application/problem+json")
    assert list_invalid_fields(reply) == fields
    assert SENT not in reply.text.replace(f"#/{SENT}", "")
    assert "Test Person" not in reply.text
    assert await count_rows(harness.database) == before


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"NaN", b"[" * 100_000])
async def test_a_body_that_is_not_a_json_object_is_refused(client: ServiceClient, data: bytes) -> None:
    reply = await client.request("POST", "/v1/referrals", data=data)
    assert reply.status in {400, 422}
    assert reply.headers["Content-Type"] == "application/problem+json"


async def test_an_oversized_body_is_refused_before_it_is_read(client: ServiceClient) -> None:
    reply = await client.request("POST", "/v1/referrals", data=BytesIO(b'{"reference": "' + b"x" * 1_100_000))
    assert (reply.status, reply.headers["Content-Type"]) == (413, "application/problem+json")


@pytest.mark.parametrize(
    ("body", "fields"),
    [({}, ["#/reason"]), ({"reason": SENT}, ["#/reason"]), ({"reason": "moved-away", "why": SENT}, ["#/why"])],
)
async def test_a_withdrawal_requires_a_valid_reason_and_no_other_field(
    client: ServiceClient, body: object, fields: list[str]
) -> None:
    path = "/v1/referrals/0197a3c0-0000-7000-8000-000000000000/withdrawal"
    reply = await client.post(path, body)
    assert (reply.status, list_invalid_fields(reply)) == (422, fields)
    assert SENT not in reply.text


@pytest.mark.parametrize("path", ["/v1/referrals/not-an-id", "/v1/referrals?limit=0", "/v1/referrals?cursor=xyz"])
async def test_an_invalid_parameter_is_named(client: ServiceClient, path: str) -> None:
    reply = await client.get(path)
    assert (reply.status, len(list_invalid_fields(reply))) == (422, 1)
