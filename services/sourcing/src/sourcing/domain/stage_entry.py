"""Entering a stage: who is asked, in which order, pinned in StageEntered."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from contracts.events.base import ProjectionVersion
from contracts.events.packages import FollowedPackage
from contracts.events.reasons import ExhaustedReason
from contracts.events.searches import ListUsed, SourcingExhausted, StageCandidate, StageEntered
from contracts.framework.stages import (
    AnyStage,
    BatchingList,
    Designated,
    MakesOffers,
    MiniCompetition,
    OfferToAll,
    OpenList,
    Reach,
)
from contracts.ids import AreaCode, ProviderId
from contracts.values import Order, PlaceState
from sourcing.domain.competitions.opening import open_competition
from sourcing.domain.draft import Draft
from sourcing.domain.holding import hold_for
from sourcing.domain.listing import list_package
from sourcing.domain.market import PlaceHolder
from sourcing.domain.ordering import (
    NEEDS_NO_DRAW,
    Contender,
    order_contenders,
    order_for_asking,
    put_first,
)


def enter_next_stage(draft: Draft, after: str | None) -> bool:
    """Enter the next stage that is meant for the package; True when its candidates can be handled.

    The search is held when lists or places are missing, exhausted when there is no stage, listed by an open list, and
    opened to bids by a competition.
    """
    stage = find_following_stage(draft, after)
    if stage is None:
        _exhaust_search(draft)
        return False
    return enter_stage(draft, stage)


def enter_stage(draft: Draft, stage: AnyStage) -> bool:
    """Enter this stage; True when its candidates can be handled, False when it is held, listed or competed for."""
    if isinstance(stage, OpenList):
        list_package(draft, stage)
        return False
    if isinstance(stage, MiniCompetition):
        open_competition(draft, stage)
        return False
    return _enter_stage(draft, stage)


def find_following_stage(draft: Draft, after: str | None) -> AnyStage | None:
    """Find the stage after the one named `after`; None where the road ends.

    A Batching List is no stage that follows: it begins at its cut-off.
    """
    if after is not None and draft.definition.is_end_of_road(after):
        return None
    kind = draft.definition.describe_kind(draft.search.care)
    following = draft.definition.find_next_stage(after, kind)
    while isinstance(following, BatchingList):
        following = draft.definition.find_next_stage(following.stage, kind)
    return following


def _enter_stage(draft: Draft, stage: MakesOffers) -> bool:
    """Pin the stage's providers in their order; those that are asked at once are ordered when they have answered."""
    if hold_for(draft, _find_missing(draft, stage)):
        return False
    contenders = tuple(_list_contenders(draft, stage))
    order, asked = () if isinstance(stage, OfferToAll) else stage.order, order_for_asking(contenders)
    if Order.PRICE in order and hold_for(draft, draft.market.find_missing_facts(draft.search.care, asked)):
        return False
    seed = None if not order or order == NEEDS_NO_DRAW else draft.new_id()
    candidates = order_contenders(contenders, order, seed) if order else asked
    draft.publish(
        StageEntered(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            stage=stage.stage,
            tiers=stage.to.tiers,
            order=order,
            lists=tuple(_list_used_lists(draft, stage)),
            seed=seed,
            candidates=candidates,
            views=_list_views(draft, candidates, order),
        )
    )
    return True


def _find_missing(draft: Draft, stage: MakesOffers) -> tuple[str, ...]:
    care, follows = draft.search.care, _find_followed_package(draft, stage)
    if Order.RANKED_LIST in stage.order:
        return draft.market.find_missing_lists(care, stage.to.tiers)
    followed = () if follows is None else draft.market.get_facts(follows.provider_id).missing
    return (*followed, *(draft.market.find_missing_places(care) if stage.to.tiers else ()))


def _list_used_lists(draft: Draft, stage: MakesOffers) -> Iterator[ListUsed]:
    if Order.RANKED_LIST in stage.order:
        for tier in stage.to.tiers:
            ranked = draft.market.ranked_lists[tier]
            yield ListUsed(tier=tier, group=ranked.group, list_version=ranked.list_version)


def _list_views(
    draft: Draft, candidates: Iterable[StageCandidate], order: tuple[Order, ...]
) -> tuple[ProjectionVersion, ...]:
    """List the versions of the facts that the order follows from; a ranked list has its own version."""
    if order == NEEDS_NO_DRAW:
        return ()
    facts = (draft.market.get_facts(each.provider_id) for each in candidates)
    return tuple(use for each in facts for use in each.projection_uses)


def _list_contenders(draft: Draft, stage: MakesOffers) -> Iterable[Contender]:
    """List the providers that the stage asks, with the figures that can order them."""
    if Order.RANKED_LIST in stage.order:
        return _list_ranked(draft, stage)
    holders = tuple(_list_place_holders(draft, stage))
    designated = _find_followed_provider(draft, stage)
    return holders if designated is None else put_first(holders, designated)


def _list_ranked(draft: Draft, stage: MakesOffers) -> Iterator[Contender]:
    """List the providers of the ranked lists, each once: in the first tier whose list it is on."""
    care, seen = draft.search.care, set[ProviderId]()
    for position, tier in enumerate(stage.to.tiers):
        for each in draft.market.ranked_lists[tier].ranking:
            if each.provider_id in seen:
                continue
            seen.add(each.provider_id)
            facts = draft.market.get_facts(each.provider_id)
            place = facts.find_place(care.framework, care.lot, care.area, tier)
            yield Contender(
                provider_id=each.provider_id,
                lot=care.lot,
                tier=tier,
                area=care.area,
                tier_position=position,
                list_rank=each.rank,
                number=place.number if place is not None else None,
                price=_compute_price(draft, stage, each.provider_id, care.area),
                last_award_at=draft.market.last_awards.get(each.provider_id),
                joined_on=place.joined_on if place is not None else None,
            )


def _list_place_holders(draft: Draft, stage: MakesOffers) -> Iterator[Contender]:
    """List the holders of places, each provider once; neighbours without those that have a place in the area."""
    care, market, seen = draft.search.care, draft.market, set[ProviderId]()
    if stage.to.reach is Reach.NEIGHBOURS:
        seen |= {each.provider_id for tier in stage.to.tiers for each in market.list_holders(tier, care.area)}
    for position, tier in enumerate(stage.to.tiers):
        for area in _list_areas(draft, stage):
            for holder in market.list_holders(tier, area):
                if holder.provider_id not in seen:
                    seen.add(holder.provider_id)
                    yield _build_contender(draft, stage, holder, position)


def _build_contender(draft: Draft, stage: MakesOffers, holder: PlaceHolder, position: int) -> Contender:
    place = holder.place
    return Contender(
        provider_id=holder.provider_id,
        lot=place.lot,
        tier=place.tier,
        area=place.area,
        tier_position=position,
        number=place.number,
        price=_compute_price(draft, stage, holder.provider_id, place.area),
        last_award_at=draft.market.last_awards.get(holder.provider_id),
        joined_on=place.joined_on,
    )


def _list_areas(draft: Draft, stage: MakesOffers) -> Iterable[AreaCode]:
    area = draft.definition.find_area(draft.search.care.area)
    if area is None:
        return ()
    return area.neighbours if stage.to.reach is Reach.NEIGHBOURS else (area.code,)


def _compute_price(draft: Draft, stage: MakesOffers, provider_id: ProviderId, area: AreaCode) -> Decimal | None:
    """Compute the price of the package with the provider; None where prices do not decide, or where it has no rate."""
    if Order.PRICE not in stage.order:
        return None
    facts = draft.market.get_facts(provider_id)
    terms = draft.market.compute_terms(facts, draft.search.care, area=area, on=draft.local_day)
    return terms.total_cost if terms is not None else None


def _find_followed_package(draft: Draft, stage: MakesOffers) -> FollowedPackage | None:
    """Find the package that this one follows, if the stage continues care of that package's lot."""
    follows = draft.search.follows
    continues = isinstance(stage, Designated) and follows is not None and follows.lot in stage.follows_in
    return follows if continues else None


def _find_followed_provider(draft: Draft, stage: MakesOffers) -> Contender | None:
    """Find the provider of the package that this one follows, by its place in that package's lot.

    Of several places the one in the package's area counts, else one that is active and eligible.
    """
    follows, care = _find_followed_package(draft, stage), draft.search.care
    if follows is None:
        return None
    places = draft.market.get_facts(follows.provider_id).places
    in_lot = [each for each in places if (each.framework, each.lot) == (care.framework, follows.lot)]
    if not in_lot:
        return None
    place = min(
        in_lot, key=lambda each: (each.area != care.area, each.state is not PlaceState.ACTIVE, not each.eligible)
    )
    return Contender(
        provider_id=follows.provider_id, lot=place.lot, tier=place.tier, area=place.area, number=place.number
    )


def _exhaust_search(draft: Draft) -> None:
    draft.publish(
        SourcingExhausted(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            last_stage=draft.search.stage.name if draft.search.stage is not None else None,
            reason=ExhaustedReason.NO_STAGE_LEFT,
        )
    )
