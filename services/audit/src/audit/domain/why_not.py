"""Determines from the record alone why a provider did not get a package."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from audit.domain.evidence import Evidence
from audit.domain.lists_in_force import (
    find_care,
    find_eligibility,
    find_lists_in_force,
    find_place_in_other_tier,
    get_time,
)
from audit.domain.names import Names, format_stage, format_word
from audit.domain.sentences import narrate
from audit.domain.turns import describe_stage_order, describe_turn, describe_turn_among_acceptances
from audit.domain.verdicts import VERDICTS_BY_EVENT, Reason, RegistryRecord, Verdict, WhyNot
from audit.domain.verification import VerifiedRecord
from contracts.events.base import Event, HasProjectionVersions, HasProvider, PackageEvent
from contracts.events.frameworks import RankedListPublished
from contracts.events.listings import PackageListed
from contracts.events.offers import AcceptancesOrdered
from contracts.events.searches import (
    PackagePlaced,
    PlacementVoided,
    SourcingExhausted,
    SourcingHeld,
    SourcingStarted,
    SourcingStopped,
    StageEntered,
)
from contracts.ids import ProviderId, TierKey
from contracts.values import PlaceState

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
        if listed is None or not self._can_propose(listed[1], get_time(listed[0])):
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
        turns = [
            (row, describe_turn(stage, self._provider_id, self._name))
            for row, stage in _select(StageEntered, self._rows)
        ]
        reached = [(row, text) for row, text in turns if text is not None]
        if not reached:
            return None
        row, text = reached[-1]
        return self._explain_not_reached(text, (Evidence.from_row(row),))

    def explain_later_tier(self) -> WhyNot | None:
        """The provider is on a list, or has a place, of a tier that the search did not reach."""
        for row, published in self._find_lists_in_force():
            rank = next((each.rank for each in published.ranking if each.provider_id == self._provider_id), None)
            if rank is not None:
                rank_text = f"{self._name} is rank {rank} of {format_word(published.tier)}"
                text = f"{rank_text}, list version {published.list_version}; the search did not come to that tier"
                return self._explain_not_reached(text, (Evidence.from_row(row),))
        return self._explain_place_in_later_tier()

    def _explain_place_in_later_tier(self) -> WhyNot | None:
        care, began = find_care(self._rows), self._began_at
        known = None if began is None else find_eligibility(self._registry.provider, began)
        if care is None or known is None:
            return None
        place = find_place_in_other_tier(known[1], care, self._entered_tiers)
        if place is None:
            return None
        number = "" if place.number is None else f", number {place.number}"
        text = f"{self._name} has a place in {format_word(place.tier)}{number} ({place.state.value})"
        return self._explain_not_reached(
            f"{text}; the search did not come to that tier", (Evidence.from_row(known[0]),)
        )

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
        text = f"{self._name} is on no ranked list and in no stage of the package"
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

    @property
    def _began_at(self) -> datetime | None:
        began = _find_last(SourcingStarted, self._rows)
        return None if began is None else get_time(began[0])

    @property
    def _entered_tiers(self) -> set[TierKey]:
        return {tier for _, stage in _select(StageEntered, self._rows) for tier in stage.tiers}

    def _find_lists_in_force(self) -> Sequence[tuple[VerifiedRecord, RankedListPublished]]:
        """Returns, for each tier that was not entered, the list that was in force when the search began."""
        at = self._began_at
        return () if at is None else find_lists_in_force(self._registry.lists, at, self._entered_tiers)

    def _can_propose(self, listed: PackageListed, at: datetime) -> bool:
        known = find_eligibility(self._registry.provider, at)
        if known is None:
            return False
        eligibility, area = known[1], (listed.framework, listed.advert.area)
        active = (each for each in eligibility.places if each.state is PlaceState.ACTIVE)
        is_member = any((each.framework, each.area) == area for each in active)
        return (listed.members and is_member) or (listed.spot and listed.advert.area in eligibility.spot_areas)

    def _collect_eligibility_evidence(self) -> tuple[Evidence, ...]:
        listed = _find_last(PackageListed, self._rows)
        known = None if listed is None else find_eligibility(self._registry.provider, get_time(listed[0]))
        return () if known is None else (Evidence.from_row(known[0]),)

    def _explain_placement(self) -> tuple[Reason, ...]:
        """The placement, if it is with another provider."""
        if self._placement is None or self._placement in self._own_rows:
            return ()
        return (self._make_reason(self._placement),)

    def _collect_history(self) -> tuple[Reason, ...]:
        """The events about the provider, and its turn among those who accepted, in their order."""
        ordered = [
            (row, describe_turn_among_acceptances(event, self._provider_id, self._name))
            for row, event in _select(AcceptancesOrdered, self._rows)
        ]
        turns = {id(row): text for row, text in ordered if text is not None}
        own = {id(row) for row in self._own_rows}
        return tuple(
            self._make_reason(row, turns.get(id(row))) for row in self._rows if id(row) in own or id(row) in turns
        )

    def _make_reason(self, row: VerifiedRecord, text: str | None = None) -> Reason:
        event = row.entry.event
        versions = event.views if isinstance(event, HasProjectionVersions) else ()
        return Reason(text or self._narrate(row), (Evidence.from_row(row),), versions)

    def _narrate(self, row: VerifiedRecord) -> str:
        assert row.entry.event is not None, "a row of a trail that is narrated has an event"
        return narrate(row.entry.event, self._names)


def _is_about(event: Event | None, provider_id: ProviderId) -> bool:
    return isinstance(event, HasProvider) and event.provider_id == provider_id


def _describe_stage(stage: StageEntered) -> str:
    return f"{format_stage(stage.stage).capitalize()} was worked through {describe_stage_order(stage)}"


def _describe_list(published: RankedListPublished) -> str:
    return f"The list of {format_word(published.tier)} in force was version {published.list_version}"
