"""Every command that prints a table keeps to the width of the terminal."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol
from uuid import UUID, uuid4

import pytest
from typer.testing import Result

from devstack.home import Home
from devstack.telemetry.archive import TelemetryArchive
from devstack.telemetry.spans import MetricSample

WIDTHS = (80, 100, 120, 200)
PACKAGE, OFFER, PROVIDER, EVENT = (str(UUID(int=number)) for number in range(1, 5))
LONG_TEXT = (
    "not offered: the provider has declared that it has no capacity in this district, as of version 12 of its view"
)

Run = Callable[..., Result]


class FakeServices(Protocol):
    """The fixture of conftest."""

    answers: dict[str, tuple[int, object]]

    def add_provider(self, provider_id: str, name: str) -> None: ...


@pytest.fixture
def filled_services(services: FakeServices, tmp_path: Path) -> FakeServices:
    """Services that answer every command with long rows."""
    at = "2026-11-28T09:00:00Z"
    services.add_provider(PROVIDER, "Juniper Home Care and Support Services of North East Essex 014")
    services.answers |= {
        "/v1/work-list": (200, {"items": list(_list_work_items(at))}),
        "/v1/offers": (200, {"items": [_build_offer(at)] * 3}),
        f"/v1/packages/{PACKAGE}/decision": (200, _build_decision()),
        f"/v1/referrals/{PACKAGE}": (
            200,
            {"reference": "TEST-1", "status": "sourcing", "package_id": PACKAGE, "history": _build_history(at)},
        ),
        f"/v1/packages/{PACKAGE}/trail": (200, _build_trail()),
        f"/v1/packages/{PACKAGE}/why-not/{PROVIDER}": (200, _build_why_not(at)),
        "/v1/verification": (200, _build_verification()),
        "/readyz": (503, {"title": "Not ready", "detail": LONG_TEXT}),
    }
    archive = TelemetryArchive(Home(tmp_path).telemetry_file)
    labels = (("topic", "homecare.packages.v1"), ("outcome", "handled by the third attempt"))
    archive.store_samples([MetricSample("provider-registry", "calloff_time_to_place_seconds_in_all", labels, 90.0, 3)])
    archive.close()
    return services


def _list_work_items(at: str) -> Iterator[dict[str, object]]:
    do = "telephone the provider, then record the call and its answer"
    common = {"package_id": PACKAGE, "since": at}
    yield {"what": "call to make", "do": do, "offer_id": OFFER, "provider_id": PROVIDER, "attempt": 2, **common}
    yield {"what": "held", "do": "publish what is missing", "missing": [f"eligibility/{uuid4()}"] * 3, **common}


def _build_offer(at: str) -> dict[str, object]:
    return {
        "offer_id": OFFER,
        "package_id": PACKAGE,
        "status": "live",
        "channel": "webhook",
        "weekly_hours": "10.50",
        "answer_by": at,
    }


def _build_decision() -> dict[str, object]:
    reasons = ["rating below the minimum", "no capacity", "embargoed"]
    turns = [
        {"provider_id": PROVIDER, "rank": rank, "outcome": "passed over", "reasons": reasons} for rank in range(1, 4)
    ]
    waiting: list[dict[str, object]] = [
        {"provider_id": PROVIDER, "rank": 4, "outcome": "not asked yet", "reasons": []}
    ] * 6
    return {
        "status": "running",
        "area": "E07000071",
        "placed_with": None,
        "missing": [],
        "stages": [{"stage": "tier-1", "lists": [{"tier": "tier-1", "list_version": 1}], "turns": [*turns, *waiting]}],
        "next_step": {"text": "offer to the provider with rank 4 now", "provider_id": PROVIDER, "rank": 4},
    }


def _build_history(at: str) -> list[dict[str, object]]:
    entry: dict[str, object] = {"what": "offer made", "at": at, "stage": "tier-1", "provider_id": PROVIDER}
    return [{**entry, "reason": "the provider cannot take the visits at the times that were asked for"}] * 3


def _build_trail() -> dict[str, object]:
    line = {"line": 1, "local": "Sat 28 Nov 2026 09:00:00", "what": LONG_TEXT, "who": "sourcing, by its own timer"}
    return {"verified": True, "lines": [{**line, "why": {"words": LONG_TEXT}, "verified": True}] * 4}


def _build_why_not(at: str) -> dict[str, object]:
    evidence = [{"event_id": EVENT, "type": "calloff.ProviderPassedOver.v1", "at": at}] * 2
    return {
        "verdict": "passed over",
        "in_short": LONG_TEXT,
        "reasons": [{"text": LONG_TEXT, "evidence": evidence}],
    }


def _build_verification() -> dict[str, object]:
    fault = {"kind": "hash", "topic": "homecare.packages.v1", "partition": 11, "offset": 123456, "event_id": EVENT}
    return {"verified": False, "records": 10, "streams": 2, "found": 1, "faults": [fault], "next": None}


@pytest.mark.parametrize("width", WIDTHS, indirect=True)
@pytest.mark.parametrize(
    "command",
    [
        "work-list",
        f"offers --provider {PROVIDER}",
        f"decision {PACKAGE}",
        f"referral show {PACKAGE}",
        f"trail {PACKAGE}",
        f"why-not {PACKAGE} {PROVIDER}",
        "verify",
        "status",
        "metrics",
    ],
    ids=lambda command: command.split()[0],
)
def test_no_line_of_a_table_is_wider_than_the_terminal(
    filled_services: FakeServices, run: Run, width: int, command: str
) -> None:
    output = run(*command.split()).output
    assert len(output.splitlines()) > 3, output
    assert max(map(len, output.splitlines())) <= width, output


@pytest.mark.parametrize("width", [60], indirect=True)
def test_rows_that_do_not_fit_beside_each_other_are_printed_as_lists(
    filled_services: FakeServices, run: Run, width: int
) -> None:
    lines = run("offers", "--provider", PROVIDER).output.splitlines()
    assert lines[0] == f"offer         {OFFER}"
    assert lines[1] == f"package       {PACKAGE}"


@pytest.mark.parametrize("width", WIDTHS, indirect=True)
def test_text_with_square_brackets_is_printed_as_it_is(filled_services: FakeServices, run: Run, width: int) -> None:
    trail = {"line": 1, "local": "now", "what": "[bold]what[/bold]", "who": "x", "why": {"words": ""}, "verified": True}
    filled_services.answers[f"/v1/packages/{PACKAGE}/trail"] = (200, {"verified": True, "lines": [trail]})
    assert "[bold]what[/bold]" in run("trail", PACKAGE).output
