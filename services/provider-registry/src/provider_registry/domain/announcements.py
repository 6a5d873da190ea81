"""Events of a provider's changes: one per difference from the published state."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from contracts.events.base import ProviderEvent
from contracts.events.providers import (
    ChannelsChanged,
    EmbargoLifted,
    ProviderEmbargoed,
    ProviderRegistered,
    RatingPublished,
)
from contracts.values import Channel, Rating
from provider_registry.domain.eligibility import assess_eligibility
from provider_registry.domain.provider import Branch, Definitions, Provider, PublishedState


def list_channels(*, webhook: bool, email: bool) -> tuple[Channel, ...]:
    """Returns the provider's channels in order of use: webhook, email, and always the telephone."""
    channels = ((Channel.WEBHOOK, webhook), (Channel.EMAIL, email), (Channel.PHONE, True))
    return tuple(channel for channel, is_available in channels if is_available)


def build_change_events(
    before: Provider | None, after: Provider, *, definitions: Definitions, channels: tuple[Channel, ...], on: date
) -> tuple[Provider, tuple[ProviderEvent, ...]]:
    """Returns `after` with its new published state, and the events for what changed in it.

    `channels` are the provider's present channels. Every change increments the version; a change that no other service
    uses has no event.
    """
    eligibility = assess_eligibility(after, definitions)
    state = PublishedState.from_event(eligibility, channels=channels)
    events: list[ProviderEvent] = [
        *_diff_profile(before, after),
        *_diff_ratings(before, after, on),
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
    """Yields ProviderRegistered for a new name or new service types; the newest event counts."""
    profile = after.profile
    known = before.profile if before is not None else None
    if known is None or (known.name, known.service_types) != (profile.name, profile.service_types):
        yield ProviderRegistered(provider_id=after.provider_id, name=profile.name, service_types=profile.service_types)


def _diff_ratings(before: Provider | None, after: Provider, on: date) -> Iterator[ProviderEvent]:
    for branch in after.branches:
        known = before.find_branch(branch.branch_id) if before is not None else None
        if _get_published_rating(branch) != _get_published_rating(known):
            yield RatingPublished(
                provider_id=after.provider_id,
                branch_id=branch.branch_id,
                rating=branch.rating,
                published_on=branch.published_on or on,
            )


def _get_published_rating(branch: Branch | None) -> tuple[Rating, date | None]:
    """Returns the rating and its date; an unknown branch is not rated."""
    return (branch.rating, branch.published_on) if branch is not None else (Rating.NOT_RATED, None)


def _diff_embargo(before: Provider | None, after: Provider) -> Iterator[ProviderEvent]:
    known = before.embargo if before is not None else None
    if after.embargo == known:
        return
    if after.embargo is None:
        yield EmbargoLifted(provider_id=after.provider_id)
    else:
        yield ProviderEmbargoed(provider_id=after.provider_id, reason=after.embargo)
