"""What others are told when a provider changes: every difference once, and nothing where there is none."""

from dataclasses import replace
from datetime import date

import pytest

from contracts.events.base import ProviderEvent
from contracts.events.providers import (
    ChannelsChanged,
    EligibilityChanged,
    EmbargoLifted,
    EmbargoReason,
    ProviderEmbargoed,
    ProviderRegistered,
    RatingPublished,
)
from contracts.values import Channel, Rating, ServiceType, Tier
from provider_registry.domain.news import announce, channels_of
from provider_registry.domain.provider import Definitions, Provider
from testkit.contract_examples import ESSEX
from testkit.provider_registry.builders import TENDRING, a_branch, a_framework, a_place, a_profile, a_provider

TODAY = date(2026, 3, 2)
DEFINITIONS: Definitions = {ESSEX: a_framework()}


def news(
    before: Provider | None,
    after: Provider,
    *,
    webhook: bool = False,
    definitions: Definitions = DEFINITIONS,
    email: bool = False,
) -> tuple[Provider, tuple[ProviderEvent, ...]]:
    channels = channels_of(webhook=webhook, email=email)
    return announce(before, after, definitions=definitions, channels=channels, on=TODAY)


def kinds(events: tuple[ProviderEvent, ...]) -> list[type[ProviderEvent]]:
    return [type(event) for event in events]


def known(**changed: object) -> Provider:
    """A provider of which everything has been told."""
    provider, _ = news(None, replace(a_provider(places=[a_place()]), **changed))
    return provider


def test_a_new_provider_is_told_with_its_channels_and_its_eligibility_even_where_that_is_nothing() -> None:
    provider, events = news(None, a_provider(branches=[]))
    assert kinds(events) == [ProviderRegistered, ChannelsChanged, EligibilityChanged]
    assert provider.told.channels == (Channel.PHONE,)
    assert provider.told.memberships == ()
    assert provider.version == 1


def test_nothing_changed_is_no_news_and_no_new_version() -> None:
    provider = known()
    assert news(provider, provider) == (provider, ())


def test_a_new_name_is_told_and_a_new_telephone_number_is_not() -> None:
    provider = known()
    renamed, events = news(provider, replace(provider, profile=a_profile("Elder Care Ltd")))
    assert kinds(events) == [ProviderRegistered]
    moved = replace(renamed, profile=replace(renamed.profile, phone="01632 960999"))
    changed, events = news(renamed, moved)
    assert events == ()
    assert (provider.version, renamed.version, changed.version) == (1, 2, 3)


def test_other_types_of_service_change_what_may_be_offered() -> None:
    provider = known()
    profile = a_profile("Alder Care Ltd", service_types=[ServiceType.LIVE_IN])
    _, events = news(provider, replace(provider, profile=profile))
    assert kinds(events) == [ProviderRegistered, EligibilityChanged]


def test_a_rating_that_falls_below_the_floor_is_told_with_what_follows() -> None:
    provider = known()
    fallen = a_branch(rating=Rating.REQUIRES_IMPROVEMENT)
    _, events = news(provider, provider.with_branch(fallen))
    assert events[0] == RatingPublished(
        provider_id=provider.provider_id,
        branch_id=fallen.branch_id,
        rating=Rating.REQUIRES_IMPROVEMENT,
        published_on=date(2026, 1, 5),
    )
    assert isinstance(events[1], EligibilityChanged)
    assert not events[1].memberships[0].eligible


def test_a_rating_that_changes_nothing_for_the_provider_is_told_alone() -> None:
    provider = known()
    lesser = a_branch("Alder Harwich", rating=Rating.REQUIRES_IMPROVEMENT)
    _, events = news(provider, provider.with_branch(lesser))
    assert kinds(events) == [RatingPublished]


def test_a_better_rating_is_told_as_the_providers_too() -> None:
    provider = known()
    _, events = news(provider, provider.with_branch(a_branch(rating=Rating.OUTSTANDING)))
    assert kinds(events) == [RatingPublished, EligibilityChanged]
    assert isinstance(events[1], EligibilityChanged)
    assert events[1].rating is Rating.OUTSTANDING


def test_areas_outside_frameworks_are_told_with_everything_else_and_once() -> None:
    provider = known()
    serving, events = news(provider, replace(provider, spot_areas=(TENDRING,)))
    _, again = news(serving, serving)
    assert isinstance(events[0], EligibilityChanged)
    assert (events[0].spot_areas, len(events[0].memberships)) == ((TENDRING,), 1)
    assert (len(events), again) == (1, ())


def test_a_branch_that_was_never_rated_is_no_rating_to_tell_of() -> None:
    provider = known()
    _, events = news(provider, provider.with_branch(a_branch("Alder Harwich", rating=Rating.NOT_RATED)))
    assert events == ()


def test_a_rating_that_is_taken_back_is_told_on_the_day_it_is_heard_of() -> None:
    provider = known()
    _, events = news(provider, provider.with_branch(a_branch(rating=Rating.NOT_RATED)))
    assert isinstance(events[0], RatingPublished)
    assert (events[0].rating, events[0].published_on) == (Rating.NOT_RATED, TODAY)


def test_an_embargo_begins_and_ends_once_and_is_no_matter_of_eligibility() -> None:
    provider = known()
    embargoed, began = news(provider, replace(provider, embargo=EmbargoReason.SAFEGUARDING))
    _, again = news(embargoed, replace(embargoed, embargo=EmbargoReason.SAFEGUARDING))
    _, ended = news(embargoed, replace(embargoed, embargo=None))
    assert (kinds(began), again, kinds(ended)) == ([ProviderEmbargoed], (), [EmbargoLifted])


def test_another_reason_for_an_embargo_is_news() -> None:
    provider = known(embargo=EmbargoReason.SAFEGUARDING)
    _, events = news(provider, replace(provider, embargo=EmbargoReason.CONTRACT_BREACH))
    assert events == (ProviderEmbargoed(provider_id=provider.provider_id, reason=EmbargoReason.CONTRACT_BREACH),)


def test_an_enabled_endpoint_comes_first_among_the_channels_and_goes_when_it_is_disabled() -> None:
    provider = known()
    with_system, events = news(provider, provider, webhook=True)
    assert events == (ChannelsChanged(provider_id=provider.provider_id, channels=(Channel.WEBHOOK, Channel.PHONE)),)
    _, events = news(with_system, with_system, webhook=False)
    assert events == (ChannelsChanged(provider_id=provider.provider_id, channels=(Channel.PHONE,)),)


@pytest.mark.parametrize(
    ("webhook", "email", "channels"),
    [
        (True, True, (Channel.WEBHOOK, Channel.EMAIL, Channel.PHONE)),
        (False, True, (Channel.EMAIL, Channel.PHONE)),
        (True, False, (Channel.WEBHOOK, Channel.PHONE)),
        (False, False, (Channel.PHONE,)),
    ],
)
def test_a_system_comes_before_a_mailbox_and_the_telephone_is_always_there(
    webhook: bool, email: bool, channels: tuple[Channel, ...]
) -> None:
    assert channels_of(webhook=webhook, email=email) == channels


def test_a_definition_that_asks_for_more_is_news_for_whoever_no_longer_reaches_it() -> None:
    provider = known()
    _, events = news(provider, provider, definitions={ESSEX: a_framework(version=2, tier_one=Rating.OUTSTANDING)})
    assert kinds(events) == [EligibilityChanged]


def test_a_place_in_another_tier_is_told_with_all_the_others() -> None:
    provider = known()
    places = (a_place(), a_place(tier=Tier.TWO))
    _, events = news(provider, replace(provider, places=places))
    assert isinstance(events[0], EligibilityChanged)
    assert [each.tier for each in events[0].memberships] == [Tier.ONE, Tier.TWO]


def test_the_telephone_number_is_in_no_event_and_in_no_words_about_the_provider() -> None:
    provider, events = news(None, a_provider())
    assert provider.profile.phone not in "".join(event.model_dump_json() for event in events)
    assert provider.profile.phone not in repr(provider)
