"""What the commands print: for people a table, with --json the service's own answer, and errors in its own words."""

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from calloff.commands.__main__ import app
from calloff.commands.output import out
from devstack.config import SERVICES
from devstack.home import CHOSEN_BY, Home
from devstack.keys import Keys
from devstack.record import StackRecord
from simulator.market import invented_market

PACKAGE, OFFER, EVENT = str(uuid4()), str(uuid4()), str(uuid4())
ALDER = invented_market(seed=2025).providers[0].provider_id


@dataclass
class Services:
    """All services in one fake: it answers what the test says, and keeps what it was asked.

    A service is asked at its name; what the test says of `/v1/parked` all of them answer, of `sourcing/v1/parked` one.
    """

    answers: dict[str, tuple[int, object]] = field(default_factory=dict[str, tuple[int, object]])
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    bodies: list[str] = field(default_factory=list[str])

    def answer(self, method: str, target: str, body: str) -> tuple[int, bytes]:
        service, _, path = target.removeprefix("/").partition("/")
        self.asked.append((method, f"/{path}"))
        self.bodies.append(body)
        problem = (404, {"title": "Not found", "detail": "nothing is here"})
        path = f"/{path.partition('?')[0]}"
        status, answer = self.answers.get(f"{service}{path}") or self.answers.get(path, problem)
        return status, json.dumps(answer).encode()


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """Fake services that run, and a `.calloff` that says where."""
    fake = Services()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = fake.answer(
                self.command, self.path, self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            )
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the base class looks for this name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Tests say nothing on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv(CHOSEN_BY, str(tmp_path))
    _record(f"http://127.0.0.1:{server.server_port}", tmp_path).write(Home(tmp_path))
    Keys.of(Home(tmp_path))
    yield fake
    server.shutdown()
    thread.join()
    server.server_close()


def _record(url: str, folder: Path) -> StackRecord:
    return StackRecord(
        pid=os.getpid(),
        issuer=url,
        urls={service.name: f"{url}/{service.name}" for service in SERVICES},
        docs={},
        kafka_bootstrap="127.0.0.1:1",
        postgres_port=1,
        receivers=url,
        pids={"sourcing": 17},
        logs=folder,
        secrets=folder / "secrets.json",
    )


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def a_call_to_make() -> dict[str, object]:
    return {"what": "call to make", "package_id": PACKAGE, "stage": "tier-1", "offer_id": OFFER, "attempt": 2}


def test_the_work_list_is_a_table_for_people(services: Services) -> None:
    services.answers["/v1/work-list"] = (200, {"items": [a_call_to_make()]})
    result = run("work-list")
    assert "call to make" in result.output
    assert OFFER in result.output


@pytest.mark.parametrize("columns", [40, 80, 240])
def test_however_narrow_the_terminal_an_id_is_whole(
    services: Services, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setattr(out, "width", columns)
    services.answers["/v1/work-list"] = (200, {"items": [a_call_to_make()]})
    printed = run("work-list").output
    assert PACKAGE in printed
    assert OFFER in printed


def test_with_json_it_is_the_answer_as_it_came(services: Services) -> None:
    services.answers["/v1/work-list"] = (200, {"items": [a_call_to_make()], "new field": 1})
    assert json.loads(run("work-list", "--json").stdout) == {"items": [a_call_to_make()], "new field": 1}


def test_an_empty_list_says_so(services: Services) -> None:
    services.answers["/v1/work-list"] = (200, {"items": []})
    assert "Nothing waits for an officer" in run("work-list").output


def test_a_refusal_is_passed_on_with_every_field_and_ends_with_1(services: Services) -> None:
    wrong = {"pointer": "#/package", "detail": "is too long"}
    services.answers[f"/v1/packages/{PACKAGE}/decision"] = (422, {"detail": "look at it", "errors": [wrong]})
    result = run("decision", PACKAGE)
    assert result.exit_code == 1
    assert "422: look at it" in result.output
    assert "#/package: is too long" in result.output


def test_a_provider_is_known_by_the_number_in_its_name(services: Services) -> None:
    services.answers["/v1/offers"] = (200, {"items": []})
    assert "No offer was made yet" in run("offers", "--provider", "1", "--live").output
    assert services.asked == [("GET", "/v1/offers?live=true")]


def test_a_referral_is_shown_without_the_person(services: Services) -> None:
    referral = {"referral_id": str(uuid4()), "status": "placed", "person": {"name": "Test Person 0042"}}
    services.answers[f"/v1/referrals/{PACKAGE}"] = (200, referral)
    shown = json.loads(run("referral", "show", PACKAGE, "--json").stdout)
    assert shown["status"] == "placed"
    assert "person" not in shown


def test_what_is_parked_is_listed_for_every_service(services: Services) -> None:
    services.answers["/v1/parked"] = (200, {"items": []})
    assert json.loads(run("parked", "list", "--json").stdout) == {service.name: [] for service in SERVICES}


def test_what_is_parked_is_told_with_the_commands_that_end_it(services: Services) -> None:
    key = {
        "topic": "homecare.packages.v1",
        "key": PACKAGE,
        "because": "calloff.OfferDeclined.v1 could not be handled: ValidationError",
        "since": "2026-07-01T12:00:00Z",
        "waiting": 3,
        "event_id": EVENT,
        "event_type": "calloff.OfferDeclined.v1",
    }
    services.answers["/v1/parked"] = (200, {"items": [key]})
    told = run("parked", "list", "--service", "sourcing").stdout
    assert "sourcing, since 01 Jul 13:00:00, 3 waiting" in told
    assert f"calloff parked release homecare.packages.v1 {PACKAGE}\n" in told
    assert f"calloff parked discard {EVENT} --because" in told


def test_a_decision_is_told_in_names(services: Services) -> None:
    turn: dict[str, object] = {"provider_id": str(ALDER), "rank": 1, "outcome": "placed", "reasons": []}
    services.answers[f"/v1/packages/{PACKAGE}/decision"] = (
        200,
        {
            "status": "placed",
            "area": "E07000071",
            "placed_with": str(ALDER),
            "missing": [],
            "stages": [{"stage": "tier-1", "list_version": 1, "turns": [turn]}],
        },
    )
    told = run("decision", PACKAGE).stdout
    assert "placed in Colchester, with Alder Care 001" in told


def test_ids_are_never_cut_short_however_narrow_the_terminal(services: Services) -> None:
    services.answers["/v1/work-list"] = (200, {"items": [a_call_to_make()]})
    told = CliRunner().invoke(app, ["work-list"], env={"COLUMNS": "40"}).stdout
    assert PACKAGE in told
    assert OFFER in told


def test_a_discard_needs_a_reason_and_carries_it(services: Services) -> None:
    services.answers[f"/v1/parked/events/{EVENT}/discard"] = (200, {})
    assert run("parked", "discard", EVENT).exit_code == 2
    assert run("parked", "discard", EVENT, "--because", "TICKET-17").exit_code == 0
    assert json.loads(services.bodies[-1]) == {"because": "TICKET-17"}


def test_a_release_of_what_nobody_has_parked_says_where_to_look(services: Services) -> None:
    result = run("parked", "release", "homecare.packages.v1", "essex/E07000071/1")
    assert result.exit_code == 1
    assert "calloff parked list" in result.output
    assert services.asked[0][1] == "/v1/parked/homecare.packages.v1/essex%2FE07000071%2F1/release"


RELEASE = f"/v1/parked/homecare.packages.v1/{PACKAGE}/release"


def test_a_key_is_released_wherever_it_is_parked_and_each_service_says_what_came_of_it(services: Services) -> None:
    services.answers[f"sourcing{RELEASE}"] = (200, {"handled": 3, "still_parked": False})
    services.answers[f"pricing{RELEASE}"] = (200, {"handled": 0, "still_parked": True})
    result = run("parked", "release", "homecare.packages.v1", PACKAGE)
    assert result.stdout.splitlines() == [
        "sourcing: 3 handled; nothing waits any more.",
        "pricing: 0 handled; it is parked still: an event failed again.",
    ]
    assert result.exit_code == 0
    assert json.loads(run("parked", "release", "homecare.packages.v1", PACKAGE, "--json").stdout) == {
        "sourcing": {"handled": 3, "still_parked": False},
        "pricing": {"handled": 0, "still_parked": True},
    }


def test_a_key_is_released_at_the_one_service_that_is_named(services: Services) -> None:
    services.answers[RELEASE] = (200, {"handled": 1, "still_parked": False})
    result = run("parked", "release", "homecare.packages.v1", PACKAGE, "--service", "pricing")
    assert result.stdout == "pricing: 1 handled; nothing waits any more.\n"
    assert len(services.asked) == 1


def test_a_service_that_cannot_release_a_key_keeps_no_other_from_it(services: Services) -> None:
    services.answers[f"sourcing{RELEASE}"] = (503, {"title": "Not ready", "detail": "try again shortly"})
    services.answers[f"pricing{RELEASE}"] = (200, {"handled": 1, "still_parked": False})
    result = run("parked", "release", "homecare.packages.v1", PACKAGE)
    assert result.stdout == "pricing: 1 handled; nothing waits any more.\n"
    assert "sourcing: The service refused: 503: try again shortly" in result.stderr
    assert result.exit_code == 1


def test_status_tells_who_is_ready(services: Services) -> None:
    services.answers["/readyz"] = (200, {})
    found = json.loads(run("status", "--json").stdout)
    assert [(each["service"], each["ready"]) for each in found][1] == ("sourcing", "ready")
    assert found[1]["pid"] == 17


def test_a_token_and_an_address_are_printed_bare_for_the_shell(services: Services) -> None:
    assert run("token", "--as", f"provider:{ALDER}").stdout.count(".") == 2
    assert run("url", "sourcing").stdout.startswith("http://127.0.0.1:")


def test_without_a_stack_every_command_says_how_to_start_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CHOSEN_BY, str(tmp_path))
    result = run("status")
    assert result.exit_code == 1
    assert "make run" in result.output
