"""`calloff parked release-all`: what is asked of the services, and what the operator reads."""

import json
from collections.abc import Callable
from typing import Protocol

from typer.testing import Result

Run = Callable[..., Result]
BECAUSE = "calloff.OfferDeclined.v1 could not be handled: ValidationError"


class FakeServices(Protocol):
    answers: dict[str, tuple[int, object]]
    bodies: list[str]


def answer_with(services: FakeServices, *still_parked: bool, remaining: int = 0) -> None:
    items = [
        {
            "topic": "homecare.packages.v1",
            "key": f"key-{number}",
            "because": BECAUSE,
            "handled": 2,
            "still_parked": parked,
        }
        for number, parked in enumerate(still_parked)
    ]
    services.answers["/v1/parked/release"] = (200, {"items": items, "remaining": remaining})


def release(run: Run, *options: str) -> str:
    result = run("parked", "release-all", "--because", BECAUSE, "--service", "sourcing", *options)
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.split())


def test_every_key_is_reported_with_what_came_of_it(services: FakeServices, run: Run) -> None:
    answer_with(services, False, True, remaining=7)
    output = release(run, "--limit", "2", "--skip", "3")
    assert "sourcing: homecare.packages.v1 key-0: 2 handled, released" in output
    assert "key-1: 2 handled, still parked: an event failed again" in output
    assert "7 more keys match; run the command again with --skip 4 to leave out those that failed again" in output
    (sent,) = [json.loads(body) for body in services.bodies if BECAUSE in body]
    assert sent == {"because": BECAUSE, "limit": 2, "skip": 3, "dry_run": False}


def test_a_dry_run_says_what_would_be_released(services: FakeServices, run: Run) -> None:
    answer_with(services, True)
    output = release(run, "--dry-run")
    assert f"key-0: would be released ({BECAUSE})" in output
    assert any(json.loads(body)["dry_run"] for body in services.bodies if BECAUSE in body)


def test_nothing_that_matches_is_said_in_words(services: FakeServices, run: Run) -> None:
    answer_with(services)
    assert release(run) == "Nothing that matches is parked."


def test_the_answers_are_printed_as_json(services: FakeServices, run: Run) -> None:
    answer_with(services, False)
    assert json.loads(release(run, "--json"))["sourcing"]["items"][0]["key"] == "key-0"
