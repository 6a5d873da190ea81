"""What the commands print: a table or text for people, with --json the service's own answer, and errors."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest
from typer.testing import Result

from devstack.config import SERVICES
from devstack.home import HOME_VARIABLE

PACKAGE, OFFER, EVENT = str(uuid4()), str(uuid4()), str(uuid4())
ALDER, BIRCH, CEDAR = str(uuid4()), str(uuid4()), str(uuid4())
DECISION = f"/v1/packages/{PACKAGE}/decision"

Run = Callable[..., Result]


class FakeServices(Protocol):
    """The fixture of conftest."""

    answers: dict[str, tuple[int, object]]
    requests: list[tuple[str, str]]
    bodies: list[str]

    def add_provider(self, provider_id: str, name: str) -> None: ...


def a_call_to_make() -> dict[str, object]:
    return {
        "what": "call to make",
        "do": "telephone the provider, then record the call and its answer",
        "package_id": PACKAGE,
        "since": "2026-11-28T09:00:00Z",
        "stage": "tier-1",
        "offer_id": OFFER,
        "provider_id": BIRCH,
        "attempt": 2,
    }


def a_turn(provider_id: str, rank: int, outcome: str) -> dict[str, object]:
    return {"provider_id": provider_id, "rank": rank, "outcome": outcome, "reasons": []}


def a_decision(**changed: object) -> dict[str, object]:
    stage = {
        "stage": "tier-1",
        "lists": [{"tier": "tier-1", "list_version": 1}],
        "turns": [a_turn(ALDER, 1, "declined")],
    }
    usual: dict[str, object] = {
        "status": "running",
        "area": "E07000071",
        "placed_with": None,
        "missing": [],
        "stages": [stage],
    }
    return usual | changed


def a_step(text: str, provider_id: str | None = None, rank: int | None = None) -> dict[str, object]:
    return {"kind": "any", "text": text, "provider_id": provider_id, "rank": rank}


def test_the_work_list_names_the_provider_to_call(services: FakeServices, run: Run) -> None:
    services.add_provider(BIRCH, "Birch Care 014")
    services.answers["/v1/work-list"] = (200, {"items": [a_call_to_make()]})
    output = " ".join(run("work-list").output.split())
    assert "telephone Birch Care 014, then record the call and its answer (call 2)" in output
    assert OFFER in output


@pytest.mark.parametrize("width", [40, 80, 240], indirect=True)
def test_ids_are_printed_whole_at_any_width(services: FakeServices, run: Run, width: int) -> None:
    services.answers["/v1/work-list"] = (200, {"items": [a_call_to_make()]})
    output = run("work-list").output
    assert PACKAGE in output
    assert OFFER in output
    assert max(map(len, output.splitlines())) <= width


def test_json_is_the_answer_of_the_service(services: FakeServices, run: Run) -> None:
    services.answers["/v1/work-list"] = (200, {"items": [a_call_to_make()], "new field": 1})
    assert json.loads(run("work-list", "--json").stdout) == {"items": [a_call_to_make()], "new field": 1}


def test_an_empty_list_is_a_sentence(services: FakeServices, run: Run) -> None:
    services.answers["/v1/work-list"] = (200, {"items": []})
    assert "Nothing waits for an officer" in run("work-list").output


def test_a_refusal_is_printed_with_every_field_and_exit_status_1(services: FakeServices, run: Run) -> None:
    wrong = {"pointer": "#/package", "detail": "is too long"}
    services.answers[DECISION] = (422, {"detail": "look at it", "errors": [wrong]})
    result = run("decision", PACKAGE)
    assert result.exit_code == 1
    assert "422: look at it" in result.output
    assert "#/package: is too long" in result.output


@pytest.mark.parametrize("text", ["1", "alder care 001", ALDER], ids=["number", "name", "id"])
def test_a_provider_is_found_by_number_name_or_id(services: FakeServices, run: Run, text: str) -> None:
    found = [{"provider_id": ALDER, "name": "Alder Care 001"}, {"provider_id": BIRCH, "name": "Birch Care 014"}]
    services.answers["/v1/providers"] = (200, {"items": found, "next": None})
    services.answers["/v1/offers"] = (200, {"items": []})
    assert "No offer has been made" in run("offers", "--provider", text, "--live").output
    assert services.requests[-1] == ("GET", "/v1/offers?live=true")


def test_an_unknown_provider_is_an_error(services: FakeServices, run: Run) -> None:
    services.answers["/v1/providers"] = (200, {"items": [], "next": None})
    result = run("offers", "--provider", "17")
    assert result.exit_code == 1
    assert "the registry has no provider 17" in result.output


def test_a_referral_is_shown_without_the_person(services: FakeServices, run: Run) -> None:
    referral = {"referral_id": str(uuid4()), "status": "placed", "person": {"name": "Test Person 0042"}}
    services.answers[f"/v1/referrals/{PACKAGE}"] = (200, referral)
    shown = json.loads(run("referral", "show", PACKAGE, "--json").stdout)
    assert shown["status"] == "placed"
    assert "person" not in shown


def test_a_referral_is_shown_with_the_next_step_and_its_history(services: FakeServices, run: Run) -> None:
    services.add_provider(ALDER, "Alder Care 001")
    entry = {"what": "offer made", "at": "2026-11-27T09:00:00Z", "stage": "tier-1", "provider_id": ALDER}
    services.answers[f"/v1/referrals/{PACKAGE}"] = (
        200,
        {"reference": "TEST-1", "status": "sourcing", "package_id": PACKAGE, "history": [entry]},
    )
    services.answers[DECISION] = (200, a_decision(next_step=a_step("answer due by 10:12", ALDER, 1)))
    output = run("referral", "show", PACKAGE).output
    assert "next step: answer due by 10:12 (Alder Care 001)" in output
    assert "27 Nov 09:00:00" in output


def test_a_referral_that_sourcing_does_not_know_yet_is_shown_without_a_next_step(
    services: FakeServices, run: Run
) -> None:
    referral: dict[str, object] = {
        "reference": "TEST-1",
        "status": "requested",
        "package_id": PACKAGE,
        "history": [],
    }
    services.answers[f"/v1/referrals/{PACKAGE}"] = (200, referral)
    result = run("referral", "show", PACKAGE)
    assert result.exit_code == 0
    assert "next step" not in result.output


def test_the_parked_keys_of_every_service_are_listed(services: FakeServices, run: Run) -> None:
    services.answers["/v1/parked"] = (200, {"items": []})
    assert json.loads(run("parked", "list", "--json").stdout) == {service.name: [] for service in SERVICES}


def test_a_parked_key_is_listed_with_the_commands_that_release_and_discard_it(services: FakeServices, run: Run) -> None:
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
    output = run("parked", "list", "--service", "sourcing").stdout
    assert "sourcing, since 01 Jul 13:00:00, 3 waiting" in output
    assert f"calloff parked release homecare.packages.v1 {PACKAGE}\n" in output
    assert f"calloff parked discard {EVENT} --because" in output


def test_a_decision_names_the_provider_that_has_the_package(services: FakeServices, run: Run) -> None:
    services.add_provider(ALDER, "Alder Care 001")
    services.answers[DECISION] = (200, a_decision(status="placed", placed_with=ALDER))
    assert "placed in Colchester, with Alder Care 001" in run("decision", PACKAGE).stdout


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (
            a_step("offer to the provider with rank 2 on Mon 30 Nov 08:30, when brokerage opens", BIRCH, 2),
            "next step: offer to Birch Care 014 on Mon 30 Nov 08:30, when brokerage opens",
        ),
        (
            a_step("waits for an officer: telephone the provider (call 1)", BIRCH, 2),
            "next step: waits for an officer: telephone Birch Care 014 (call 1)",
        ),
        (a_step("answer due by 10:12", BIRCH, 2), "next step: answer due by 10:12 (Birch Care 014)"),
        (a_step("nothing: the package is placed", BIRCH, 2), "next step: none; the package is placed\n"),
        (a_step("open to proposals until placed"), "next step: open to proposals until placed"),
    ],
)
def test_a_decision_shows_what_happens_next(
    services: FakeServices, run: Run, step: dict[str, object], sentence: str
) -> None:
    services.add_provider(BIRCH, "Birch Care 014")
    services.answers[DECISION] = (200, a_decision(next_step=step))
    assert sentence in run("decision", PACKAGE).stdout


def test_providers_without_a_turn_are_listed_in_one_line(services: FakeServices, run: Run) -> None:
    services.add_provider(BIRCH, "Birch Care 014")
    services.add_provider(CEDAR, "Cedar Care 003")
    turns = [a_turn(ALDER, 1, "declined"), a_turn(BIRCH, 2, "not asked yet"), a_turn(CEDAR, 3, "not asked yet")]
    stage = {"stage": "tier-1", "lists": [{"tier": "tier-1", "list_version": 1}], "turns": turns}
    services.answers[DECISION] = (200, a_decision(stages=[stage]))
    output = run("decision", PACKAGE).stdout
    assert "not asked yet: Birch Care 014, Cedar Care 003" in output
    assert output.count("not asked yet") == 1


def test_a_provider_that_the_registry_does_not_know_is_shown_by_id(services: FakeServices, run: Run) -> None:
    services.answers[DECISION] = (200, a_decision(placed_with=ALDER))
    assert ALDER in run("decision", PACKAGE).stdout


def test_a_discard_requires_a_reason_and_sends_it(services: FakeServices, run: Run) -> None:
    services.answers[f"/v1/parked/events/{EVENT}/discard"] = (200, {})
    assert run("parked", "discard", EVENT).exit_code == 2
    assert run("parked", "discard", EVENT, "--because", "TICKET-17").exit_code == 0
    assert json.loads(services.bodies[-1]) == {"because": "TICKET-17"}


def test_the_release_of_a_key_that_no_service_has_parked_names_the_command_that_lists_keys(
    services: FakeServices, run: Run
) -> None:
    result = run("parked", "release", "homecare.packages.v1", "essex/home-care/E07000071/tier-1")
    assert result.exit_code == 1
    assert "calloff parked list" in result.output
    assert services.requests[0][1] == "/v1/parked/homecare.packages.v1/essex%2Fhome-care%2FE07000071%2Ftier-1/release"


RELEASE = f"/v1/parked/homecare.packages.v1/{PACKAGE}/release"


def test_a_key_is_released_at_every_service_that_has_parked_it(services: FakeServices, run: Run) -> None:
    services.answers[f"sourcing{RELEASE}"] = (200, {"handled": 3, "still_parked": False})
    services.answers[f"pricing{RELEASE}"] = (200, {"handled": 0, "still_parked": True})
    result = run("parked", "release", "homecare.packages.v1", PACKAGE)
    assert result.stdout.splitlines() == [
        "sourcing: 3 handled; no event waits any more.",
        "pricing: 0 handled; the key is still parked: an event failed again.",
    ]
    assert result.exit_code == 0
    assert json.loads(run("parked", "release", "homecare.packages.v1", PACKAGE, "--json").stdout) == {
        "sourcing": {"handled": 3, "still_parked": False},
        "pricing": {"handled": 0, "still_parked": True},
    }


def test_a_key_is_released_at_the_service_that_is_named(services: FakeServices, run: Run) -> None:
    services.answers[RELEASE] = (200, {"handled": 1, "still_parked": False})
    result = run("parked", "release", "homecare.packages.v1", PACKAGE, "--service", "pricing")
    assert result.stdout == "pricing: 1 handled; no event waits any more.\n"
    assert len(services.requests) == 1


def test_a_service_that_cannot_release_a_key_does_not_stop_the_others(services: FakeServices, run: Run) -> None:
    services.answers[f"sourcing{RELEASE}"] = (503, {"title": "Not ready", "detail": "try again shortly"})
    services.answers[f"pricing{RELEASE}"] = (200, {"handled": 1, "still_parked": False})
    result = run("parked", "release", "homecare.packages.v1", PACKAGE)
    assert result.stdout == "pricing: 1 handled; no event waits any more.\n"
    assert "sourcing:" in result.stderr
    assert "503: try again shortly" in result.stderr
    assert result.exit_code == 1


def test_the_status_shows_which_services_are_ready(services: FakeServices, run: Run) -> None:
    services.answers["/readyz"] = (200, {})
    found = json.loads(run("status", "--json").stdout)
    assert [(status["service"], status["ready"]) for status in found][1] == ("sourcing", "ready")
    assert found[1]["pid"] == 17


def test_a_token_and_an_address_are_printed_bare_for_the_shell(services: FakeServices, run: Run) -> None:
    assert run("token", "--as", f"provider:{ALDER}").stdout.count(".") == 2
    assert run("url", "sourcing").stdout.startswith("http://127.0.0.1:")


def test_without_a_stack_a_command_says_how_to_start_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    result = run("status")
    assert result.exit_code == 1
    assert "make run" in result.output
