"""What people and systems type into the registry: normalised and stored, or refused in words that repeat nothing."""

from typing import Final
from uuid import UUID, uuid4

import pytest

from testkit.http_response import HttpResponse, list_invalid_fields
from testkit.provider_registry.harness import OPERATE, RegistryHarness, a_body

SENT: Final = "zzyzx"
A_BRANCH: Final[dict[str, object]] = {"name": "Alder Colchester", "outward_code": "CO1", "domiciliary_care": True}


def assert_refused(answer: HttpResponse, *fields: str) -> None:
    assert (answer.status, list_invalid_fields(answer)) == (422, list(fields))
    assert SENT not in answer.text
    assert not {*"^$\\"} & {*" ".join(error["detail"] for error in answer.body["errors"])}, "words, not patterns"


@pytest.mark.parametrize(
    ("field", "typed", "shown"),
    [
        ("phone", "(01632) 960000", "(01632) 960000"),
        ("phone", " 01632\u00a0960000\u2009ext 12", "01632 960000 ext 12"),
        ("phone", "01632\u2013960000", "01632\u2013960000"),
        ("phone", "+44 (0)1632 960000", "+44 (0)1632 960000"),
        ("phone", "07700 900123", "07700 900123"),
        ("name", "=Alder\u00a0Care\r\n", "=Alder Care"),
        ("name", "@Alder", "@Alder"),
        ("turnover", 400000.5, "400000.50"),
        ("turnover", "400000", "400000.00"),
    ],
)
async def test_a_detail_is_shown_as_it_was_typed_after_normalising(
    harness: RegistryHarness, field: str, typed: object, shown: str
) -> None:
    made = await harness.request("POST", "/v1/providers", {**a_body(), field: typed})
    assert made.status == 201, made.text
    read = await harness.request("GET", f"/v1/providers/{made.body['provider_id']}")
    assert read.body[field] == shown


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("phone", value) for value in [SENT, "0800 FLOWERS", "999", 1632960000, f"01632\u202e960000{SENT}"]],
        *[("name", value) for value in ["", " \u00a0", 7, f"{SENT}\x00", SENT * 41]],
        *[("turnover", value) for value in ["1e2", "1E+1000000", 1e30, 10**30, "NaN", -1, "£1", True, 0.001]],
        *[("provider_id", value) for value in [f"urn:uuid:{UUID(int=1)}", f"{{{UUID(int=1)}}}", 1, "0" * 32]],
    ],
)
async def test_a_detail_of_another_type_or_form_is_refused_in_words(
    harness: RegistryHarness, field: str, value: object
) -> None:
    assert_refused(await harness.request("POST", "/v1/providers", {**a_body(), field: value}), f"#/{field}")


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "1989-12-31", "2200-01-01", "2031-01-01", "0", 0, 86400])
async def test_a_rating_has_a_day_within_reach_and_the_provider_stays_readable(
    harness: RegistryHarness, day: object
) -> None:
    provider = await harness.register_provider()
    url = f"/v1/providers/{provider}"
    answer = await harness.request("PUT", f"{url}/branches/{uuid4()}", {**A_BRANCH, "published_on": day})
    assert_refused(answer, "#/published_on")
    assert (await harness.request("GET", url)).status == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("outward_code", value) for value in ["C01\u00a0X", SENT, 7, ""]],
        *[("domiciliary_care", value) for value in ["yes", 1, "true"]],
        *[("rating", value) for value in [5, "x" * 101, "Good\x00"]],
        *[("status", value) for value in [0, SENT]],
    ],
)
async def test_a_branch_with_a_value_of_another_type_or_form_is_refused_in_words(
    harness: RegistryHarness, field: str, value: object
) -> None:
    url = f"/v1/providers/{UUID(int=1)}/branches/{uuid4()}"
    assert_refused(await harness.request("PUT", url, {**A_BRANCH, field: value}), f"#/{field}")


async def test_a_branch_has_an_outward_code_in_capitals_and_a_rating_in_any_spaces(harness: RegistryHarness) -> None:
    provider = (await harness.request("POST", "/v1/providers", a_body())).body["provider_id"]
    body = {**A_BRANCH, "outward_code": " co1\u00a0", "rating": "Requires\u00a0improvement"}
    answer = await harness.request("PUT", f"/v1/providers/{provider}/branches/{uuid4()}", body)
    assert (answer.status, answer.body["rating"]) == (200, "Requires improvement")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("framework", "Zzyzx!"),
        ("lot", "Home care"),
        ("area", "E 07"),
        ("tier", 1),
        ("tier", "Tier 1"),
        ("state", SENT),
        ("number", "1"),
        ("number", 1.0),
        ("joined_on", "tomorrow"),
    ],
)
async def test_a_place_of_another_type_or_form_is_refused_in_words(
    harness: RegistryHarness, field: str, value: object
) -> None:
    place = {**harness.build_place(), field: value}
    answer = await harness.request("PUT", f"/v1/providers/{UUID(int=1)}/places", {"places": [place]})
    assert_refused(answer, f"#/places/0/{field}")


@pytest.mark.parametrize(
    ("questions", "fields"),
    [
        ([{"key_question": SENT, "rating": "Good"}], ["#/key_questions/0/key_question"]),
        ([{"key_question": "Safe"}, {"key_question": "SAFE"}], ["#/key_questions/1/key_question"]),
        ([{"key_question": "Safe", "rating": 7}], ["#/key_questions/0/rating"]),
    ],
)
async def test_key_questions_are_refused_by_name(
    harness: RegistryHarness, questions: list[dict[str, object]], fields: list[str]
) -> None:
    url = f"/v1/providers/{UUID(int=1)}/branches/{uuid4()}"
    assert_refused(await harness.request("PUT", url, {**A_BRANCH, "key_questions": questions}), *fields)


@pytest.mark.parametrize("hours", ["1e2", 1e30, "-1", 100_000.01, "12.345", True, "NaN"])
async def test_a_capacity_has_limits(harness: RegistryHarness, hours: object) -> None:
    body = {"area": "E07000071", "free_hours": hours}
    answer = await harness.request("POST", f"/v1/providers/{UUID(int=1)}/capacity", body)
    assert_refused(answer, "#/free_hours")


@pytest.mark.parametrize(
    "address", ["o'lastname@alder.example", "a&b@alder.example", "  a@alder.example ", "a@bücher.example"]
)
async def test_a_mailbox_as_people_have_it_is_accepted(harness: RegistryHarness, address: str) -> None:
    provider = await harness.register_provider()
    answer = await harness.request("PUT", f"/v1/providers/{provider}/mailbox", {"address": address})
    assert answer.status == 204, answer.text


@pytest.mark.parametrize(
    "address", ["two-dots..in@alder.example", f"{SENT} <{SENT}@alder.example>", f"{SENT}ü@alder.example", SENT, 7]
)
async def test_a_text_that_is_no_mailbox_is_refused_in_words(harness: RegistryHarness, address: object) -> None:
    answer = await harness.request("PUT", f"/v1/providers/{UUID(int=1)}/mailbox", {"address": address})
    assert_refused(answer, "#/address")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/frameworks/Zz/versions/1",
        "/v1/frameworks/some-framework/versions/0",
        f"/v1/frameworks/some-framework/versions/{10**30}",
    ],
)
async def test_a_parameter_of_another_form_is_refused_in_words(harness: RegistryHarness, path: str) -> None:
    answer = await harness.request("GET", path, scope=OPERATE)
    assert answer.status == 422
    assert "^" not in answer.text
