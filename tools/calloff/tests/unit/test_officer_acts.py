"""`calloff package`: each act is one request, and its answer says what can be done next."""

import json
from collections.abc import Callable
from typing import Protocol

import pytest
from typer.testing import Result

PACKAGE, ACT, ALDER = (f"00000000-0000-7000-8000-00000000000{number}" for number in (1, 2, 3))
REASON = ("--reason", "other")

Run = Callable[..., Result]


class FakeServices(Protocol):
    """The fixture of conftest."""

    answers: dict[str, tuple[int, object]]
    requests: list[tuple[str, str]]
    bodies: list[str]
    headers: list[dict[str, str]]

    def add_provider(self, provider_id: str, name: str) -> None: ...


def a_search(**changed: object) -> dict[str, object]:
    allowed = {
        "act": "pause",
        "method": "POST",
        "path": f"/v1/packages/{PACKAGE}/pause",
        "needs_second_officer": False,
    }
    usual: dict[str, object] = {"package_id": PACKAGE, "status": "running", "allowed_acts": [allowed]}
    return usual | changed


@pytest.mark.parametrize(
    ("arguments", "method", "path", "body"),
    [
        (["pause", PACKAGE, *REASON], "POST", "pause", {"reason": "other"}),
        (["resume", PACKAGE, *REASON], "POST", "resume", {"reason": "other"}),
        (["skip", PACKAGE, *REASON, "--provider", ALDER], "POST", "skips", {"reason": "other", "provider_id": ALDER}),
        (
            ["offer", PACKAGE, *REASON, "--provider", ALDER, "--tier", "tier-2"],
            "POST",
            "directed-offers",
            {"reason": "other", "provider_id": ALDER, "tier": "tier-2"},
        ),
        (
            ["take-up", PACKAGE, *REASON, "--provider", ALDER],
            "POST",
            "late-ticks",
            {"reason": "other", "provider_id": ALDER},
        ),
        (["override-suspension", PACKAGE, *REASON], "POST", "suspension/override", {"reason": "other"}),
        (
            ["place", PACKAGE, *REASON, "--provider", ALDER, "--rate", "25.00"],
            "POST",
            "placements",
            {"reason": "other", "provider_id": ALDER, "rate": "25.00"},
        ),
        (
            ["resource", PACKAGE, *REASON, "--stage", "tier-1"],
            "POST",
            "resource",
            {"reason": "other", "stage": "tier-1"},
        ),
        (["withdraw-award", PACKAGE, ACT, *REASON], "POST", f"awards/{ACT}/withdraw", {"reason": "other"}),
        (["assign", PACKAGE, "jo"], "PUT", "officer", {"officer": "jo"}),
        (["assign", PACKAGE], "PUT", "officer", {"officer": None}),
    ],
)
def test_an_act_is_one_request(
    services: FakeServices, run: Run, arguments: list[str], method: str, path: str, body: object
) -> None:
    target = f"/v1/packages/{PACKAGE}/{path}"
    services.answers[target] = (200, a_search())
    result = run("package", *arguments)
    assert result.exit_code == 0, result.output
    sent = services.requests.index((method, target))
    assert json.loads(services.bodies[sent]) == body


@pytest.mark.parametrize("decision", ["approve", "refuse"])
def test_a_second_officer_decides_about_an_act(services: FakeServices, run: Run, decision: str) -> None:
    services.answers[f"/v1/packages/{PACKAGE}/acts/{ACT}/{decision}"] = (200, a_search())
    assert run("package", decision, PACKAGE, ACT, "--second").exit_code == 0
    first = services.headers[0]["Authorization"]
    assert run("package", decision, PACKAGE, ACT).exit_code == 0
    assert services.headers[-1]["Authorization"] != first


def test_the_answer_is_the_search_with_what_waits_and_what_is_possible(services: FakeServices, run: Run) -> None:
    services.add_provider(ALDER, "Alder Care 001")
    waiting = {"act_id": ACT, "kind": "offer out of order", "provider_id": ALDER, "needs_second_officer": True}
    services.answers[f"/v1/packages/{PACKAGE}/search"] = (200, a_search(paused=True, waiting_acts=[waiting]))
    output = " ".join(run("package", "show", PACKAGE).output.split())
    assert f"Package {PACKAGE} is running, paused" in output
    assert f"offer out of order with Alder Care 001 waits for a second officer: act {ACT}" in output
    assert "pause" in output


def test_with_json_the_answer_is_the_services(services: FakeServices, run: Run) -> None:
    services.answers[f"/v1/packages/{PACKAGE}/search"] = (200, a_search())
    assert json.loads(run("package", "show", PACKAGE, "--json").stdout) == a_search()


def test_a_refusal_says_what_to_do(services: FakeServices, run: Run) -> None:
    detail = "the search is paused already; resume it to go on"
    services.answers[f"/v1/packages/{PACKAGE}/pause"] = (409, {"title": "This is not possible now", "detail": detail})
    result = run("package", "pause", PACKAGE, *REASON)
    assert result.exit_code == 1
    assert detail in " ".join(result.stderr.split())


def test_the_work_list_is_filtered_and_says_how_to_read_on(services: FakeServices, run: Run) -> None:
    services.answers["/v1/work-list"] = (200, {"items": [], "next": "abc"})
    output = run("work-list", "--area", "E07000071", "--officer", "jo", "--limit", "5").output
    assert "calloff work-list --cursor abc" in output
    (request,) = [target for _, target in services.requests if "work-list" in target]
    assert {"area=E07000071", "officer=jo", "limit=5"} <= set(request.partition("?")[2].split("&"))
