"""An officer's desk for unit tests of the rules: each act as a method on a driven search."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from contracts.example_words import OfficerReasons
from contracts.ids import ActId, AreaCode, ReasonKey, TierKey
from contracts.office_time import to_office_date
from sourcing.domain.officers.allowed_acts import Act, find_allowed_acts
from sourcing.domain.officers.commands import (
    ApproveAct,
    AssignOfficer,
    DirectOffer,
    MakeCounterOffer,
    PauseSearch,
    PlaceByHand,
    RefuseAct,
    ResourcePackage,
    ResumeSearch,
    SkipProvider,
    WithdrawAward,
)
from sourcing.domain.steps import Step
from testkit.sourcing.builders import PACKAGE, to_provider_id
from testkit.sourcing.search_driver import SearchDriver

FIRST = "officer:first"
SECOND = "officer:second"


class ActingOfficer:
    """An officer who acts on the search of `driver`; each act gives a reason of the framework's list."""

    def __init__(self, driver: SearchDriver, *, officer: str = FIRST) -> None:
        self.driver = driver
        self.officer = officer

    @property
    def second(self) -> "ActingOfficer":
        return ActingOfficer(self.driver, officer=SECOND)

    def pause(self, *, at: datetime | None = None) -> Step:
        return self.driver.handle(PauseSearch(PACKAGE, self.officer, OfficerReasons.WAITS_FOR_INFORMATION), at=at)

    def resume(self, *, at: datetime | None = None) -> Step:
        return self.driver.handle(ResumeSearch(PACKAGE, self.officer, OfficerReasons.OTHER), at=at)

    def skip(self, name: str | None = None, *, at: datetime | None = None) -> Step:
        provider = None if name is None else to_provider_id(name)
        reason = OfficerReasons.KNOWN_NOT_TO_HAVE_CAPACITY
        return self.driver.handle(SkipProvider(PACKAGE, self.officer, reason, provider), at=at)

    def direct(
        self, name: str, *, tier: TierKey | None = None, area: AreaCode | None = None, at: datetime | None = None
    ) -> Step:
        command = DirectOffer(
            PACKAGE, to_provider_id(name), self.officer, OfficerReasons.PERSONS_CHOICE, tier=tier, area=area
        )
        return self.driver.handle(command, at=at)

    def direct_and_approve(self, name: str, *, at: datetime | None = None) -> Step:
        """Has a second officer approve an offer out of order; returns the step of the approval."""
        self.direct(name, at=at)
        return self.second.approve(at=at)

    def place(
        self, name: str, rate: str, *, inadequate_reason: ReasonKey | None = None, at: datetime | None = None
    ) -> Step:
        command = PlaceByHand(
            PACKAGE,
            to_provider_id(name),
            Decimal(rate),
            self.officer,
            OfficerReasons.AGREED_BY_TELEPHONE,
            inadequate_reason,
        )
        return self.driver.handle(command, at=at)

    def approve(self, act_id: ActId | None = None, *, at: datetime | None = None) -> Step:
        return self.driver.handle(ApproveAct(PACKAGE, act_id or self.waiting_act, self.officer), at=at)

    def refuse(self, act_id: ActId | None = None, *, at: datetime | None = None) -> Step:
        return self.driver.handle(RefuseAct(PACKAGE, act_id or self.waiting_act, self.officer), at=at)

    def resource(
        self,
        stage: str | None = None,
        *,
        reason: ReasonKey = OfficerReasons.PROVIDER_GAVE_BACK,
        at: datetime | None = None,
    ) -> Step:
        return self.driver.handle(ResourcePackage(PACKAGE, self.officer, reason, stage), at=at)

    def withdraw_award(self) -> Step:
        award = self.driver.listing.award
        assert award is not None, "no award waits in this search"
        return self.driver.handle(
            WithdrawAward(PACKAGE, award.award_id, self.officer, OfficerReasons.PRICE_NOT_JUSTIFIED)
        )

    def assign(self, officer: str | None) -> Step:
        return self.driver.handle(AssignOfficer(PACKAGE, officer, self.officer))

    def counter(self, name: str, rate: str, *, valid_until: datetime, at: datetime | None = None) -> Step:
        command = MakeCounterOffer(
            PACKAGE,
            self.driver.find_proposal(name).proposal_id,
            Decimal(rate),
            valid_until,
            self.officer,
            OfficerReasons.PRICE_NOT_JUSTIFIED,
        )
        return self.driver.handle(command, at=at)

    @property
    def waiting_act(self) -> ActId:
        """The act that waits; one that no search has if none does."""
        return next((act.act_id for act in self.driver.current.acts.pending), ActId(UUID(int=0)))

    def list_acts(self) -> set[Act]:
        """Lists the acts that are possible now."""
        today = to_office_date(self.driver.at)
        return {each.act for each in find_allowed_acts(self.driver.current, today=today)}
