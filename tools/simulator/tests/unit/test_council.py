"""The council's system keeps at it while referral is away, and lets go of what was refused."""

from pathlib import Path
from uuid import uuid4

import pytest

from calloff.client import ApiClient, ApiResponse, Request
from devstack.errors import ServiceRefused, ServiceUnreachable
from devstack.json_lines import JsonLinesWriter
from simulator import council
from simulator.council import Council, Posted
from simulator.people import People

TAKEN = ApiResponse(201, f'{{"referral_id": "{uuid4()}", "package_id": "{uuid4()}"}}'.encode())
AWAY = ServiceUnreachable("nothing answers")
NOT_YET = ServiceRefused(503, "come again", retry_after=0.01)
NEVER = ServiceRefused(422, "not like this")


class Scripted(ApiClient):
    """A connection that answers as the test wrote it down."""

    def __init__(self, *script: ApiResponse | Exception) -> None:
        self.script = list(script)
        self.keys: list[str | None] = []

    async def send(self, request: Request) -> ApiResponse:
        self.keys.append(request.idempotency_key)
        said = self.script.pop(0)
        if isinstance(said, Exception):
            raise said
        return said


async def after(caller: ApiClient, folder: Path) -> tuple[list[Posted], int]:
    """What one referral came to: the posted ones, and how many were refused."""
    people, posted = People({"E07000071": ["CO1 1AA"]}, seed=1), list[Posted]()
    system = Council(caller, "http://referral", JsonLinesWriter[Posted](folder / "council.jsonl"), seed=1)
    await system.post_steadily(lambda: people.person(1), count=1, a_second=1000, posted=posted.append)
    return posted, system.refused


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(council, "SOON", 0.01)


async def test_a_referral_is_sent_again_under_the_same_key_until_it_is_taken_in(tmp_path: Path) -> None:
    caller = Scripted(AWAY, NOT_YET, TAKEN)
    posted, refused = await after(caller, tmp_path)
    assert (len(posted), refused) == (1, 0)
    assert len(set(caller.keys)) == 1


async def test_a_refused_referral_is_counted_and_let_go(tmp_path: Path) -> None:
    assert await after(Scripted(NEVER), tmp_path) == ([], 1)
