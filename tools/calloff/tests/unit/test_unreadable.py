"""`calloff unreadable`: the records that services could not read, against fake services."""

import json
from collections.abc import Callable
from typing import Protocol
from uuid import uuid4

from typer.testing import Result

RECORD = str(uuid4())

Run = Callable[..., Result]


class FakeServices(Protocol):
    """The fixture of conftest."""

    answers: dict[str, tuple[int, object]]
    bodies: list[str]


def a_page(*, following: str | None = None) -> tuple[int, object]:
    record = {
        "id": RECORD,
        "consumer": "calloff.sourcing",
        "topic": "homecare.packages.v1",
        "partition": 5,
        "offset": 1204,
        "because": "the key is missing",
        "size": 4,
        "sha256": "00ff",
        "found_at": "2026-07-01T12:00:00Z",
    }
    return 200, {"items": [record], "next": following}


def test_an_unreadable_record_is_listed_with_the_commands_that_show_and_discard_it(
    services: FakeServices, run: Run
) -> None:
    services.answers["/v1/unreadable"] = (200, {"items": [], "next": None})
    services.answers["sourcing/v1/unreadable"] = a_page(following="abc")
    output = run("unreadable", "list").stdout
    assert "sourcing, homecare.packages.v1-5 at 1204, calloff.sourcing, found 01 Jul 13:00:00" in output
    assert "the key is missing" in output
    assert f"calloff unreadable discard {RECORD} --because" in output
    assert "sourcing lists more" in output
    assert len(json.loads(run("unreadable", "list", "--json").stdout)["sourcing"]) == 1


def test_an_unreadable_record_is_shown_by_the_service_that_has_it(services: FakeServices, run: Run) -> None:
    services.answers[f"pricing/v1/unreadable/{RECORD}"] = (200, {"id": RECORD, "payload": "e30="})
    assert json.loads(run("unreadable", "show", RECORD).stdout)["payload"] == "e30="
    missing = run("unreadable", "show", str(uuid4()))
    assert missing.exit_code != 0
    assert "calloff unreadable list" in missing.output


def test_the_discard_of_an_unreadable_record_requires_a_reason_and_sends_it(services: FakeServices, run: Run) -> None:
    services.answers[f"sourcing/v1/unreadable/{RECORD}/discard"] = (200, {})
    assert run("unreadable", "discard", RECORD).exit_code == 2
    assert run("unreadable", "discard", RECORD, "--because", "TICKET-17").exit_code == 0
    assert json.loads(services.bodies[-1]) == {"because": "TICKET-17"}
