"""How long it took is measured once, when a search gets somewhere."""

from dataclasses import replace
from datetime import timedelta

from sourcing.domain.milestones import FirstOffer, Placed, milestones
from sourcing.domain.search import Search
from testkit.sourcing.builders import Story, a_market, monday


def search_of(story: Story) -> Search:
    assert story.search is not None
    return story.search


def a_story() -> Story:
    return Story(a_market("Alder", "Birch"), at=monday("09:00")).requested()


def test_the_first_offer_counts_from_the_request() -> None:
    story = a_story()
    later = replace(search_of(story), requested_at=monday("08:45"))
    assert milestones(None, later) == (FirstOffer(timedelta(minutes=15)),)


def test_a_second_offer_is_no_milestone() -> None:
    story = a_story()
    before = search_of(story)
    story.declines("Alder", at=monday("09:10"))
    assert len(search_of(story).offers) == 2
    assert milestones(before, search_of(story)) == ()


def test_a_placement_counts_the_offers_that_it_took() -> None:
    story = a_story()
    story.declines("Alder", at=monday("09:10"))
    before = search_of(story)
    story.accepts("Birch", at=monday("09:20"))
    assert milestones(before, search_of(story)) == (Placed(timedelta(minutes=20), offers=2),)
    assert milestones(search_of(story), search_of(story)) == ()
