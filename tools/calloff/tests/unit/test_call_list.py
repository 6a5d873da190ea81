"""`calloff call-list`: whom to telephone, what to say, and by when."""

import json
from collections.abc import Callable
from typing import Final, Protocol

from typer.testing import Result

Run = Callable[..., Result]
BIRCH: Final = "6f7c0000-0000-4000-8000-000000000014"
NOTICE: Final = "0198f000-0000-7000-8000-000000000001"


class FakeServices(Protocol):
    answers: dict[str, tuple[int, object]]
    requests: list[tuple[str, str]]


def a_call(**changed: object) -> dict[str, object]:
    return {
        "provider_id": BIRCH,
        "provider": "Birch Care 014",
        "phone": "01632 960001",
        "due_at": "2026-06-01T09:30:00Z",
        "attempt": 2,
        "say": ["A package of care at home is placed with you.", "Hours a week: 14.00."],
        "record_at": f"/v1/call-list/{NOTICE}/calls",
        **changed,
    }


def test_the_call_list_says_whom_to_call_what_to_say_and_by_when(services: FakeServices, run: Run) -> None:
    services.answers["/v1/call-list"] = (200, {"items": [a_call()], "next": None})
    output = " ".join(run("call-list", "--area", "E07000071").output.split())
    for text in ("Birch Care 014", "01632 960001", "10:30", "A package of care at home is placed with you.", NOTICE):
        assert text in output
    assert services.requests[-1] == ("GET", "/v1/call-list?limit=200&area=E07000071")


def test_a_provider_that_the_registry_does_not_have_is_named_by_its_id(services: FakeServices, run: Run) -> None:
    services.answers["/v1/call-list"] = (200, {"items": [a_call(provider=None, phone=None)], "next": None})
    assert BIRCH in run("call-list").output


def test_an_empty_call_list_is_a_sentence_or_an_empty_list(services: FakeServices, run: Run) -> None:
    services.answers["/v1/call-list"] = (200, {"items": [], "next": None})
    assert "No provider waits for a call" in run("call-list").output
    assert json.loads(run("call-list", "--json").stdout) == {"items": []}
