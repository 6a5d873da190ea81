"""Routes for operations: probes, metrics, and parked keys."""

from uuid import uuid4

from service_runtime.http.rate_limits import CommandRateLimit
from service_runtime.postgres.database import Database
from testkit.databases import fetch_rows
from testkit.http_edge import SCOPE, EdgeClient, build_body


async def test_probes_need_no_token_and_metrics_show_the_outbox(client: EdgeClient) -> None:
    assert (await client.request("GET", "/healthz", anonymous=True))[0] == 200
    assert (await client.request("GET", "/readyz", anonymous=True))[0] == 200
    await client.request("POST", "/v1/withdrawals", body=build_body(times=3))
    status, content, _ = await client.request("GET", "/metrics", anonymous=True)
    assert status == 200
    assert "calloff_outbox_rows 3.0" in content


async def test_requests_are_measured_by_route_and_never_by_path(client: EdgeClient) -> None:
    await client.request("POST", "/v1/withdrawals", body=build_body())
    await client.request("POST", "/v1/withdrawals", body="no object")
    await client.request("GET", "/v1/unreadable/7", token=client.issuer.issue_token("operations:manage"))
    await client.request("PROPFIND", "/v1/no-such-place/123", anonymous=True)
    _, content, _ = await client.request("GET", "/metrics", anonymous=True)
    counts = {line for line in content.splitlines() if line.startswith("calloff_http_request_seconds_count")}
    assert counts == {
        'calloff_http_request_seconds_count{method="POST",route="/v1/withdrawals",status="2xx"} 1.0',
        'calloff_http_request_seconds_count{method="POST",route="/v1/withdrawals",status="4xx"} 1.0',
        'calloff_http_request_seconds_count{method="GET",route="/v1/unreadable/{record_id}",status="4xx"} 1.0',
        'calloff_http_request_seconds_count{method="other",route="unmatched",status="4xx"} 1.0',
    }


async def test_metrics_show_the_process_its_pool_and_whether_it_is_ready(client: EdgeClient) -> None:
    _, before, _ = await client.request("GET", "/metrics", anonymous=True)
    assert "calloff_ready 1.0" in before
    assert "calloff_database_disk_full 0.0" in before
    assert 'calloff_database_connections{state="used"} 0.0' in before
    assert {"process_resident_memory_bytes", "process_cpu_seconds_total"} <= {
        line.split()[0] for line in before.splitlines()
    }
    client.app.state.ready.clear()
    _, after, _ = await client.request("GET", "/metrics", anonymous=True)
    assert "calloff_ready 0.0" in after


async def test_a_service_that_is_not_ready_refuses_commands(client: EdgeClient) -> None:
    client.app.state.ready.clear()
    status, content, headers = await client.request("GET", "/readyz", anonymous=True)
    assert (status, headers["Retry-After"]) == (503, "1")
    assert "catching up" in content["detail"]
    status, _, headers = await client.request("POST", "/v1/withdrawals", body=build_body())
    assert (status, headers["Retry-After"]) == (503, "2")


async def test_a_callers_flood_of_commands_is_refused_and_other_callers_go_on(client: EdgeClient) -> None:
    client.app.state.command_limit = CommandRateLimit(per_second=0.001, burst=3)
    statuses = [(await client.request("POST", "/v1/withdrawals", body=build_body()))[0] for _ in range(4)]
    assert statuses == [201, 201, 201, 429]
    status, content, headers = await client.request("POST", "/v1/withdrawals", body=build_body())
    assert (status, content["title"], headers["Retry-After"]) == (429, "Too Many Requests", "1000")
    other = client.issuer.issue_token(SCOPE, subject="system-2")
    assert (await client.request("POST", "/v1/withdrawals", body=build_body(), token=other))[0] == 201


async def test_a_parked_key_is_listed_released_and_its_event_discarded(client: EdgeClient, database: Database) -> None:
    token = client.issuer.issue_token("operations:manage", subject="op-1")
    package, event = uuid4(), uuid4()
    await fetch_rows(
        database,
        "INSERT INTO streams (topic, key, parked_because, parked_at) VALUES ('homecare.packages.v1', :key, 'x', now())",
        key=str(package),
    )
    await fetch_rows(
        database,
        """
        INSERT INTO dead_letters (event_id, topic, key, type, headers, payload, arrived_at, failure)
        VALUES (:event, 'homecare.packages.v1', :key, 'calloff.Some.v1', '[]', '{}', now(), 'x')
        """,
        event=event,
        key=str(package),
    )
    _, listed, _ = await client.request("GET", "/v1/parked", token=token)
    assert [(item["key"], item["event_id"]) for item in listed["items"]] == [(str(package), str(event))]
    status, content, _ = await client.request("POST", "/v1/withdrawals", body=build_body(package_id=str(package)))
    assert (status, content["title"]) == (409, "Subject parked")

    discard = f"/v1/parked/events/{event}/discard"
    assert (await client.request("POST", discard, body={"because": "INC-7"}, token=token))[0] == 204
    assert (await client.request("POST", discard, body={"because": "INC-7"}, token=token))[0] == 404
    release = f"/v1/parked/homecare.packages.v1/{package}/release"
    assert (await client.request("POST", release, token=token))[1] == {"handled": 0, "still_parked": False}
    assert (await client.request("POST", release, token=token))[0] == 404
    assert (await client.request("POST", "/v1/withdrawals", body=build_body(package_id=str(package))))[0] == 201


async def test_an_unreadable_record_is_listed_shown_with_its_bytes_and_discarded(
    client: EdgeClient, database: Database
) -> None:
    token = client.issuer.issue_token("operations:manage", subject="op-1")
    (row,) = await fetch_rows(
        database,
        """
        INSERT INTO unreadable_records (consumer, topic, partition, "offset", cause, key, headers, payload, size,
                                        sha256, found_at)
        VALUES ('calloff.sample', 'homecare.packages.v1', 3, 7, 'the key is missing', NULL, '[]', '{}', 4, '\\x00ff',
                now())
        RETURNING id
        """,
    )
    _, listed, _ = await client.request("GET", "/v1/unreadable", token=token)
    (item,) = listed["items"]
    assert (item["offset"], item["because"], item["sha256"]) == (7, "the key is missing", "00ff")
    assert "payload" not in item
    path = f"/v1/unreadable/{row.id}"
    _, shown, _ = await client.request("GET", path, token=token)
    assert (shown["key"], shown["headers"], shown["payload"]) == (None, "W10=", "e30=")

    other = client.issuer.issue_token("referrals:write", subject="op-2")
    assert (await client.request("GET", "/v1/unreadable", token=other))[0] == 403
    assert (await client.request("POST", f"{path}/discard", body={"because": "INC-7"}, token=token))[0] == 204
    assert (await client.request("POST", f"{path}/discard", body={"because": "INC-7"}, token=token))[0] == 404
    assert (await client.request("GET", "/v1/unreadable", token=token))[1]["items"] == []
    _, shown, _ = await client.request("GET", path, token=token)
    assert shown["discarded_because"].startswith("INC-7 (")
    assert (await client.request("GET", f"/v1/unreadable/{uuid4()}", token=token))[0] == 404
