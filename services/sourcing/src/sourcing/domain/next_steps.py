"""A package's next step as a value: what is due or awaited, and whether an officer has to act."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from contracts.ids import AwardId, OfferId, ProposalId, ProviderId


class NextStepKind(StrEnum):
    """The kind of a next step."""

    OFFER_DUE = "offer due"
    STAGE_DUE = "stage due"
    DELIVERY_AWAITED = "delivery awaited"
    REDIRECT_DUE = "redirect due"
    ANSWER_DUE = "answer due"
    AWARD_DUE = "award due"
    CALL_NEEDED = "call needed"
    DATA_MISSING = "data missing"
    BIDS_DUE = "bids due"
    SCORES_NEEDED = "scores needed"
    LIST_AWAITED = "list awaited"
    ON_BATCHING_LIST = "on batching list"
    ON_OPEN_LIST = "on open list"
    OPEN_TOO_LONG = "open too long"
    AWARD_NEEDED = "award needed"
    APPROVAL_NEEDED = "approval needed"
    PLACED = "placed"
    WITHDRAWN = "withdrawn"
    EXHAUSTED = "exhausted"
    PAUSED = "paused"


WAITS_FOR_OFFICER: Final = frozenset(
    {
        NextStepKind.CALL_NEEDED,
        NextStepKind.DATA_MISSING,
        NextStepKind.OPEN_TOO_LONG,
        NextStepKind.AWARD_NEEDED,
        NextStepKind.APPROVAL_NEEDED,
        NextStepKind.SCORES_NEEDED,
        NextStepKind.EXHAUSTED,
        NextStepKind.PAUSED,
    }
)


@dataclass(frozen=True)
class NextStep:
    """A step that is due or awaited; `at` is None where no instant is known, `text` describes it.

    `waits_for_opening` is True where the step is held back until brokerage opens.
    """

    kind: NextStepKind
    text: str
    at: datetime | None = None
    waits_for_opening: bool = False
    stage: str | None = None
    provider_id: ProviderId | None = None
    rank: int | None = None
    offer_id: OfferId | None = None
    award_id: AwardId | None = None
    proposal_id: ProposalId | None = None
    missing: tuple[str, ...] = ()

    @property
    def waits_for_officer(self) -> bool:
        return self.kind in WAITS_FOR_OFFICER
