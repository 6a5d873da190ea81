"""Selects what a search can use of everything published: its definition, its lists, and the providers that matter."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from contracts.events.frameworks import RankedListPublished
from contracts.events.packages import PackageRequested
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import BatchingList, MiniCompetition, OfferingStage, Reach
from contracts.ids import AreaCode, ProviderId, TierKey
from contracts.values import Care, Order
from sourcing.domain.calendar import add_proclaimed_holidays
from sourcing.domain.competitions.triggers import SubmitBid
from sourcing.domain.market import PlaceHolder
from sourcing.domain.offer import OfferStatus
from sourcing.domain.officers.commands import DirectOffer, PlaceByHand, TakeUpTick
from sourcing.domain.search import Search
from sourcing.domain.triggers import SubmitProposal, Trigger


def asks_holders(definition: FrameworkDefinition) -> bool:
    """Return whether a stage asks the holders of places instead of working through a ranked list."""
    return any(
        isinstance(stage, MiniCompetition)
        or (
            isinstance(stage, OfferingStage)
            and not isinstance(stage, BatchingList)
            and Order.RANKED_LIST not in stage.order
        )
        for stage in definition.sourcing
    )


def list_areas(definition: FrameworkDefinition, care: Care) -> tuple[AreaCode, ...]:
    """List the areas whose providers can be asked: the package's own, and its neighbours if a stage reaches them."""
    area = definition.find_area(care.area)
    reaches = any(
        isinstance(stage, OfferingStage | MiniCompetition) and stage.to.reach is Reach.NEIGHBOURS
        for stage in definition.sourcing
    )
    return (care.area, *(area.neighbours if area is not None and reaches else ()))


def find_definition(
    published: Iterable[FrameworkDefinition], version: int | None, requested_at: datetime
) -> FrameworkDefinition | None:
    """Find the version that the search is bound to, with holidays proclaimed since.

    If it is not bound yet: the newest version whose first day had come when the package was requested.
    """
    definitions = sorted(published, key=lambda each: each.version)
    if version is None:
        begun = [each for each in definitions if each.first_day <= _get_day(requested_at, each)]
        return begun[-1] if begun else None
    pinned = next((each for each in definitions if each.version == version), None)
    return None if pinned is None else add_proclaimed_holidays(pinned, definitions[-1])


def _get_day(at: datetime, definition: FrameworkDefinition) -> date:
    return at.astimezone(ZoneInfo(definition.brokerage.timezone)).date()


def find_ranked_lists(
    lists: Sequence[RankedListPublished], *, started_on: date, on: date
) -> Mapping[TierKey, RankedListPublished]:
    """Find, by tier, the newest list that was live on the day on which the search started.

    A tier without a list on that day gets the first list that went live later.
    """
    return {**_find_first_live(lists, on=on), **_find_newest_live(lists, on=started_on)}


def _find_newest_live(lists: Iterable[RankedListPublished], *, on: date) -> Mapping[TierKey, RankedListPublished]:
    live = (ranked for ranked in lists if ranked.live_from <= on)
    return {ranked.tier: ranked for ranked in sorted(live, key=lambda ranked: ranked.list_version)}


def _find_first_live(lists: Iterable[RankedListPublished], *, on: date) -> Mapping[TierKey, RankedListPublished]:
    """Find, by tier, the list that went live first; of two on the same day, the newer one."""
    live = (ranked for ranked in lists if ranked.live_from <= on)
    earliest_last = sorted(live, key=lambda ranked: (-ranked.live_from.toordinal(), ranked.list_version))
    return {ranked.tier: ranked for ranked in earliest_last}


def list_providers(
    search: Search | None, lists: Mapping[TierKey, RankedListPublished], holders: Sequence[PlaceHolder]
) -> list[ProviderId]:
    """List the providers whose facts can matter: those that can be asked, that accepted, proposed or bid."""
    providers = {candidate.provider_id for ranked in lists.values() for candidate in ranked.ranking}
    providers |= {holder.provider_id for holder in holders}
    if search is not None and search.stage is not None:
        providers |= {candidate.provider_id for candidate in search.stage.untried}
    if search is not None and search.competition is not None:
        providers |= {bid.provider_id for bid in search.competition.bids}
    if search is not None:
        providers |= {*list_waiting_providers(search)}
        providers |= {offer.provider_id for offer in search.offers if offer.status is OfferStatus.WAITING}
        providers |= {search.follows.provider_id} if search.follows is not None else set()
    return sorted(providers)


def list_waiting_providers(search: Search) -> Iterator[ProviderId]:
    """Yield the providers that officers can decide about: those that proposed, and those of acts that wait."""
    if search.listing is not None:
        yield from (proposal.provider_id for proposal in search.listing.proposals)
    yield from search.acts.list_providers()


def list_named_areas(search: Search | None, areas: Sequence[AreaCode]) -> tuple[AreaCode, ...]:
    """List further areas whose rates matter: those of places by which officers want an offer made out of order."""
    directed = () if search is None else (offer.area for offer in search.acts.directed)
    return tuple(dict.fromkeys(area for area in directed if area not in areas))


def find_named_provider(trigger: Trigger) -> ProviderId | None:
    """Find the provider that the trigger itself names, which need be neither on a list nor in the search.

    It proposes or bids, an officer chooses it, or it delivers the package which a new one follows.
    """
    if isinstance(trigger, SubmitProposal | SubmitBid | DirectOffer | PlaceByHand | TakeUpTick):
        return trigger.provider_id
    if isinstance(trigger, PackageRequested) and trigger.follows is not None:
        return trigger.follows.provider_id
    return None
