"""Competitions of a running sourcing service: the requests of invited providers and of officers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from contracts.events.orders import SpotPriceApproved
from contracts.example_words import Criteria, ScoreReasons
from contracts.framework.stages import MiniCompetition
from contracts.ids import AwardId, CriterionKey, PackageId, ProposalId
from testkit.databases import fetch_rows
from testkit.http_response import HttpResponse
from testkit.sourcing.competitions import ANSWERS, a_competition
from testkit.sourcing.definitions import a_stage
from testkit.sourcing.harness import WAIT_TIMEOUT, SourcingHarness
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.waiting import wait_until

_COMPETITIONS: Final = "SELECT competition_id FROM competitions WHERE package_id = :package ORDER BY turn DESC LIMIT 1"
_STATUSES: Final = "SELECT status FROM competitions WHERE competition_id = :competition"


@dataclass(frozen=True)
class CompetitionMarket:
    """A market whose packages providers compete for, and one of its competitions at a time."""

    market: ScenarioMarket

    @staticmethod
    async def create(
        harness: SourcingHarness, *names: str, competition: MiniCompetition | None = None
    ) -> "CompetitionMarket":
        """Publishes a framework with a competition among `names`, and then the ranked list of tier 1."""
        stages = (competition or a_competition(), a_stage())
        return CompetitionMarket(await ScenarioMarket.create(harness, *names, stages=stages))

    @property
    def harness(self) -> SourcingHarness:
        return self.market.harness

    async def open_competition(self) -> "OpenCompetition":
        """Requests a package and waits until its competition is open."""
        package = await self.market.request_package()
        return await self.wait_for_competition(package)

    async def wait_for_competition(self, package: PackageId) -> "OpenCompetition":
        async def find() -> UUID | None:
            rows = await fetch_rows(self.harness.database, _COMPETITIONS, package=package)
            return rows[0].competition_id if rows else None

        return OpenCompetition(self.market, package, await wait_until(find, within=WAIT_TIMEOUT))


@dataclass(frozen=True)
class OpenCompetition:
    """One competition. Responses of the API are read as JSON, hence Any."""

    market: ScenarioMarket
    package: PackageId
    competition_id: UUID

    @property
    def harness(self) -> SourcingHarness:
        return self.market.harness

    @property
    def officers_path(self) -> str:
        return f"/v1/packages/{self.package}/competitions/{self.competition_id}"

    async def as_provider(
        self, name: str, method: str, path: str = "", body: object = None, *, key: str | None = None
    ) -> HttpResponse:
        """Sends a request of a provider below the competition's path."""
        headers = {} if key is None else {"Idempotency-Key": key}
        full = f"/v1/competitions/{self.competition_id}{path}"
        return await self.market.request_as_provider(name, method, full, body, headers=headers)

    async def as_officer(
        self, method: str, path: str = "", body: object = None, *, officer: str = "officer-1"
    ) -> HttpResponse:
        """Sends a request of an officer below the competition's path."""
        return await self.harness.request_as_officer(method, self.officers_path + path, body, officer=officer)

    async def bid(
        self, name: str, rate: str, *, answers: Mapping[CriterionKey, str] = ANSWERS, key: str | None = None
    ) -> HttpResponse:
        body = {"rate": rate, "answers": [{"criterion": each, "text": text} for each, text in answers.items()]}
        return await self.as_provider(name, "PUT", "/bid", body, key=key)

    async def close(self) -> None:
        """Moves the clock to the close and waits until the competition is closed or over."""
        closes_at = (await self.show())["closes_at"]
        self.harness.set_clock(datetime.fromisoformat(closes_at))
        await wait_until(self._is_closed, within=WAIT_TIMEOUT)

    async def _is_closed(self) -> bool:
        (row,) = await fetch_rows(self.harness.database, _STATUSES, competition=self.competition_id)
        return row.status != "open"

    async def show(self) -> dict[str, Any]:
        """Reads the competition as officers see it."""
        response = await self.as_officer("GET")
        assert response.status == 200, response.body
        return response.body

    async def find_bid(self, name: str) -> dict[str, Any]:
        """Finds the provider's bid among those that officers see."""
        own = str(self.market.get_provider_id(name))
        return next(each for each in (await self.show())["bids"] if each["provider_id"] == own)

    async def score(
        self,
        name: str,
        criterion: CriterionKey,
        score: int,
        *,
        note: str | None = None,
        officer: str = "officer-1",
    ) -> HttpResponse:
        body = {
            "bid_id": (await self.find_bid(name))["bid_id"],
            "criterion": criterion,
            "score": score,
            "reason": ScoreReasons.FULLY_MET,
            "note": note,
        }
        return await self.as_officer("PUT", "/scores", body, officer=officer)

    async def score_all(self, scores: Mapping[str, Sequence[int]]) -> None:
        """Scores continuity and skills of each bid."""
        for name, pair in scores.items():
            for criterion, score in zip(Criteria.ALL, pair, strict=True):
                response = await self.score(name, criterion, score, note=f"a note on {name} {score}")
                assert response.status == 200, response.body

    async def award(self, name: str, *, officer: str = "officer-1", **reasons: str) -> HttpResponse:
        body = {"bid_id": (await self.find_bid(name))["bid_id"], **reasons}
        return await self.as_officer("POST", "/awards", body, officer=officer)

    async def approve(self, name: str, award_id: str, *, officer: str = "officer-2") -> None:
        """Publishes, as pricing, that a second officer approved the award."""
        bid = await self.find_bid(name)
        event = SpotPriceApproved(
            package_id=self.package,
            award_id=AwardId(UUID(award_id)),
            proposal_id=ProposalId(UUID(bid["bid_id"])),
            provider_id=self.market.get_provider_id(name),
            rate=bid["opened"]["rate"],
            officer=f"officer:{officer}",
        )
        await self.harness.pricing.publish(event, at=self.harness.now)
