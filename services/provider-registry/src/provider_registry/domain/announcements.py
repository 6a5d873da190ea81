"""Events of a provider's changes: one per difference from the published state."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from contracts.events.base import ProviderEvent
from contracts.events.providers import (
    ChannelsChanged,
    EmbargoLifted,
    ProviderEmbargoed,
    ProviderRegistered,
    RatingPublished,
)
from contracts.values import Channel
from provider_registry.domain.eligibility import assess_eligibility
from provider_registry.domain.provider import Branch, Definitions, Provider, PublishedState
from provider_registry.domain.ratings import RatingRecord


def list_channels(*, webhook: bool, email: bool) -> tuple[Channel, ...]:
    """Returns the provider's channels in order of use: webhook, email, and always the telephone."""
    channels = ((Channel.WEBHOOK, webhook), (Channel.EMAIL, email), (Channel.PHONE, True))
    return tuple(channel for channel, is_available in channels if is_available)


def build_change_events(
    before: Provider | None, after: Provider, *, definitions: Definitions, channels: tuple[Channel, ...], at: datetime
) -> tuple[Provider, tuple[ProviderEvent, ...]]:
    """Returns `after` with its new published state, and the events for what changed in it.

    `channels` are the provider's present channels. Every change increments the version; a change that no other service
    uses has no event.
    """
    eligibility = assess_eligibility(after, definitions, at=at)
    state = PublishedState.from_event(eligibility, channels=channels)
    events: list[ProviderEvent] = [
        *_diff_profile(before, after),
        *_diff_ratings(before, after),
        *_diff_embargo(before, after),
    ]
    if state.channels != after.published.channels:
        events.append(ChannelsChanged(provider_id=after.provider_id, channels=channels))
    if state.has_other_eligibility_than(after.published):
        events.append(eligibility)
    announced = replace(after, published=state)
    if before is not None and announced != before:
        announced = replace(announced, version=before.version + 1)
    return announced, tuple(events)


def _diff_profile(before: Provider | None, after: Provider) -> Iterator[ProviderEvent]:
    """Yields ProviderRegistered for a new name; the newest event counts."""
    if before is None or before.profile.name != after.profile.name:
        yield ProviderRegistered(provider_id=after.provider_id, name=after.profile.name)


def _diff_ratings(before: Provider | None, after: Provider) -> Iterator[ProviderEvent]:
    """Yields RatingPublished for each branch with another newest record; older records change eligibility only."""
    for branch in after.branches:
        known = before.find_branch(branch.branch_id) if before is not None else None
        newest = branch.ratings.newest
        if newest is not None and _has_other_ratings(branch, known):
            yield RatingPublished(
                provider_id=after.provider_id,
                branch_id=branch.branch_id,
                rating=newest.overall,
                key_questions=newest.key_questions,
                published_on=newest.published_on,
            )


def _has_other_ratings(branch: Branch, known: Branch | None) -> bool:
    """Compares the newest records, without when they were recorded and what they correct."""
    newest, before = branch.ratings.newest, None if known is None else known.ratings.newest
    return _get_content(newest) != _get_content(before)


def _get_content(record: RatingRecord | None) -> object:
    return None if record is None else (record.published_on, record.overall, record.key_questions)


def _diff_embargo(before: Provider | None, after: Provider) -> Iterator[ProviderEvent]:
    known = before.embargo if before is not None else None
    if after.embargo == known:
        return
    if after.embargo is None:
        yield EmbargoLifted(provider_id=after.provider_id)
    else:
        yield ProviderEmbargoed(provider_id=after.provider_id, reason=after.embargo)
