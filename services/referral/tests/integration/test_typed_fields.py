"""What people and systems type into a referral: normalised and stored, or refused in words that repeat nothing."""

import json
from typing import Any, Final

import pytest

from testkit.databases import fetch_number
from testkit.http_client import ServiceClient
from testkit.http_response import list_invalid_fields
from testkit.referral.api_steps import a_unique_body
from testkit.referral.harness import ReferralHarness

pytestmark = pytest.mark.xdist_group("referral")

SENT: Final = "Zzyzx"
DATES: Final = ["0", 0, 86400, True, "1940-05-17T00:00:00Z", "19400517", "1940-02-30", "0001-01-01", "9999-12-31"]
INTEGERS: Final = ["45", 45.5, 45.0, True, 1e2, 10**30]


def set_in(body: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Returns a copy of the body, as JSON, with the value at `path`."""
    copy: Any = json.loads(json.dumps(body))
    target = copy
    *parents, last = path.split("/")
    for step in parents:
        target = target[int(step) if step.isdigit() else step]
    target[int(last) if last.isdigit() else last] = value
    return copy


async def post_and_show(client: ServiceClient, body: dict[str, Any]) -> dict[str, Any]:
    """Posts a referral and returns the person of it as the council sees it."""
    posted = await client.post("/v1/referrals", body)
    assert posted.status == 201, posted.text
    return (await client.get(f"/v1/referrals/{posted.body['referral_id']}")).body["person"]


@pytest.mark.parametrize(
    ("path", "typed", "stored"),
    [
        ("notes", "a\r\nb\rc", "a\nb\nc"),
        ("notes", f"  {SENT}\u00a0{SENT}\u2028"[:-1], f"{SENT} {SENT}"),
        ("communication_needs", "\ufeffspeaks\u00adslowly", "speaksslowly"),
        ("name", "می\u200cخواهم", "می\u200cخواهم"),
        ("name", "Zoe\u0308 Test", "Zoë Test"),
        ("name", "=1+1", "=1+1"),
        ("nhs_number", "999\u00a0000\u00a00018", "999 000 0018"),
        ("nhs_number", "999\u2013000\u20130018", "999\u2013000\u20130018"),
        ("nhs_number", "９９９ ０００ ００１８", "999 000 0018"),
        ("phone", "(01632)\u00a0960000", "(01632) 960000"),
        ("phone", "01632 960000 ext 12", "01632 960000 ext 12"),
        ("phone", "07700 900123\u00a0(daughter)", "07700 900123 (daughter)"),
        ("address/postcode", "co1\u00a01pj", "co1 1pj"),
        ("address/postcode", "co11pj", "co11pj"),
        ("address/lines/0", "1 Test\tRoad\r\nTesthill", "1 Test Road Testhill"),
    ],
)
async def test_a_field_is_stored_as_it_was_typed_after_normalising(
    client: ServiceClient, path: str, typed: str, stored: str
) -> None:
    body = set_in(
        a_unique_body(despite_open_referral="a different person with the same details"), f"person/{path}", typed
    )
    person: Any = await post_and_show(client, body)
    for step in path.split("/"):
        person = person[int(step) if step.isdigit() else step]
    assert person == stored


async def test_an_nhs_number_with_special_spaces_and_dashes_gets_no_warning(client: ServiceClient) -> None:
    body = set_in(a_unique_body(), "person/nhs_number", "999\u2009000\u20130\u00a0093")
    posted = await client.post("/v1/referrals", body)
    assert (posted.status, posted.body["warnings"]) == (201, [])


MISTYPED: Final = [
    *[("person/date_of_birth", value) for value in DATES],
    *[("starts_on", value) for value in [*DATES, "2099-03-09"]],
    *[("visits/0/minutes", value) for value in INTEGERS],
    *[("visits/0/carers", value) for value in ["1", 1.0, True]],
    *[("visits/0/earliest", value) for value in [27_000, "27000", "07:30Z", "07:30+01:00", "7:30"]],
    *[("visits/0/time_critical", value) for value in ["yes", "1", 1]],
    *[("area_confirmed", value) for value in ["true", 0]],
    *[("person/name", value) for value in [7, True, [SENT], f"{SENT}\u202e", f"{SENT}\u2028", f"{SENT}\x85"]],
    *[("person/notes", f"{SENT}{character}") for character in "\x00\x0b\u2066\U000e0041"],
    *[("person/phone", value) for value in [1632960000, f"{SENT}\x00", "1" * 41, ""]],
    *[("route", value) for value in [0, True]],
    *[("refused_providers", [value]) for value in ["{0197a3c0-0000-7000-8000-000000000000}", 7]],
    ("refused_providers", ["urn:uuid:0197a3c0-0000-7000-8000-000000000000"]),
    ("area", f"{SENT} {SENT}"),
    ("framework", SENT),
    *[("lot", value) for value in [SENT, 7]],
    *[("needs", [value]) for value in [SENT, 7, "a b"]],
    *[("urgent_since", value) for value in [0, "2026-03-02", "2026-03-02T08:00"]],
    *[("follows_package", value) for value in [7, "urn:uuid:0197a3c0-0000-7000-8000-000000000000"]],
]


@pytest.mark.parametrize(("path", "value"), MISTYPED)
async def test_a_value_of_another_type_or_form_is_refused_in_words(
    client: ServiceClient, harness: ReferralHarness, path: str, value: object
) -> None:
    before = await fetch_number(harness.database, "SELECT count(*) FROM referrals")
    reply = await client.post("/v1/referrals", set_in(a_unique_body(), path, value))
    assert (reply.status, reply.headers["Content-Type"]) == (422, "application/problem+json")
    assert {field.removesuffix("/0") for field in list_invalid_fields(reply)} <= {f"#/{path}", "#/person/date_of_birth"}
    assert SENT not in reply.text
    assert not {*"^$\\"} & {*" ".join(error["detail"] for error in reply.body["errors"])}, "words, not patterns"
    assert await fetch_number(harness.database, "SELECT count(*) FROM referrals") == before


@pytest.mark.parametrize("raw", ["NaN", "1e400", "-Infinity", "1" * 5_000, "1E+1000000"])
async def test_a_number_that_is_none_is_refused(client: ServiceClient, raw: str) -> None:
    body = json.dumps(set_in(a_unique_body(), "visits/0/minutes", "HERE")).replace('"HERE"', raw)
    reply = await client.request("POST", "/v1/referrals", data=body.encode())
    assert (reply.status in {400, 422}, reply.headers["Content-Type"]) == (True, "application/problem+json")
