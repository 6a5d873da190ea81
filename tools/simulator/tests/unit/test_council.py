"""The council's system retries while referral is unreachable and does not retry a refusal."""

from pathlib import Path
from uuid import uuid4

import pytest

from calloff.client import ApiClient, ApiResponse, Request
from devstack.errors import ServiceRefused, ServiceUnreachable
from devstack.json_lines import JsonLinesWriter
from simulator import council
from simulator.council import Council, PostedReferral
from simulator.person_factory import PersonFactory

ACCEPTED = ApiResponse(201, f'{{"referral_id": "{uuid4()}", "package_id": "{uuid4()}"}}'.encode())
UNREACHABLE = ServiceUnreachable("nothing answers")
RETRY_LATER = ServiceRefused(503, "come again", retry_after=0.01)
REFUSED = ServiceRefused(422, "not like this")


class ScriptedClient(ApiClient):
    """A client that answers from a script."""

    def __init__(self, *script: ApiResponse | Exception) -> None:
        self.script = list(script)
        self.keys: list[str | None] = []

    async def send(self, request: Request) -> ApiResponse:
        self.keys.append(request.idempotency_key)
        item = self.script.pop(0)
        if isinstance(item, Exception):
            raise item
        return item


async def post_one_referral(caller: ApiClient, folder: Path) -> tuple[list[PostedReferral], int]:
    """Post one referral; return the accepted ones and the number of refused ones."""
    people, posted = PersonFactory({"E07000071": ["CO1 1AA"]}, seed=1), list[PostedReferral]()
    system = Council(caller, "http://referral", JsonLinesWriter[PostedReferral](folder / "council.jsonl"), seed=1)
    await system.post_steadily(lambda: people.create_person(1), count=1, per_second=1000, on_posted=posted.append)
    return posted, system.refused


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(council, "RETRY_DELAY", 0.01)


async def test_a_referral_is_posted_again_with_the_same_idempotency_key_until_it_is_accepted(tmp_path: Path) -> None:
    caller = ScriptedClient(UNREACHABLE, RETRY_LATER, ACCEPTED)
    posted, refused = await post_one_referral(caller, tmp_path)
    assert (len(posted), refused) == (1, 0)
    assert len(set(caller.keys)) == 1


async def test_a_refused_referral_is_counted_and_not_posted_again(tmp_path: Path) -> None:
    assert await post_one_referral(ScriptedClient(REFUSED), tmp_path) == ([], 1)
