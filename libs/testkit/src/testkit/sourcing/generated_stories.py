"""Draws a story: a definition, a market, a package and what happens, then a second package."""

import os
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Final
from uuid import UUID

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from contracts.events.base import ProviderEvent
from contracts.events.packages import FollowedPackage
from contracts.events.providers import ChannelsChanged, EmbargoLifted, EmbargoReason, ProviderEmbargoed
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import NewId, ProviderId
from contracts.office_time import LONDON, to_office_date
from contracts.values import Channel
from sourcing.domain.search import SearchStatus
from testkit.sourcing.builders import on_monday
from testkit.sourcing.choices import OFTEN, RARELY, Choices
from testkit.sourcing.generated_definitions import SEEDS, make_definition, make_next_version
from testkit.sourcing.generated_markets import (
    PROVIDERS,
    make_capacity,
    make_eligibility,
    make_ranked_list,
    make_rates,
    make_request,
    make_world,
)
from testkit.sourcing.generated_moves import MOVES, MOVES_WHILE_LISTED, NUMBERS, change_version, publish_definition
from testkit.sourcing.generated_search import GeneratedSearch
from testkit.sourcing.generated_world import World

TIMES_AS_MANY: Final = int(os.environ.get("TIMES_AS_MANY_EXAMPLES", "1"))
A_FEW: Final = settings(
    max_examples=20 * TIMES_AS_MANY,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
"""Without the phase that looks for a simpler example: no seed is simpler than another one."""
_STARTS: Final = ("09:00", "09:00", "11:30", "16:45", "18:00")
_PAUSES: Final = (0, 1, 3, 15, 30, 60, 240)
_MOST_MOVES: Final = 18
_FIVE_DAYS: Final = timedelta(days=5)


@dataclass(frozen=True)
class Story:
    """The searches of one or two packages in one market; the second package follows the first one."""

    world: World
    searches: tuple[GeneratedSearch, ...]


def draw_story() -> st.SearchStrategy[Story]:
    """Draws a story. A failing one is printed as the call that makes it; fewer `moves` of it may show the failure."""
    return st.builds(
        make_story, SEEDS, moves=st.integers(0, 4 * _MOST_MOVES).map(lambda number: min(number, _MOST_MOVES))
    )


def make_story(seed: int, *, moves: int) -> Story:
    """Makes the story of a seed, with at most so many moves of each search."""
    choices = Choices(seed)
    definition = make_definition(choices)
    following = make_next_version(choices, definition) if choices.happens() else None
    request, new_id = make_request(choices, definition), _count_ids()
    world = make_world(choices, definition, request.care)
    first = GeneratedSearch(world, request, at=on_monday(choices.choose(_STARTS)), new_id=new_id)
    run = _Run(choices, definition, following, moves)
    run.play(first)
    placement = first.current.placement
    if first.current.status is not SearchStatus.PLACED or placement is None:
        return Story(world, (first,))
    continued = FollowedPackage(package_id=request.package_id, lot=request.care.lot, provider_id=placement.provider_id)
    request = make_request(choices, definition, "second").model_copy(update={"follows": continued})
    second = GeneratedSearch(world, request, at=first.at, new_id=new_id)
    run.play(second)
    return Story(world, (first, second))


def _count_ids() -> NewId:
    numbers = count(1)
    return lambda: UUID(int=next(numbers))


@dataclass(frozen=True)
class _Run:
    """Plays searches by chance: moves, and what is published meanwhile."""

    choices: Choices
    definition: FrameworkDefinition
    following: FrameworkDefinition | None
    moves: int

    def play(self, search: GeneratedSearch) -> None:
        """Requests the package and makes moves; then days pass in which nobody does anything."""
        search.publish(search.request)
        for _ in range(self.moves):
            prompt = self.choices.happens(OFTEN)
            if prompt:
                search.handle_own_events()
            pause = timedelta(minutes=self.choices.choose(_PAUSES))
            search.advance(search.at + pause, handle_own_events=prompt)
            if self.choices.happens(0.5 if search.current.status is SearchStatus.HELD else RARELY):
                self._change_market(search)
            moves = MOVES_WHILE_LISTED if search.current.status is SearchStatus.LISTED else MOVES
            self.choices.choose(moves)(search, self.choices.choose_number(0, NUMBERS - 1))
        search.handle_own_events()
        search.advance(search.at + _FIVE_DAYS)

    def _change_market(self, search: GeneratedSearch) -> None:
        """Publishes a definition, a list, or a fact about a provider; an officer can move the search then."""
        what = self.choices.choose(("definition", "definition", "list", "provider", "provider", "embargo", "embargo"))
        provider = self.choices.choose(PROVIDERS)
        if not search.world.definitions:
            publish_definition(search, self.definition)
        elif what == "definition" and self.following is not None:
            publish_definition(search, self.following)
            if self.choices.happens():
                change_version(search, 0)
        elif what == "list":
            self._publish_list(search)
        elif what == "embargo":
            self._change_embargo(search, provider)
        else:
            event = self._make_fact(search, provider)
            search.change_world(lambda at: search.world.publish_fact(event, at))

    def _publish_list(self, search: GeneratedSearch) -> None:
        """Publishes a list that is missing, or a newer version of one, live from today or from tomorrow on."""
        care, tier = search.request.care, self.choices.choose(self.definition.tiers).tier
        group = self.definition.find_list_group(care)
        versions = [each.list_version for each in search.world.lists if (each.tier, each.group) == (tier, group)]
        ranked = make_ranked_list(
            self.choices,
            care,
            tier,
            group,
            providers=search.world.facts,
            live_from=to_office_date(search.at, LONDON) + timedelta(days=self.choices.choose((0, 0, 1))),
            version=max(versions, default=0) + 1,
        )
        search.change_world(lambda at: search.world.publish_list(ranked, at))

    def _make_fact(self, search: GeneratedSearch, provider: ProviderId) -> ProviderEvent:
        care, choices = search.request.care, self.choices
        match choices.choose_number(0, 3):
            case 0:
                return make_eligibility(choices, self.definition, care, provider)
            case 1:
                return ChannelsChanged(provider_id=provider, channels=(Channel.EMAIL,))
            case 2:
                return make_capacity(choices, care, provider, search.at)
            case _:
                return make_rates(choices, self.definition, provider, choices.choose(self.definition.areas).code)

    def _change_embargo(self, search: GeneratedSearch, provider: ProviderId) -> None:
        event: ProviderEvent = ProviderEmbargoed(provider_id=provider, reason=EmbargoReason.SAFEGUARDING)
        if search.world.is_embargoed(provider):
            event = EmbargoLifted(provider_id=provider)
        search.change_world(lambda at: search.world.publish_fact(event, at))
