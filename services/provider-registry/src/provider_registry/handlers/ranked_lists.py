"""Command that publishes versions of ranked lists."""

from dataclasses import dataclass
from datetime import date

from contracts.events.frameworks import Candidate, RankedListPublished
from contracts.ids import CouncilKey, ProviderId
from provider_registry.domain.places import ListScope
from provider_registry.domain.publishing import check_ranked_list, check_scope, is_new_version
from provider_registry.ports import RegistryWork


@dataclass(frozen=True)
class PublishRankedList:
    """The order of one tier of one area from `live_from`; the first provider has rank 1."""

    scope: ListScope
    list_version: int
    issued_on: date
    live_from: date
    ranking: tuple[ProviderId, ...]

    def as_event(self) -> RankedListPublished:
        candidates = (Candidate(provider_id=each, rank=rank) for rank, each in enumerate(self.ranking, start=1))
        place = self.scope.place
        return RankedListPublished(
            framework=place.framework,
            lot=place.lot,
            area=place.area,
            tier=place.tier,
            group=self.scope.group,
            list_version=self.list_version,
            issued_on=self.issued_on,
            live_from=self.live_from,
            ranking=tuple(candidates),
        )


@dataclass(frozen=True)
class RankedListOutcome:
    """The published list; `is_new` is False if this version was published before."""

    ranked: RankedListPublished
    is_new: bool


async def publish_ranked_list(command: PublishRankedList, work: RegistryWork) -> RankedListOutcome:
    """Publishes the next version of a ranked list, by the definition in force on the day on which it goes live."""
    scope, place = command.scope, command.scope.place
    definitions = await work.frameworks.load_in_force([place.framework], on=command.live_from)
    check_scope(scope, definitions.get(place.framework), council=CouncilKey(work.cause.council))
    ranked = command.as_event()
    is_new = is_new_version(
        ranked,
        version=ranked.list_version,
        newest=await work.frameworks.get_newest_list_version(scope),
        published=await work.frameworks.load_ranked_list(scope, ranked.list_version),
    )
    if is_new:
        holders = await work.providers.watch_holders([place])
        check_ranked_list(ranked, holders=holders.get(place, frozenset()))
        await work.frameworks.add_list(ranked)
        work.publish(ranked)
    return RankedListOutcome(ranked, is_new)
