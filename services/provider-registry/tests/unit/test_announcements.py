"""Events of a provider's changes."""

from dataclasses import replace
from datetime import date

import pytest

from contracts.events.base import ProviderEvent
from contracts.events.providers import (
    ChannelsChanged,
    EligibilityChanged,
    EmbargoLifted,
    EmbargoReason,
    KeyQuestionRating,
    ProviderEmbargoed,
    ProviderRegistered,
    RatingPublished,
)
from contracts.example_words import Needs, ServiceTypes, Tiers
from contracts.examples import FRAMEWORK
from contracts.framework.tiers import KeyQuestion
from contracts.values import Channel, Rating
from provider_registry.domain.announcements import build_change_events, list_channels
from provider_registry.domain.provider import Definitions, Provider
from provider_registry.domain.skills import SkillEvidence
from testkit.clocks import MONDAY_NINE
from testkit.provider_registry.builders import (
    TENDRING,
    a_branch,
    a_framework,
    a_held_place,
    a_place,
    a_profile,
    a_provider,
    a_rating_record,
)

DEFINITIONS: Definitions = {FRAMEWORK: a_framework()}


def diff(
    before: Provider | None,
    after: Provider,
    *,
    webhook: bool = False,
    definitions: Definitions = DEFINITIONS,
    email: bool = False,
) -> tuple[Provider, tuple[ProviderEvent, ...]]:
    channels = list_channels(webhook=webhook, email=email)
    return build_change_events(before, after, definitions=definitions, channels=channels, at=MONDAY_NINE)


def list_types(events: tuple[ProviderEvent, ...]) -> list[type[ProviderEvent]]:
    return [type(event) for event in events]


def a_published_provider(**changed: object) -> Provider:
    """A provider whose facts are all published."""
    provider, _ = diff(None, replace(a_provider(places=[a_place()]), **changed))
    return provider


def test_a_new_provider_is_published_with_channels_and_eligibility_even_if_empty() -> None:
    provider, events = diff(None, a_provider(branches=[]))
    assert list_types(events) == [ProviderRegistered, ChannelsChanged, EligibilityChanged]
    assert provider.published.channels == (Channel.PHONE,)
    assert provider.published.places == ()
    assert provider.version == 1


def test_no_change_publishes_nothing_and_keeps_the_version() -> None:
    provider = a_published_provider()
    assert diff(provider, provider) == (provider, ())


def test_a_new_name_is_published_and_a_new_telephone_number_is_not() -> None:
    provider = a_published_provider()
    renamed, events = diff(provider, replace(provider, profile=a_profile("Elder Care Ltd")))
    assert list_types(events) == [ProviderRegistered]
    moved = replace(renamed, profile=replace(renamed.profile, phone="01632 960999"))
    changed, events = diff(renamed, moved)
    assert events == ()
    assert (provider.version, renamed.version, changed.version) == (1, 2, 3)


def test_other_service_types_of_a_place_change_what_may_be_offered() -> None:
    provider = a_published_provider()
    live_in = a_held_place(service_types=(ServiceTypes.LIVE_IN,))
    _, events = diff(provider, replace(provider, places=(live_in,)))
    assert list_types(events) == [EligibilityChanged]


def test_evidence_of_a_skill_is_published() -> None:
    provider = a_published_provider()
    skill = SkillEvidence(Needs.DEMENTIA, "CERT-17", date(2026, 1, 1))
    _, (event,) = diff(provider, replace(provider, skills=(skill,)))
    assert isinstance(event, EligibilityChanged)
    assert event.skills == (Needs.DEMENTIA,)


def test_a_rating_below_the_floor_is_published_with_the_lost_eligibility() -> None:
    provider = a_published_provider()
    fallen = a_branch(rating=Rating.REQUIRES_IMPROVEMENT)
    _, events = diff(provider, provider.add_or_replace_branch(fallen))
    assert events[0] == RatingPublished(
        provider_id=provider.provider_id,
        branch_id=fallen.branch_id,
        rating=Rating.REQUIRES_IMPROVEMENT,
        published_on=date(2026, 1, 5),
    )
    assert isinstance(events[1], EligibilityChanged)
    assert not events[1].places[0].eligible


def test_a_rating_without_effect_on_eligibility_is_published_alone() -> None:
    provider = a_published_provider()
    lesser = a_branch("Alder Harwich", rating=Rating.REQUIRES_IMPROVEMENT)
    _, events = diff(provider, provider.add_or_replace_branch(lesser))
    assert list_types(events) == [RatingPublished]


def test_a_better_rating_is_published_for_the_provider_too() -> None:
    provider = a_published_provider()
    _, events = diff(provider, provider.add_or_replace_branch(a_branch(rating=Rating.OUTSTANDING)))
    assert list_types(events) == [RatingPublished, EligibilityChanged]
    assert isinstance(events[1], EligibilityChanged)
    assert events[1].rating is Rating.OUTSTANDING


def test_spot_areas_are_published_once_with_the_eligibility() -> None:
    provider = a_published_provider()
    serving, events = diff(provider, replace(provider, spot_areas=(TENDRING,)))
    _, again = diff(serving, serving)
    assert isinstance(events[0], EligibilityChanged)
    assert (events[0].spot_areas, len(events[0].places)) == ((TENDRING,), 1)
    assert (len(events), again) == (1, ())


def test_a_branch_that_was_never_rated_publishes_no_rating() -> None:
    provider = a_published_provider()
    _, events = diff(provider, provider.add_or_replace_branch(a_branch("Alder Harwich", rating=Rating.NOT_RATED)))
    assert events == ()


def test_key_questions_are_published_with_the_rating() -> None:
    provider = a_published_provider()
    safe = KeyQuestionRating(key_question=KeyQuestion.SAFE, rating=Rating.GOOD)
    branch = a_branch(records=[a_rating_record(key_questions=[safe])])
    _, (event,) = diff(provider, provider.add_or_replace_branch(branch))
    assert isinstance(event, RatingPublished)
    assert event.key_questions == (safe,)


def test_an_older_rating_that_is_recorded_later_is_not_published_as_the_present_one() -> None:
    provider = a_published_provider()
    branch = a_branch(records=[a_rating_record(), a_rating_record(Rating.INADEQUATE, date(2024, 1, 1))])
    _, events = diff(provider, provider.add_or_replace_branch(branch))
    assert events == ()


def test_an_embargo_begins_and_ends_once_and_does_not_change_eligibility() -> None:
    provider = a_published_provider()
    embargoed, began = diff(provider, replace(provider, embargo=EmbargoReason.SAFEGUARDING))
    _, again = diff(embargoed, replace(embargoed, embargo=EmbargoReason.SAFEGUARDING))
    _, ended = diff(embargoed, replace(embargoed, embargo=None))
    assert (list_types(began), again, list_types(ended)) == ([ProviderEmbargoed], (), [EmbargoLifted])


def test_another_reason_for_an_embargo_is_published() -> None:
    provider = a_published_provider(embargo=EmbargoReason.SAFEGUARDING)
    _, events = diff(provider, replace(provider, embargo=EmbargoReason.CONTRACT_BREACH))
    assert events == (ProviderEmbargoed(provider_id=provider.provider_id, reason=EmbargoReason.CONTRACT_BREACH),)


def test_an_enabled_endpoint_comes_first_among_the_channels_and_goes_when_it_is_disabled() -> None:
    provider = a_published_provider()
    with_system, events = diff(provider, provider, webhook=True)
    assert events == (ChannelsChanged(provider_id=provider.provider_id, channels=(Channel.WEBHOOK, Channel.PHONE)),)
    _, events = diff(with_system, with_system, webhook=False)
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
def test_the_endpoint_comes_before_the_mailbox_and_the_telephone_is_always_a_channel(
    webhook: bool, email: bool, channels: tuple[Channel, ...]
) -> None:
    assert list_channels(webhook=webhook, email=email) == channels


def test_a_stricter_definition_is_published_for_providers_that_lose_eligibility() -> None:
    provider = a_published_provider()
    _, events = diff(provider, provider, definitions={FRAMEWORK: a_framework(version=2, tier_one=Rating.OUTSTANDING)})
    assert list_types(events) == [EligibilityChanged]


def test_a_place_in_another_tier_is_published_with_all_places() -> None:
    provider = a_published_provider()
    places = (a_held_place(), a_held_place(a_place(tier=Tiers.TWO)))
    _, events = diff(provider, replace(provider, places=places))
    assert isinstance(events[0], EligibilityChanged)
    assert [each.tier for each in events[0].places] == [Tiers.ONE, Tiers.TWO]


def test_the_telephone_number_is_in_no_event_and_no_repr() -> None:
    provider, events = diff(None, a_provider())
    assert provider.profile.phone not in "".join(event.model_dump_json() for event in events)
    assert provider.profile.phone not in repr(provider)
