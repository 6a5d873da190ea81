"""What others are told when a provider changes: every difference once, and nothing where there is none."""

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
from provider_registry.domain.eligibility import eligibility_of
from provider_registry.domain.provider import Branch, Definitions, Provider, Told


def channels_of(*, webhook: bool, email: bool) -> tuple[Channel, ...]:
    """How a provider hears of offers, the first one first: its system, its mailbox, and always the telephone."""
    there = ((Channel.WEBHOOK, webhook), (Channel.EMAIL, email), (Channel.PHONE, True))
    return tuple(channel for channel, is_there in there if is_there)


def announce(
    before: Provider | None, after: Provider, *, definitions: Definitions, channels: tuple[Channel, ...], on: date
) -> tuple[Provider, tuple[ProviderEvent, ...]]:
    """`after` with what others know of it from now on, and the events that tell them.

    `channels` are those by which the provider can be reached by now. A change that others need not know has no event;
    whatever changed, the version counts it.
    """
    eligibility = eligibility_of(after, definitions)
    told = Told.by(eligibility, channels=channels)
    events: list[ProviderEvent] = [*_profile(before, after), *_ratings(before, after, on), *_embargo(before, after)]
    if told.channels != after.told.channels:
        events.append(ChannelsChanged(provider_id=after.provider_id, channels=channels))
    if told.differs_in_eligibility_from(after.told):
        events.append(eligibility)
    announced = replace(after, told=told)
    if before is not None and announced != before:
        announced = replace(announced, version=before.version + 1)
    return announced, tuple(events)


def _profile(before: Provider | None, after: Provider) -> Iterator[ProviderEvent]:
    """Heard again whenever the name or the types of service change: the newest one counts."""
    profile = after.profile
    known = before.profile if before is not None else None
    if known is None or (known.name, known.service_types) != (profile.name, profile.service_types):
        yield ProviderRegistered(provider_id=after.provider_id, name=profile.name, service_types=profile.service_types)


def _ratings(before: Provider | None, after: Provider, on: date) -> Iterator[ProviderEvent]:
    for branch in after.branches:
        known = before.branch(branch.branch_id) if before is not None else None
        if _rating_of(branch) != _rating_of(known):
            yield RatingPublished(
                provider_id=after.provider_id,
                branch_id=branch.branch_id,
                rating=branch.rating,
                published_on=branch.published_on or on,
            )


def _rating_of(branch: Branch | None) -> tuple[Rating, date | None]:
    """A branch that nobody has heard of is as unrated as one that CQC has not rated yet."""
    return (branch.rating, branch.published_on) if branch is not None else (Rating.NOT_RATED, None)


def _embargo(before: Provider | None, after: Provider) -> Iterator[ProviderEvent]:
    known = before.embargo if before is not None else None
    if after.embargo == known:
        return
    if after.embargo is None:
        yield EmbargoLifted(provider_id=after.provider_id)
    else:
        yield ProviderEmbargoed(provider_id=after.provider_id, reason=after.embargo)
