"""Why a provider did not get a package: answered from the record alone, for any provider."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from audit.domain.evidence import Evidence
from audit.domain.names import LONDON, Cast, stage_words
from audit.domain.sentences import tell
from audit.domain.verification import Checked
from contracts.events.base import Event, PackageEvent
from contracts.events.frameworks import RankedListPublished
from contracts.events.listings import (
    AwardAwaitsApproval,
    AwardLapsed,
    AwardRefused,
    PackageListed,
    ProposalAwarded,
    ProposalReceived,
    ProposalRefused,
)
from contracts.events.orders import SpotPriceRefused
from contracts.events.packages import (
    LateAnswerRefused,
    OfferAccepted,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferUndeliverable,
    OfferWithdrawn,
    PackagePlaced,
    PackageRequested,
    PlacementVoided,
    ProviderPassedOver,
    SourcingExhausted,
    SourcingHeld,
    SourcingStarted,
    SourcingStopped,
    StageEntered,
    ViewUse,
)
from contracts.events.providers import EligibilityChanged
from contracts.ids import AreaCode, FrameworkKey, ProviderId
from contracts.values import Tier

EventT = TypeVar("EventT", bound=Event)


class Verdict(StrEnum):
    """The answer in a word or two."""

    PLACED = "placed with it"
    OFFERED = "offered"
    PASSED_OVER = "passed over"
    PROPOSED = "proposed, not awarded"
    PROPOSAL_REFUSED = "proposal refused"
    DID_NOT_PROPOSE = "did not propose"
    NOT_REACHED = "not reached"
    NOT_YET = "not yet reached"
    ON_NO_LIST = "on no list"
    UNKNOWN = "never heard of"


@dataclass(frozen=True)
class Reason:
    """One sentence, what it rests on, and on which versions of what was known a decision was taken."""

    text: str
    evidence: tuple[Evidence, ...]
    views: tuple[ViewUse, ...] = ()


@dataclass(frozen=True)
class WhyNot:
    verdict: Verdict
    in_short: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Market:
    """What the registry had said about the provider, and about the ranked lists of the package's area."""

    provider: Sequence[Checked]
    lists: Sequence[Checked]


DECISIVE: Final[dict[type[PackageEvent], Verdict]] = {
    PackagePlaced: Verdict.PLACED,
    PlacementVoided: Verdict.PLACED,
    OfferMade: Verdict.OFFERED,
    OfferAccepted: Verdict.OFFERED,
    OfferDeclined: Verdict.OFFERED,
    OfferExpired: Verdict.OFFERED,
    OfferUndeliverable: Verdict.OFFERED,
    OfferWithdrawn: Verdict.OFFERED,
    LateAnswerRefused: Verdict.OFFERED,
    ProviderPassedOver: Verdict.PASSED_OVER,
    ProposalReceived: Verdict.PROPOSED,
    AwardAwaitsApproval: Verdict.PROPOSED,
    AwardRefused: Verdict.PROPOSED,
    AwardLapsed: Verdict.PROPOSED,
    SpotPriceRefused: Verdict.PROPOSED,
    ProposalAwarded: Verdict.PROPOSED,
    ProposalRefused: Verdict.PROPOSAL_REFUSED,
}


def why_not(provider_id: ProviderId, rows: Sequence[Checked], market: Market, cast: Cast) -> WhyNot:
    """The verdict on `provider_id` in the story of a package, each event of which is in `rows` once."""
    inquiry = _Inquiry(provider_id, rows, market, cast)
    for answer in (inquiry.did_not_propose, inquiry.had_a_turn, inquiry.waited, inquiry.stood_on_a_later_list):
        found = answer()
        if found is not None:
            return found
    return inquiry.had_no_place()


def stories_area(rows: Sequence[Checked]) -> tuple[FrameworkKey, AreaCode] | None:
    """Which framework's lists for which area a package is called off from; None before it is requested."""
    requested = next((event for _, event in _of(PackageRequested, rows)), None)
    return None if requested is None else (requested.care.framework, requested.care.area)


def _of(kind: type[EventT], rows: Iterable[Checked]) -> Iterator[tuple[Checked, EventT]]:
    return ((row, row.entry.event) for row in rows if isinstance(row.entry.event, kind))


def _last(kind: type[EventT], rows: Iterable[Checked]) -> tuple[Checked, EventT] | None:
    return next(iter([*_of(kind, rows)][-1:]), None)


class _Inquiry:
    """One provider's case."""

    def __init__(self, provider_id: ProviderId, rows: Sequence[Checked], market: Market, cast: Cast) -> None:
        self._provider_id = provider_id
        self._rows = rows
        self._market = market
        self._cast = cast
        self._name = cast.name(provider_id)
        self._own = [row for row in rows if getattr(row.entry.event, "provider_id", None) == provider_id]
        self._turns = [row for row in self._own if type(row.entry.event) in DECISIVE]
        self._placed = self._standing_placement()

    def did_not_propose(self) -> WhyNot | None:
        """The package was open to it after anything else that was decided about it, and it proposed nothing."""
        listed = _last(PackageListed, self._rows)
        if listed is None or not self._may_propose(listed[1], _clock(listed[0])):
            return None
        row = listed[0]
        if self._turns and self._rows.index(self._turns[-1]) > self._rows.index(row):
            return None
        words = f"{self._tell(row)}; {self._name} could have proposed from then on, and did not"
        open_to_it = Reason(words, (Evidence.of(row), *self._eligibility()))
        in_short = f"The package was open to {self._name}, which did not propose"
        return WhyNot(Verdict.DID_NOT_PROPOSE, in_short, (*self._history(), open_to_it, *self._who_has_it()))

    def had_a_turn(self) -> WhyNot | None:
        """What was decided last about it."""
        if not self._turns:
            return None
        last = self._turns[-1].entry.event
        assert isinstance(last, PackageEvent), "every decisive event is a package's"
        verdict = DECISIVE[type(last)]
        return WhyNot(verdict, self._tell(self._turns[-1]), (*self._history(), *self._who_has_it()))

    def waited(self) -> WhyNot | None:
        """It stood on a list that was worked through, and its turn did not come."""
        stages = [
            (row, stage)
            for row, stage in _of(StageEntered, self._rows)
            if any(each.provider_id == self._provider_id for each in stage.candidates)
        ]
        if not stages:
            return None
        row, stage = stages[-1]
        rank = self._cast.ranks[stage.stage, self._provider_id]
        standing = f"{self._name} is rank {rank} of {stage_words(stage.stage)}, list version {stage.list_version}"
        return self._not_reached(standing, (Evidence.of(row),))

    def stood_on_a_later_list(self) -> WhyNot | None:
        """Its tier's list was in force when the search began, but the search did not come to that tier."""
        for row, published in self._lists_in_force():
            rank = next((each.rank for each in published.ranking if each.provider_id == self._provider_id), None)
            if rank is not None:
                place = f"{self._name} is rank {rank} of tier {int(published.tier)}"
                standing = f"{place}, list version {published.list_version}; the search did not come to that tier"
                return self._not_reached(standing, (Evidence.of(row),))
        return None

    def had_no_place(self) -> WhyNot:
        """It is on no list; or there is no list yet; or nobody has ever heard of it."""
        if not self._market.provider:
            words = f"Nothing is on record about {self._name}: no service has ever named it"
            return WhyNot(Verdict.UNKNOWN, words, ())
        used = [self._told(row, _list_words(stage)) for row, stage in _of(StageEntered, self._rows)]
        in_force = [self._told(row, _published_words(published)) for row, published in self._lists_in_force()]
        if not used and not in_force:
            stands = [self._told(row) for row, _ in [*_of(SourcingStarted, self._rows), *_of(SourcingHeld, self._rows)]]
            return WhyNot(Verdict.NOT_YET, "No ranked list has been used for the package yet", tuple(stands))
        words = f"{self._name} is on no ranked list of the area"
        return WhyNot(Verdict.ON_NO_LIST, words, (*used, *in_force, *self._not_open_to_it()))

    def _not_open_to_it(self) -> tuple[Reason, ...]:
        listed = _last(PackageListed, self._rows)
        if listed is None:
            return ()
        words = f"{self._tell(listed[0])}; {self._name} is none of them"
        return (Reason(words, (Evidence.of(listed[0]), *self._eligibility())),)

    def _not_reached(self, standing: str, evidence: tuple[Evidence, ...]) -> WhyNot:
        place = Reason(standing, evidence)
        if self._placed is not None:
            placed = self._placed.entry.event
            assert isinstance(placed, PackagePlaced), "a standing placement is one"
            winner = self._cast.ranked(placed.provider_id, placed.stage)
            words = f"{winner} was placed first; {standing}"
            return WhyNot(Verdict.NOT_REACHED, words, (place, self._told(self._placed)))
        end = _last(SourcingStopped, self._rows) or _last(SourcingExhausted, self._rows)
        if end is not None:
            return WhyNot(Verdict.NOT_REACHED, f"{self._tell(end[0])}; {standing}", (place, self._told(end[0])))
        return WhyNot(Verdict.NOT_YET, f"Its turn has not come: {standing}", (place,))

    def _standing_placement(self) -> Checked | None:
        voided = {event.placement_id for _, event in _of(PlacementVoided, self._rows)}
        standing = [row for row, event in _of(PackagePlaced, self._rows) if event.placement_id not in voided]
        return standing[-1] if standing else None

    def _lists_in_force(self) -> list[tuple[Checked, RankedListPublished]]:
        """For each tier that the search did not come to: the list that was live when it began."""
        began = _last(SourcingStarted, self._rows)
        if began is None:
            return []
        at = _clock(began[0])
        entered = {stage.tier for _, stage in _of(StageEntered, self._rows)}
        newest: dict[Tier, tuple[Checked, RankedListPublished]] = {}
        for row, published in _of(RankedListPublished, self._market.lists):
            known, live = _clock(row) <= at, published.live_from <= at.astimezone(LONDON).date()
            if known and live and published.tier not in entered:
                newest[published.tier] = (row, published)
        return [newest[tier] for tier in sorted(newest)]

    def _may_propose(self, listed: PackageListed, at: datetime) -> bool:
        known = self._eligible_by(at)
        if known is None:
            return False
        eligibility, called_off = known[1], (listed.framework, listed.advert.area)
        member = any((each.framework, each.area) == called_off for each in eligibility.memberships)
        return member or (listed.spot and listed.advert.area in eligibility.spot_areas)

    def _eligible_by(self, at: datetime) -> tuple[Checked, EligibilityChanged] | None:
        return _last(EligibilityChanged, (row for row in self._market.provider if _clock(row) <= at))

    def _eligibility(self) -> tuple[Evidence, ...]:
        listed = _last(PackageListed, self._rows)
        known = None if listed is None else self._eligible_by(_clock(listed[0]))
        return () if known is None else (Evidence.of(known[0]),)

    def _who_has_it(self) -> tuple[Reason, ...]:
        """With whom else the package is."""
        if self._placed is None or self._placed in self._own:
            return ()
        return (self._told(self._placed),)

    def _history(self) -> tuple[Reason, ...]:
        return tuple(self._told(row) for row in self._own)

    def _told(self, row: Checked, words: str | None = None) -> Reason:
        views: tuple[ViewUse, ...] = getattr(row.entry.event, "views", ())
        return Reason(words or self._tell(row), (Evidence.of(row),), views)

    def _tell(self, row: Checked) -> str:
        assert row.entry.event is not None, "what is told can be read"
        return tell(row.entry.event, self._cast)


def _clock(row: Checked) -> datetime:
    assert row.entry.envelope is not None, "what has an event has an envelope"
    return row.entry.envelope.time


def _list_words(stage: StageEntered) -> str:
    return f"{stage_words(stage.stage).capitalize()} was worked through with list version {stage.list_version}"


def _published_words(published: RankedListPublished) -> str:
    return f"The list of tier {int(published.tier)} in force was version {published.list_version}"
