"""Commands that publish versions of definitions and ranked lists."""

from dataclasses import dataclass
from datetime import date

from contracts.events.frameworks import FrameworkPublished, RankedListPublished
from contracts.events.packages import Candidate
from contracts.framework import FrameworkDefinition
from contracts.ids import CouncilKey, ProviderId
from provider_registry.domain.provider import FrameworkPlace
from provider_registry.domain.publishing import (
    check_owner,
    check_place,
    check_proclaimed_days,
    check_ranked_list,
    is_new_version,
)
from provider_registry.ports import RegistryWork


@dataclass(frozen=True)
class PublishFramework:
    definition: FrameworkDefinition


@dataclass(frozen=True)
class PublishRankedList:
    """The order of one place from `live_from`; the first provider has rank 1."""

    place: FrameworkPlace
    list_version: int
    issued_on: date
    live_from: date
    ranking: tuple[ProviderId, ...]

    def as_event(self) -> RankedListPublished:
        candidates = (Candidate(provider_id=each, rank=rank) for rank, each in enumerate(self.ranking, start=1))
        return RankedListPublished(
            framework=self.place.framework,
            area=self.place.area,
            tier=self.place.tier,
            list_version=self.list_version,
            issued_on=self.issued_on,
            live_from=self.live_from,
            ranking=tuple(candidates),
        )


@dataclass(frozen=True)
class FrameworkOutcome:
    """The published definition; `is_new` is False if this version was published before."""

    definition: FrameworkDefinition
    is_new: bool


@dataclass(frozen=True)
class RankedListOutcome:
    """The published list; `is_new` is False if this version was published before."""

    ranked: RankedListPublished
    is_new: bool


async def publish_framework(command: PublishFramework, work: RegistryWork) -> FrameworkOutcome:
    """Publishes the next version and schedules a reassessment of every member."""
    definition = command.definition
    newest = (await work.frameworks.load_newest([definition.framework])).get(definition.framework)
    check_owner(definition, council=CouncilKey(work.cause.council), newest=newest)
    is_new = is_new_version(
        definition,
        version=definition.version,
        newest=newest.version if newest is not None else 0,
        published=await work.frameworks.load_version(definition.framework, definition.version),
    )
    if is_new:
        check_proclaimed_days(definition, newest=newest)
        await work.frameworks.add(definition)
        await work.providers.schedule_reassessment(definition.framework)
        work.publish(FrameworkPublished(definition=definition))
    return FrameworkOutcome(definition, is_new)


async def publish_ranked_list(command: PublishRankedList, work: RegistryWork) -> RankedListOutcome:
    """Publishes the next version of a ranked list; ranks follow the order of the providers."""
    place = command.place
    definition = (await work.frameworks.load_newest([place.framework])).get(place.framework)
    check_place(place, definition, council=CouncilKey(work.cause.council))
    ranked = command.as_event()
    is_new = is_new_version(
        ranked,
        version=ranked.list_version,
        newest=await work.frameworks.get_newest_list_version(place),
        published=await work.frameworks.load_ranked_list(place, ranked.list_version),
    )
    if is_new:
        members = await work.providers.watch_members([place])
        check_ranked_list(ranked, members=members.get(place, frozenset()))
        await work.frameworks.add_list(ranked)
        work.publish(ranked)
    return RankedListOutcome(ranked, is_new)
