"""Bodies: JSON in UTF-8 and nothing else, judged at one place, never slowly and never with a 500."""

import gzip
import json
from uuid import uuid4

import pytest

from service_runtime.http.bodies import check_json
from testkit.http_edge import EdgeClient, build_body

WITHDRAWALS = "/v1/withdrawals"
BODY = json.dumps(build_body()).encode()


async def test_a_body_of_another_kind_is_415_and_says_what_is_accepted(client: EdgeClient) -> None:
    for headers, words in [
        ({"Content-Type": "text/plain"}, "Content-Type: application/json"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "Content-Type: application/json"),
        ({"Content-Type": "application/octet-stream"}, "Content-Type: application/json"),
        ({"Content-Type": ""}, "Content-Type: application/json"),
        ({"Content-Type": "application/json; charset=utf-16"}, "UTF-8"),
        ({"Content-Type": "application/json; charset=latin-1"}, "UTF-8"),
        ({"Content-Encoding": "gzip"}, "without Content-Encoding"),
        ({"Content-Encoding": "br"}, "without Content-Encoding"),
        ({"Content-Encoding": "deflate"}, "without Content-Encoding"),
    ]:
        raw = gzip.compress(BODY) if headers.get("Content-Encoding") == "gzip" else BODY
        status, content, _ = await client.request("POST", WITHDRAWALS, raw=raw, headers=headers)
        assert (status, words in content["detail"]) == (415, True)


async def test_json_may_be_declared_in_every_usual_way(client: EdgeClient) -> None:
    for media_type in [
        "application/json; charset=UTF-8",
        'application/json;charset="utf-8"',
        "Application/JSON",
        "application/vnd.x+json",
    ]:
        headers = {"Content-Type": media_type, "Content-Encoding": "identity"}
        assert (await client.request("POST", WITHDRAWALS, raw=BODY, headers=headers))[0] == 201


async def test_a_byte_order_mark_is_ignored(client: EdgeClient) -> None:
    assert (await client.request("POST", WITHDRAWALS, raw=b"\xef\xbb\xbf" + BODY))[0] == 201


async def test_what_is_not_strict_json_is_422_with_the_place(client: EdgeClient) -> None:
    for raw, words in [
        (b'{"times": NaN}', "expected value"),
        (b'{"times": Infinity}', "expected value"),
        (b'{"times": 1e999999}', "too large"),
        (b'{"times": 1, "times": 2}', "names a key twice"),
        (b'{"through": {"a": 1, "a": 1}}', "names a key twice"),
        (b'{"way": "\\ud800"}', "line 1"),
        (b'{"way": "a\x00b"}', "control character"),
        (b'{"way": "\xff"}', "line 1"),
        (b"[" * 100_000, "recursion limit"),
        (b'{"a":' * 100_000, "recursion limit"),
        (b'{"times": ' + b"9" * 900_000 + b"}", "number out of range"),
        (b'{"times": 1', "EOF"),
        ('{"times": 1}'.encode("utf-16"), "line 1"),
        (b"   ", "EOF"),
    ]:
        status, content, _ = await client.request("POST", WITHDRAWALS, raw=raw)
        assert status == 422
        [error] = content["errors"]
        assert (error["pointer"], error["detail"].startswith("the body is not valid JSON: ")) == ("#", True)
        assert words in error["detail"]


@pytest.mark.parametrize("raw", [b"1" * 999_000, b'{"a":' * 190_000, b"[" * 999_000], ids=["digits", "keys", "lists"])
def test_digits_and_nesting_are_refused_long_before_the_end_of_the_body(raw: bytes) -> None:
    with pytest.raises(json.JSONDecodeError) as refusal:
        check_json(raw)
    column = int(str(refusal.value.msg).rpartition(" ")[2])
    assert column < 10_000


async def test_a_text_with_a_nul_is_refused_before_it_reaches_a_database(client: EdgeClient) -> None:
    token = client.issuer.issue_token("operations:manage", subject="op-1")
    for because in ("INC\x00-7", "INC\x1b-7", "  x  ", " " * 9):
        status, content, _ = await client.request(
            "POST", f"/v1/parked/events/{uuid4()}/discard", body={"because": because}, token=token
        )
        assert (status, content["errors"][0]["pointer"]) == (422, "#/because")
