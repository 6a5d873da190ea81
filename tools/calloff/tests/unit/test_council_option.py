"""The council for which a command acts: the token that it sends names it."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Protocol

import pytest
from typer.testing import Result

from devstack.names import COUNCIL_VARIABLE


class FakeServices(Protocol):
    """The fixture of conftest."""

    answers: dict[str, tuple[int, object]]
    headers: list[dict[str, str]]


def read_council(headers: dict[str, str]) -> str:
    claims = headers["Authorization"].split(".")[1]
    return json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["council"]


@pytest.mark.parametrize(
    ("variable", "options", "council"),
    [
        ("", (), "essex"),
        ("leicestershire", (), "leicestershire"),
        ("leicestershire", ("--council", "oxfordshire"), "oxfordshire"),
    ],
)
def test_a_command_acts_for_the_chosen_council(
    *,
    services: FakeServices,
    run: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    options: tuple[str, ...],
    council: str,
) -> None:
    monkeypatch.setenv(COUNCIL_VARIABLE, variable)
    services.answers["/v1/work-list"] = (200, {"items": []})
    assert run(*options, "work-list").exit_code == 0
    assert [read_council(headers) for headers in services.headers] == [council]
