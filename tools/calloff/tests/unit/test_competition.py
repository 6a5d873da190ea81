"""`calloff competition` shows invitations, sealed bids without their rates, and the ranking."""

from collections.abc import Callable
from typing import Protocol
from uuid import uuid4

from typer.testing import Result

PACKAGE, COMPETITION, ALDER, BIRCH, BID = (str(uuid4()) for _ in range(5))
PATH = f"/v1/packages/{PACKAGE}/competitions"

Run = Callable[..., Result]


class FakeServices(Protocol):
    """The fixture of conftest."""

    answers: dict[str, tuple[int, object]]

    def add_provider(self, provider_id: str, name: str) -> None: ...


def answer(services: FakeServices, ranking: list[dict[str, object]], **changed: object) -> None:
    """Alder has bid; Birch is not invited."""
    services.add_provider(ALDER, "Alder Care 001")
    services.add_provider(BIRCH, "Birch Care 014")
    bid: dict[str, object] = {"bid_id": BID, "provider_id": ALDER, "opened": None}
    usual: dict[str, object] = {
        "stage": "bids",
        "status": "open",
        "closes_at": "2026-01-12T13:00:00Z",
        "ended": None,
        "missing_scores": 0,
        "invitations": [
            {"provider_id": ALDER, "tier": "tier-1", "reasons": []},
            {"provider_id": BIRCH, "tier": "tier-1", "reasons": ["embargoed"]},
        ],
        "bids": [bid],
        "awarded": None,
    }
    services.answers[PATH] = (200, {"items": [{"competition_id": COMPETITION}]})
    services.answers[f"{PATH}/{COMPETITION}"] = (200, usual | changed)
    services.answers[f"{PATH}/{COMPETITION}/ranking"] = (200, {"items": ranking})


def test_a_sealed_bid_has_no_rate(services: FakeServices, run: Run) -> None:
    answer(services, [])
    output = " ".join(run("competition", PACKAGE).output.split())
    assert "bids, open; bids before 12 Jan 13:00" in output
    assert "Alder Care" in output
    assert "sealed" in output
    assert "embargoed" in output


def test_after_the_close_each_bid_has_its_rank_and_points(services: FakeServices, run: Run) -> None:
    ranked: dict[str, object] = {
        "bid_id": BID,
        "rank": 1,
        "quality": "62.00",
        "price": "25.00",
        "total": "87.00",
        "unsuitable": [],
    }
    opened = {"bid_id": BID, "provider_id": ALDER, "opened": {"rate": "24.10"}}
    answer(services, [ranked], status="closed", bids=[opened])
    output = run("competition", PACKAGE).output
    assert all(each in output for each in ("rank 1", "24.10", "62.00", "25.00", "87.00"))


def test_a_package_without_a_competition_is_not_found(services: FakeServices, run: Run) -> None:
    services.answers[PATH] = (200, {"items": []})
    assert run("competition", PACKAGE).exit_code == 1
