"""Errors over HTTP: every one is a problem that names what is wrong and repeats nothing of the request."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from service_runtime.http.bodies import LARGEST_BODY
from service_runtime.http.problems import MEDIA_TYPE
from service_runtime.postgres.database import Database
from testkit.databases import fetch_rows
from testkit.http_edge import PLANTED, SCOPE, EdgeClient, build_body


async def test_all_invalid_fields_are_named_and_none_is_quoted(client: EdgeClient) -> None:
    body = {"package_id": PLANTED, "times": PLANTED, "way": PLANTED, "through": {"shape": PLANTED}}
    status, content, _ = await client.request("POST", "/v1/withdrawals", body=body)
    assert status == 422
    assert {error["pointer"] for error in content["errors"]} == {
        "#/package_id",
        "#/times",
        "#/way",
        "#/through",
    }
    assert {error["detail"] for error in content["errors"]} >= {
        "must be one of 'in' or 'out'",
        "must be one of 'square', 'circle'",
    }


@pytest.mark.parametrize(
    ("method", "path", "raw", "expected"),
    [
        ("GET", f"/v1/nowhere/{PLANTED}", None, 404),
        ("PUT", "/v1/withdrawals", None, 405),
        ("POST", "/v1/withdrawals", b"{not json", 422),
        ("POST", "/v1/withdrawals", f'"{PLANTED}"'.encode(), 422),
        ("POST", "/v1/withdrawals", b"", 422),
        ("POST", "/v1/withdrawals", b"\xff\xfe", 422),
        ("POST", "/v1/withdrawals", b'{"times": "' + b"9" * 1_100_000 + b'"}', 413),
        ("POST", "/v1/withdrawals", b"[" * 50_000, 422),
        ("GET", f"/v1/numbers?limit={PLANTED}", None, 422),
        ("GET", f"/v1/numbers?cursor={PLANTED}", None, 422),
    ],
)
async def test_every_invalid_request_gets_a_problem(
    client: EdgeClient, method: str, path: str, raw: bytes | None, expected: int
) -> None:
    status, _, _ = await client.request(method, path, raw=raw)
    assert status == expected


async def test_a_body_that_is_too_large_is_refused_without_a_declared_length(client: EdgeClient) -> None:
    async def pieces() -> AsyncGenerator[bytes]:
        for _ in range(11):
            yield b"9" * (LARGEST_BODY // 10)

    headers = {"Authorization": f"Bearer {client.issuer.issue_token(SCOPE)}", "Content-Type": "application/json"}
    async with client.session.post(f"{client.url}/v1/withdrawals", data=pieces(), headers=headers) as answer:
        assert (answer.status, answer.content_type) == (413, MEDIA_TYPE)


async def test_a_declared_length_that_is_too_large_is_refused_before_the_body_is_sent(client: EdgeClient) -> None:
    headers = {
        "Authorization": f"Bearer {client.issuer.issue_token(SCOPE)}",
        "Content-Type": "application/json",
        "Content-Length": str(LARGEST_BODY + 1),
        "Expect": "100-continue",
    }
    async with client.session.post(f"{client.url}/v1/withdrawals", data=b"", headers=headers) as answer:
        assert (answer.status, answer.content_type) == (413, MEDIA_TYPE)


async def test_an_internal_error_reveals_nothing_of_the_request(client: EdgeClient) -> None:
    status, content, _ = await client.request("POST", "/v1/broken", body={"value": PLANTED})
    assert status == 500
    assert content["title"] == "Internal Server Error"
    assert PLANTED not in str(client.log.entries)
    assert client.log.find_entries("request failed")[0].fields == {"error": "RuntimeError"}


async def test_a_page_leads_to_the_next_and_the_last_one_ends(client: EdgeClient) -> None:
    pages: list[dict[str, Any]] = []  # of numbers, and the cursor of the next
    path = "/v1/numbers?limit=4"
    for _ in range(3):
        _, page, _ = await client.request("GET", path)
        pages.append(page)
        path = f"/v1/numbers?limit=4&cursor={page['next']}"
    assert [number for page in pages for number in page["items"]] == list(range(10))
    assert pages[-1]["next"] is None


async def test_an_unavailable_dependency_is_503_with_retry_after(client: EdgeClient) -> None:
    status, _, headers = await client.request("GET", "/v1/unavailable")
    assert (status, headers["Retry-After"]) == (503, "2")


async def test_a_missing_table_is_an_internal_error(client: EdgeClient, database: Database) -> None:
    await fetch_rows(database, "ALTER TABLE streams RENAME TO gone")
    assert (await client.request("POST", "/v1/withdrawals", body=build_body()))[0] == 500
    await fetch_rows(database, "ALTER TABLE gone RENAME TO streams")
    assert (await client.request("POST", "/v1/withdrawals", body=build_body()))[0] == 201
