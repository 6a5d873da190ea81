"""Determines from the record alone why a provider did not get a package."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from audit.domain.evidence import Evidence
from audit.domain.names import Names, format_stage
from audit.domain.sentences import narrate
from audit.domain.verdicts import VERDICTS_BY_EVENT, Reason, RegistryRecord, Verdict, WhyNot
from audit.domain.verification import VerifiedRecord
from contracts.events.base import Event, HasProjectionVersions, HasProvider, PackageEvent
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
    provider_id: ProviderId, rows: Sequence[VerifiedRecord], registry: RegistryRecord, names: Names
) -> WhyNot:
    """Returns the verdict on the provider; `rows` contains each event of the package once."""
    case = _ProviderCase(provider_id, rows, registry, names)
    for explain in (
        case.explain_missing_proposal,
        case.explain_last_decision,
        case.explain_waiting,
        case.explain_later_tier,
    ):
        why_not = explain()
        if why_not is not None:
            return why_not
    return case.explain_absence()


def find_area(rows: Sequence[VerifiedRecord]) -> tuple[FrameworkKey, AreaCode] | None:
    """Returns the framework and area of the package; None before it is requested."""
    requested = next((event for _, event in _select(PackageRequested, rows)), None)
    return None if requested is None else (requested.care.framework, requested.care.area)


def _select(kind: type[EventT], rows: Iterable[VerifiedRecord]) -> Iterator[tuple[VerifiedRecord, EventT]]:
    return ((row, row.entry.event) for row in rows if isinstance(row.entry.event, kind))


def _find_last(kind: type[EventT], rows: Iterable[VerifiedRecord]) -> tuple[VerifiedRecord, EventT] | None:
    return next(iter([*_select(kind, rows)][-1:]), None)


class _ProviderCase:
    """Explains one provider's part in the search for one package."""

    def __init__(
        self, provider_id: ProviderId, rows: Sequence[VerifiedRecord], registry: RegistryRecord, names: Names
    ) -> None:
        self._provider_id = provider_id
        self._rows = rows
        self._registry = registry
        self._names = names
        self._name = names.find_name(provider_id)
        self._own_rows = [row for row in rows if _is_about(row.entry.event, provider_id)]
        self._decisions = [row for row in self._own_rows if type(row.entry.event) in VERDICTS_BY_EVENT]
        self._placement = self._find_current_placement()

    def explain_missing_proposal(self) -> WhyNot | None:
        """The package was listed for the provider after the last decision about it, without a proposal in return."""
        listed = _find_last(PackageListed, self._rows)
        if listed is None or not self._can_propose(listed[1], _get_time(listed[0])):
            return None
        row = listed[0]
        if self._decisions and self._rows.index(self._decisions[-1]) > self._rows.index(row):
            return None
        text = f"{self._narrate(row)}; {self._name} could have proposed from then on, and did not"
        reason = Reason(text, (Evidence.from_row(row), *self._collect_eligibility_evidence()))
        in_short = f"The package was open to {self._name}, which did not propose"
        return WhyNot(Verdict.DID_NOT_PROPOSE, in_short, (*self._collect_history(), reason, *self._explain_placement()))

    def explain_last_decision(self) -> WhyNot | None:
        """The last event of the package that decided about the provider."""
        if not self._decisions:
            return None
        last = self._decisions[-1].entry.event
        assert isinstance(last, PackageEvent), "VERDICTS_BY_EVENT contains package events only"
        verdict = VERDICTS_BY_EVENT[type(last)]
        return WhyNot(
            verdict, self._narrate(self._decisions[-1]), (*self._collect_history(), *self._explain_placement())
        )

    def explain_waiting(self) -> WhyNot | None:
        """The provider is a candidate of a stage that was entered, and was not reached."""
        stages = [
            (row, stage)
            for row, stage in _select(StageEntered, self._rows)
            if any(candidate.provider_id == self._provider_id for candidate in stage.candidates)
        ]
        if not stages:
            return None
        row, stage = stages[-1]
        rank = self._names.ranks[stage.stage, self._provider_id]
        text = f"{self._name} is rank {rank} of {format_stage(stage.stage)}, list version {stage.list_version}"
        return self._explain_not_reached(text, (Evidence.from_row(row),))

    def explain_later_tier(self) -> WhyNot | None:
        """The provider is on a list that was in force when the search began, and the search did not reach that tier."""
        for row, published in self._find_lists_in_force():
            rank = next((each.rank for each in published.ranking if each.provider_id == self._provider_id), None)
            if rank is not None:
                rank_text = f"{self._name} is rank {rank} of tier {int(published.tier)}"
                text = f"{rank_text}, list version {published.list_version}; the search did not come to that tier"
                return self._explain_not_reached(text, (Evidence.from_row(row),))
        return None

    def explain_absence(self) -> WhyNot:
        """The provider is on no list, no list has been used yet, or the provider is unknown."""
        if not self._registry.provider:
            text = f"Nothing is on record about {self._name}: no service has ever named it"
            return WhyNot(Verdict.UNKNOWN, text, ())
        used = [self._make_reason(row, _describe_stage(stage)) for row, stage in _select(StageEntered, self._rows)]
        in_force = [self._make_reason(row, _describe_list(published)) for row, published in self._find_lists_in_force()]
        if not used and not in_force:
            progress = [
                self._make_reason(row)
                for row, _ in [*_select(SourcingStarted, self._rows), *_select(SourcingHeld, self._rows)]
            ]
            return WhyNot(Verdict.NOT_YET, "No ranked list has been used for the package yet", tuple(progress))
        text = f"{self._name} is on no ranked list of the area"
        return WhyNot(Verdict.ON_NO_LIST, text, (*used, *in_force, *self._explain_closed_list()))

    def _explain_closed_list(self) -> tuple[Reason, ...]:
        listed = _find_last(PackageListed, self._rows)
        if listed is None:
            return ()
        text = f"{self._narrate(listed[0])}; {self._name} is none of them"
        return (Reason(text, (Evidence.from_row(listed[0]), *self._collect_eligibility_evidence())),)

    def _explain_not_reached(self, rank_text: str, evidence: tuple[Evidence, ...]) -> WhyNot:
        reason = Reason(rank_text, evidence)
        if self._placement is not None:
            placed = self._placement.entry.event
            assert isinstance(placed, PackagePlaced), "_find_current_placement returns PackagePlaced"
            winner = self._names.name_with_rank(placed.provider_id, placed.stage)
            text = f"{winner} was placed first; {rank_text}"
            return WhyNot(Verdict.NOT_REACHED, text, (reason, self._make_reason(self._placement)))
        end = _find_last(SourcingStopped, self._rows) or _find_last(SourcingExhausted, self._rows)
        if end is not None:
            return WhyNot(
                Verdict.NOT_REACHED, f"{self._narrate(end[0])}; {rank_text}", (reason, self._make_reason(end[0]))
            )
        return WhyNot(Verdict.NOT_YET, f"Its turn has not come: {rank_text}", (reason,))

    def _find_current_placement(self) -> VerifiedRecord | None:
        voided = {event.placement_id for _, event in _select(PlacementVoided, self._rows)}
        current = [row for row, event in _select(PackagePlaced, self._rows) if event.placement_id not in voided]
        return current[-1] if current else None

    def _find_lists_in_force(self) -> list[tuple[VerifiedRecord, RankedListPublished]]:
        """Returns, for each tier that was not entered, the list that was in force when the search began."""
        began = _find_last(SourcingStarted, self._rows)
        if began is None:
            return []
        at = _get_time(began[0])
        entered = {stage.tier for _, stage in _select(StageEntered, self._rows)}
        newest: dict[Tier, tuple[VerifiedRecord, RankedListPublished]] = {}
        for row, published in _select(RankedListPublished, self._registry.lists):
            is_known, is_live = _get_time(row) <= at, published.live_from <= to_office_date(at)
            if is_known and is_live and published.tier not in entered:
                newest[published.tier] = (row, published)
        return [newest[tier] for tier in sorted(newest)]

    def _can_propose(self, listed: PackageListed, at: datetime) -> bool:
        known = self._find_eligibility(at)
        if known is None:
            return False
        eligibility, area = known[1], (listed.framework, listed.advert.area)
        is_member = any((each.framework, each.area) == area for each in eligibility.memberships)
        return is_member or (listed.spot and listed.advert.area in eligibility.spot_areas)

    def _find_eligibility(self, at: datetime) -> tuple[VerifiedRecord, EligibilityChanged] | None:
        return _find_last(EligibilityChanged, (row for row in self._registry.provider if _get_time(row) <= at))

    def _collect_eligibility_evidence(self) -> tuple[Evidence, ...]:
        listed = _find_last(PackageListed, self._rows)
        known = None if listed is None else self._find_eligibility(_get_time(listed[0]))
        return () if known is None else (Evidence.from_row(known[0]),)

    def _explain_placement(self) -> tuple[Reason, ...]:
        """The placement, if it is with another provider."""
        if self._placement is None or self._placement in self._own_rows:
            return ()
        return (self._make_reason(self._placement),)

    def _collect_history(self) -> tuple[Reason, ...]:
        return tuple(self._make_reason(row) for row in self._own_rows)

    def _make_reason(self, row: VerifiedRecord, text: str | None = None) -> Reason:
        event = row.entry.event
        versions = event.views if isinstance(event, HasProjectionVersions) else ()
        return Reason(text or self._narrate(row), (Evidence.from_row(row),), versions)

    def _narrate(self, row: VerifiedRecord) -> str:
        assert row.entry.event is not None, "a row of a trail that is narrated has an event"
        return narrate(row.entry.event, self._names)


def _is_about(event: Event | None, provider_id: ProviderId) -> bool:
    return isinstance(event, HasProvider) and event.provider_id == provider_id


def _get_time(row: VerifiedRecord) -> datetime:
    assert row.entry.envelope is not None, "a row with an event has an envelope"
    return row.entry.envelope.time


def _describe_stage(stage: StageEntered) -> str:
    return f"{format_stage(stage.stage).capitalize()} was worked through with list version {stage.list_version}"


def _describe_list(published: RankedListPublished) -> str:
    return f"The list of tier {int(published.tier)} in force was version {published.list_version}"
