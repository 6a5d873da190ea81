"""Requests as clients really send them: normalised, or refused in words that say what to do."""

import json

from service_runtime.http.commands import REPLAYED
from testkit.http_edge import EdgeClient, build_body


async def test_an_empty_query_parameter_counts_as_not_given(client: EdgeClient) -> None:
    for query in ["limit=&cursor=", "limit=&unknown=1", "limit", "cursor=%20", "&&", "unknown=&unknown="]:
        status, page, _ = await client.request("GET", f"/v1/numbers?{query}")
        assert (status, page["items"]) == (200, [0, 1, 2])


async def test_a_query_that_no_route_can_mean_is_refused_in_words(client: EdgeClient) -> None:
    for query, detail in [
        ("limit=1&limit=2", "more than once"),
        ("cursor=%00", "NUL"),
        ("cursor=%ff", "UTF-8"),
        ("cursor=%ed%a0%80", "UTF-8"),
        ("&".join(f"x{i}=1" for i in range(101)), "more than 100 parameters"),
    ]:
        status, content, _ = await client.request("GET", f"/v1/numbers?{query}")
        assert status == 422
        assert detail in content["errors"][0]["detail"]


async def test_a_path_with_a_nul_or_a_broken_escape_names_no_resource(client: EdgeClient) -> None:
    for path in ["/v1/versions/%00", "/v1/versions/%ff", "/v1/versions/a%c3"]:
        status, content, _ = await client.request("PUT", path, headers={"If-Match": "*"})
        assert (status, content["detail"].startswith("no resource has this path")) == (404, True)


async def test_an_escaped_character_of_a_path_is_part_of_the_name(client: EdgeClient) -> None:
    status, content, _ = await client.request("GET", "/v1/versions/%c3%a4%20b")
    assert (status, content) == (200, 3)


async def test_a_slash_at_the_end_is_another_path_and_never_a_redirect(client: EdgeClient) -> None:
    for method in ["GET", "POST"]:
        path = {"GET": "/v1/numbers/", "POST": "/v1/withdrawals/"}[method]
        status, content, headers = await client.request(method, path)
        assert (status, "Location" in headers) == (404, False)
        assert "remove the slash" in content["detail"]


async def test_head_is_answered_as_get_without_the_body(client: EdgeClient) -> None:
    for path in ["/v1/numbers", "/healthz", "/openapi.json", "/v1/versions/a"]:
        got, _, expected = await client.request("GET", path)
        status, body, headers = await client.request("HEAD", path, expect_body=False)
        assert (status, body) == (got, "")
        assert headers["Content-Length"] == expected["Content-Length"]
        assert headers["Content-Type"] == expected["Content-Type"]


async def test_head_of_an_error_has_its_status(client: EdgeClient) -> None:
    assert (await client.request("HEAD", "/v1/nowhere", expect_body=False))[0] == 404
    assert (await client.request("HEAD", "/v1/withdrawals", expect_body=False))[0] == 405


async def test_allow_lists_the_methods_of_all_routes_of_a_path(client: EdgeClient) -> None:
    for path, allowed in [
        ("/v1/withdrawals", "POST, OPTIONS"),
        ("/v1/numbers", "GET, HEAD, OPTIONS"),
        ("/v1/versions/a", "GET, HEAD, PUT, OPTIONS"),
        ("/healthz", "GET, HEAD, OPTIONS"),
    ]:
        status, _, headers = await client.request("OPTIONS", path, anonymous=True)
        assert (status, headers["Allow"]) == (204, allowed)
        status, content, headers = await client.request("PATCH", path)
        assert (status, headers["Allow"]) == (405, allowed)
        assert content["detail"] == f"this resource does not answer PATCH; it answers {allowed}"
        assert (await client.request("TRACE", path))[0] == 405


async def test_options_of_an_unknown_path_is_404(client: EdgeClient) -> None:
    assert (await client.request("OPTIONS", "/v1/nowhere"))[0] == 404


async def test_if_match_with_the_current_tag_or_any_lets_the_request_pass(client: EdgeClient) -> None:
    for tag in ['"3"', "*", ' "2" , "3"', 'W/"3", "3"', '"a,b", "3"']:
        assert (await client.request("PUT", "/v1/versions/a", headers={"If-Match": tag}))[0] == 200


async def test_another_if_match_is_explained(client: EdgeClient) -> None:
    for tag, expected, words in [
        ('W/"3"', 412, "without W/"),
        ('W/"1", W/"3"', 412, "without W/"),
        ('"2"', 412, "has changed"),
        ('"2", W/"3"', 412, "has changed"),
        ("3", 422, "in its quotes"),
        ("", 422, "in its quotes"),
        ('*, "3"', 422, "in its quotes"),
        ('"3" "4"', 422, "in its quotes"),
        ('w/"3"', 422, "in its quotes"),
        (None, 428, "is missing"),
    ]:
        headers = {} if tag is None else {"If-Match": tag}
        status, content, _ = await client.request("PUT", "/v1/versions/a", headers=headers)
        assert status == expected
        assert words in str(content)


async def test_a_header_that_counts_once_is_refused_when_it_is_sent_twice(client: EdgeClient) -> None:
    for name in ["If-Match", "Idempotency-Key", "Content-Type", "Authorization"]:
        twice = [(name, "application/json"), (name, "application/json")]
        async with client.session.put(f"{client.url}/v1/versions/a", headers=twice) as answer:
            assert answer.status == 422
            assert (await answer.json(content_type=None))["errors"] == [
                {"pointer": f"header:{name.lower()}", "detail": "is sent more than once; send it once"}
            ]


async def test_an_unusable_idempotency_key_is_explained(client: EdgeClient) -> None:
    for key in ["", "k" * 129, "a\tb", "caf\u00e9", " "]:
        status, content, _ = await client.request(
            "POST", "/v1/withdrawals", body=build_body(), headers={"Idempotency-Key": key}
        )
        assert (status, content["errors"][0]["pointer"]) == (422, "header:Idempotency-Key")


async def test_a_replayed_response_is_marked_and_the_first_is_not(client: EdgeClient) -> None:
    body, key = build_body(), {"Idempotency-Key": "key-1"}
    _, first, headers = await client.request("POST", "/v1/withdrawals", body=body, headers=key)
    assert REPLAYED.lower() not in headers
    _, again, headers = await client.request("POST", "/v1/withdrawals", body=body, headers=key)
    assert (again, headers[REPLAYED.lower()]) == (first, "true")


async def test_the_same_fields_in_another_order_are_another_body_and_the_refusal_says_so(client: EdgeClient) -> None:
    body, key = build_body(), {"Idempotency-Key": "key-1"}
    await client.request("POST", "/v1/withdrawals", body=body, headers=key)
    turned = dict(reversed(body.items()))
    status, content, _ = await client.request("POST", "/v1/withdrawals", body=turned, headers=key)
    assert status == 422
    assert "byte for byte" in content["detail"]
    assert "send exactly the stored body again" in content["detail"]


async def test_the_header_of_replayed_responses_is_described_for_commands_only(client: EdgeClient) -> None:
    _, page, _ = await client.request("GET", "/openapi.json")
    described = page["paths"]
    assert described["/v1/withdrawals"]["post"]["responses"]["201"]["headers"][REPLAYED]["schema"]["enum"] == ["true"]
    assert REPLAYED not in json.dumps(described["/v1/numbers"])
