"""Why a provider did not get a package: answered from the record alone, for any provider."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from audit.domain.evidence import Evidence
from audit.domain.names import Names, format_stage
from audit.domain.sentences import narrate
from audit.domain.verdicts import DECISIVE, Reason, RegistryRecord, Verdict, WhyNot
from audit.domain.verification import VerifiedRecord
from contracts.events.base import Event, HasProvider, HasViews, PackageEvent
from contracts.events.frameworks import RankedListPublished
from contracts.events.listings import (
    PackageListed,
)
from contracts.events.packages import (
    PackagePlaced,
    PackageRequested,
    PlacementVoided,
    SourcingExhausted,
    SourcingHeld,
    SourcingStarted,
    SourcingStopped,
    StageEntered,
)
from contracts.events.providers import EligibilityChanged
from contracts.ids import AreaCode, FrameworkKey, ProviderId
from contracts.office_time import to_office_date
from contracts.values import Tier

EventT = TypeVar("EventT", bound=Event)


def find_verdict(
    provider_id: ProviderId, rows: Sequence[VerifiedRecord], market: RegistryRecord, names: Names
) -> WhyNot:
    """The verdict on `provider_id` in the story of a package, each event of which is in `rows` once."""
    inquiry = _Inquiry(provider_id, rows, market, names)
    for answer in (
        inquiry.explain_missing_proposal,
        inquiry.explain_last_decision,
        inquiry.explain_waiting,
        inquiry.explain_later_tier,
    ):
        found = answer()
        if found is not None:
            return found
    return inquiry.explain_absence()


def find_area(rows: Sequence[VerifiedRecord]) -> tuple[FrameworkKey, AreaCode] | None:
    """Which framework's lists for which area a package is called off from; None before it is requested."""
    requested = next((event for _, event in _select(PackageRequested, rows)), None)
    return None if requested is None else (requested.care.framework, requested.care.area)


def _select(kind: type[EventT], rows: Iterable[VerifiedRecord]) -> Iterator[tuple[VerifiedRecord, EventT]]:
    return ((row, row.entry.event) for row in rows if isinstance(row.entry.event, kind))


def _find_last(kind: type[EventT], rows: Iterable[VerifiedRecord]) -> tuple[VerifiedRecord, EventT] | None:
    return next(iter([*_select(kind, rows)][-1:]), None)


class _Inquiry:
    """One provider's case."""

    def __init__(
        self, provider_id: ProviderId, rows: Sequence[VerifiedRecord], market: RegistryRecord, names: Names
    ) -> None:
        self._provider_id = provider_id
        self._rows = rows
        self._registry = market
        self._names = names
        self._name = names.find(provider_id)
        self._own = [row for row in rows if _is_about(row.entry.event, provider_id)]
        self._turns = [row for row in self._own if type(row.entry.event) in DECISIVE]
        self._placed = self._find_current_placement()

    def explain_missing_proposal(self) -> WhyNot | None:
        """The package was open to it after anything else that was decided about it, and it proposed nothing."""
        listed = _find_last(PackageListed, self._rows)
        if listed is None or not self._can_propose(listed[1], _get_time(listed[0])):
            return None
        row = listed[0]
        if self._turns and self._rows.index(self._turns[-1]) > self._rows.index(row):
            return None
        words = f"{self._narrate(row)}; {self._name} could have proposed from then on, and did not"
        open_to_it = Reason(words, (Evidence.from_row(row), *self._collect_eligibility_evidence()))
        in_short = f"The package was open to {self._name}, which did not propose"
        return WhyNot(
            Verdict.DID_NOT_PROPOSE, in_short, (*self._collect_history(), open_to_it, *self._explain_placement())
        )

    def explain_last_decision(self) -> WhyNot | None:
        """What was decided last about it."""
        if not self._turns:
            return None
        last = self._turns[-1].entry.event
        assert isinstance(last, PackageEvent), "every decisive event is a package's"
        verdict = DECISIVE[type(last)]
        return WhyNot(verdict, self._narrate(self._turns[-1]), (*self._collect_history(), *self._explain_placement()))

    def explain_waiting(self) -> WhyNot | None:
        """It stood on a list that was worked through, and its turn did not come."""
        stages = [
            (row, stage)
            for row, stage in _select(StageEntered, self._rows)
            if any(each.provider_id == self._provider_id for each in stage.candidates)
        ]
        if not stages:
            return None
        row, stage = stages[-1]
        rank = self._names.ranks[stage.stage, self._provider_id]
        standing = f"{self._name} is rank {rank} of {format_stage(stage.stage)}, list version {stage.list_version}"
        return self._explain_not_reached(standing, (Evidence.from_row(row),))

    def explain_later_tier(self) -> WhyNot | None:
        """Its tier's list was in force when the search began, but the search did not come to that tier."""
        for row, published in self._find_lists_in_force():
            rank = next((each.rank for each in published.ranking if each.provider_id == self._provider_id), None)
            if rank is not None:
                place = f"{self._name} is rank {rank} of tier {int(published.tier)}"
                standing = f"{place}, list version {published.list_version}; the search did not come to that tier"
                return self._explain_not_reached(standing, (Evidence.from_row(row),))
        return None

    def explain_absence(self) -> WhyNot:
        """It is on no list; or there is no list yet; or nobody has ever heard of it."""
        if not self._registry.provider:
            words = f"Nothing is on record about {self._name}: no service has ever named it"
            return WhyNot(Verdict.UNKNOWN, words, ())
        used = [self._make_reason(row, _describe_stage(stage)) for row, stage in _select(StageEntered, self._rows)]
        in_force = [self._make_reason(row, _describe_list(published)) for row, published in self._find_lists_in_force()]
        if not used and not in_force:
            stands = [
                self._make_reason(row)
                for row, _ in [*_select(SourcingStarted, self._rows), *_select(SourcingHeld, self._rows)]
            ]
            return WhyNot(Verdict.NOT_YET, "No ranked list has been used for the package yet", tuple(stands))
        words = f"{self._name} is on no ranked list of the area"
        return WhyNot(Verdict.ON_NO_LIST, words, (*used, *in_force, *self._explain_closed_list()))

    def _explain_closed_list(self) -> tuple[Reason, ...]:
        listed = _find_last(PackageListed, self._rows)
        if listed is None:
            return ()
        words = f"{self._narrate(listed[0])}; {self._name} is none of them"
        return (Reason(words, (Evidence.from_row(listed[0]), *self._collect_eligibility_evidence())),)

    def _explain_not_reached(self, standing: str, evidence: tuple[Evidence, ...]) -> WhyNot:
        place = Reason(standing, evidence)
        if self._placed is not None:
            placed = self._placed.entry.event
            assert isinstance(placed, PackagePlaced), "a standing placement is one"
            winner = self._names.name_with_rank(placed.provider_id, placed.stage)
            words = f"{winner} was placed first; {standing}"
            return WhyNot(Verdict.NOT_REACHED, words, (place, self._make_reason(self._placed)))
        end = _find_last(SourcingStopped, self._rows) or _find_last(SourcingExhausted, self._rows)
        if end is not None:
            return WhyNot(
                Verdict.NOT_REACHED, f"{self._narrate(end[0])}; {standing}", (place, self._make_reason(end[0]))
            )
        return WhyNot(Verdict.NOT_YET, f"Its turn has not come: {standing}", (place,))

    def _find_current_placement(self) -> VerifiedRecord | None:
        voided = {event.placement_id for _, event in _select(PlacementVoided, self._rows)}
        standing = [row for row, event in _select(PackagePlaced, self._rows) if event.placement_id not in voided]
        return standing[-1] if standing else None

    def _find_lists_in_force(self) -> list[tuple[VerifiedRecord, RankedListPublished]]:
        """For each tier that the search did not come to: the list that was live when it began."""
        began = _find_last(SourcingStarted, self._rows)
        if began is None:
            return []
        at = _get_time(began[0])
        entered = {stage.tier for _, stage in _select(StageEntered, self._rows)}
        newest: dict[Tier, tuple[VerifiedRecord, RankedListPublished]] = {}
        for row, published in _select(RankedListPublished, self._registry.lists):
            known, live = _get_time(row) <= at, published.live_from <= to_office_date(at)
            if known and live and published.tier not in entered:
                newest[published.tier] = (row, published)
        return [newest[tier] for tier in sorted(newest)]

    def _can_propose(self, listed: PackageListed, at: datetime) -> bool:
        known = self._find_eligibility(at)
        if known is None:
            return False
        eligibility, called_off = known[1], (listed.framework, listed.advert.area)
        member = any((each.framework, each.area) == called_off for each in eligibility.memberships)
        return member or (listed.spot and listed.advert.area in eligibility.spot_areas)

    def _find_eligibility(self, at: datetime) -> tuple[VerifiedRecord, EligibilityChanged] | None:
        return _find_last(EligibilityChanged, (row for row in self._registry.provider if _get_time(row) <= at))

    def _collect_eligibility_evidence(self) -> tuple[Evidence, ...]:
        listed = _find_last(PackageListed, self._rows)
        known = None if listed is None else self._find_eligibility(_get_time(listed[0]))
        return () if known is None else (Evidence.from_row(known[0]),)

    def _explain_placement(self) -> tuple[Reason, ...]:
        """With whom else the package is."""
        if self._placed is None or self._placed in self._own:
            return ()
        return (self._make_reason(self._placed),)

    def _collect_history(self) -> tuple[Reason, ...]:
        return tuple(self._make_reason(row) for row in self._own)

    def _make_reason(self, row: VerifiedRecord, words: str | None = None) -> Reason:
        event = row.entry.event
        views = event.views if isinstance(event, HasViews) else ()
        return Reason(words or self._narrate(row), (Evidence.from_row(row),), views)

    def _narrate(self, row: VerifiedRecord) -> str:
        assert row.entry.event is not None, "what is told can be read"
        return narrate(row.entry.event, self._names)


def _is_about(event: Event | None, provider_id: ProviderId) -> bool:
    return isinstance(event, HasProvider) and event.provider_id == provider_id


def _get_time(row: VerifiedRecord) -> datetime:
    assert row.entry.envelope is not None, "what has an event has an envelope"
    return row.entry.envelope.time


def _describe_stage(stage: StageEntered) -> str:
    return f"{format_stage(stage.stage).capitalize()} was worked through with list version {stage.list_version}"


def _describe_list(published: RankedListPublished) -> str:
    return f"The list of tier {int(published.tier)} in force was version {published.list_version}"
