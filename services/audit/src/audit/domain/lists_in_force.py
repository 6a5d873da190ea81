"""The ranked lists and places of the tiers that a search did not enter, as they were when it began."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from audit.domain.verification import VerifiedRecord
from contracts.events.frameworks import FrameworkPublished, RankedListPublished, make_ranked_list_key
from contracts.events.packages import PackageRequested
from contracts.events.providers import EligibilityChanged, Place
from contracts.events.searches import SourcingStarted
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import TierKey
from contracts.office_time import to_office_date
from contracts.values import Care


def find_care(rows: Iterable[VerifiedRecord]) -> Care | None:
    """Returns the care of the package; None before it is requested."""
    requested = (row.entry.event for row in rows)
    return next((event.care for event in requested if isinstance(event, PackageRequested)), None)


def find_definition(rows: Iterable[VerifiedRecord], published: Iterable[VerifiedRecord]) -> FrameworkDefinition | None:
    """Returns the definition that the last search keeps to; None if no search began, or it is not on record."""
    started = [row.entry.event for row in rows if isinstance(row.entry.event, SourcingStarted)]
    events = (row.entry.event for row in published)
    found = (event.definition for event in events if isinstance(event, FrameworkPublished))
    return next((each for each in found if started and each.version == started[-1].definition_version), None)


def list_ranked_list_keys(definition: FrameworkDefinition, care: Care) -> Sequence[str]:
    """Returns the stream keys of the ranked lists that could apply to a package, in the order of the tiers."""
    group = definition.find_list_group(care)
    return [
        make_ranked_list_key(care.framework, care.lot, care.area, tier.tier, group)
        for tier in definition.tiers
        if tier.exists_in(care.lot)
    ]


def find_lists_in_force(
    lists: Iterable[VerifiedRecord], at: datetime, entered: Collection[TierKey]
) -> Sequence[tuple[VerifiedRecord, RankedListPublished]]:
    """Returns, for each tier that was not entered, the list that was in force at an instant."""
    newest: dict[TierKey, tuple[VerifiedRecord, RankedListPublished]] = {}
    for row in lists:
        published = row.entry.event
        if not isinstance(published, RankedListPublished) or published.tier in entered:
            continue
        if get_time(row) <= at and published.live_from <= to_office_date(at):
            newest[published.tier] = (row, published)
    return list(newest.values())


def find_eligibility(
    provider: Iterable[VerifiedRecord], at: datetime
) -> tuple[VerifiedRecord, EligibilityChanged] | None:
    """Returns what the provider could be offered at an instant; None before anything is published about it."""
    known = [
        (row, row.entry.event)
        for row in provider
        if isinstance(row.entry.event, EligibilityChanged) and get_time(row) <= at
    ]
    return known[-1] if known else None


def find_place_in_other_tier(eligibility: EligibilityChanged, care: Care, entered: Collection[TierKey]) -> Place | None:
    """Returns a place of the provider for the package in a tier that was not entered."""
    wanted = (care.framework, care.lot, care.area)
    found = (each for each in eligibility.places if (each.framework, each.lot, each.area) == wanted)
    return next((each for each in found if each.tier not in entered), None)


def get_time(row: VerifiedRecord) -> datetime:
    assert row.entry.envelope is not None, "a row with an event has an envelope"
    return row.entry.envelope.time
