"""The table of searches; a search is loaded and saved with its offers and its newest placement."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import text

from contracts.catalogue import PACKAGES
from contracts.events.packages import FollowedPackage
from contracts.events.searches import ListUsed, StageCandidate
from contracts.ids import CouncilKey, PackageId, ProviderId, SearchId, TierKey
from contracts.values import Care, Wishes
from service_runtime.unit_of_work.loading import StateQuery
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from sourcing.domain.batching_entry import BatchingEntry
from sourcing.domain.competitions.work_items import BidsToScore, QuestionsToAnswer, ResultToConfirm
from sourcing.domain.listed_package import Listing
from sourcing.domain.offer import Offer
from sourcing.domain.officers.pending_acts import OfficerActs
from sourcing.domain.search import CurrentStage, Search, SearchStatus
from sourcing.domain.work_items import (
    ActToApprove,
    AwardToApprove,
    CallToMake,
    ExhaustedSearch,
    HeldSearch,
    NoProposals,
    PausedSearch,
    ProposalsToDecide,
    WorkItem,
    find_work_items,
)
from sourcing.ports import OfferPlace
from sourcing.store.columns import parse_json
from sourcing.store.competitions import (
    COMPETITIONS_OF_SEARCH,
    SAVE_COMPETITIONS,
    list_changed_competitions,
    parse_competitions,
)
from sourcing.store.lists import SAVE_LIST_RECIPIENTS, SAVE_LIST_ROWS, SAVE_LISTS
from sourcing.store.offer_index import OfferIndex
from sourcing.store.offers import SAVE_OFFERS, build_offer_row, parse_offer
from sourcing.store.placements import SAVE_PLACEMENTS, build_placement_row, parse_placement
from sourcing.store.work_items import REMOVE_WORK_ITEMS, SAVE_WORK_ITEMS, build_work_list_row, has_other_work

TABLES: Final = """
CREATE TABLE searches (
    package_id uuid PRIMARY KEY,
    council text NOT NULL,
    search_id uuid,
    status text NOT NULL CHECK (status IN ('running', 'held', 'listed', 'competing', 'placed', 'exhausted', 'stopped')),
    care jsonb NOT NULL,
    wishes jsonb NOT NULL,
    requested_at timestamptz NOT NULL,
    started_at timestamptz,
    definition_version integer,
    stage text,
    candidates jsonb NOT NULL,
    tried uuid[] NOT NULL,
    listing jsonb,
    listing_reference uuid UNIQUE GENERATED ALWAYS AS (CAST(listing #>> '{advert,reference}' AS uuid)) STORED,
    listed_at timestamptz,
    missing text[] NOT NULL,
    needs_a_person text CHECK (
        needs_a_person IN ('exhausted', 'held', 'paused', 'call', 'approval', 'open', 'competition')),
    changed_at timestamptz NOT NULL,
    follows jsonb,
    tiers text[] NOT NULL,
    lists jsonb NOT NULL,
    batching jsonb,
    acts jsonb NOT NULL,
    CHECK (status <> 'listed' OR listing IS NOT NULL)
);
CREATE INDEX open_to_all ON searches (council, listed_at DESC, listing_reference DESC) WHERE status = 'listed';
CREATE INDEX open_searches ON searches (status, stage, requested_at)
    WHERE status IN ('running', 'held', 'listed', 'competing', 'exhausted');
CREATE INDEX searches_needing_a_person ON searches (council, changed_at) WHERE needs_a_person IS NOT NULL;
"""

SEARCH_COLUMNS: Final = f"""
    searches.package_id, council, search_id, searches.status, CAST(care AS text), CAST(wishes AS text),
    CAST(follows AS text), requested_at, started_at, definition_version, searches.stage, tiers, CAST(lists AS text),
    CAST(candidates AS text), tried, missing,
    CAST(listing AS text), CAST(batching AS text), CAST(acts AS text),
    (SELECT CAST(coalesce(json_agg(offers ORDER BY turn), '[]') AS text) FROM offers
     WHERE offers.package_id = searches.package_id) AS offers,
    (SELECT CAST(row_to_json(placements) AS text) FROM placements WHERE placements.package_id = searches.package_id
     ORDER BY placed_at DESC LIMIT 1) AS placement,
    {COMPETITIONS_OF_SEARCH} AS competitions
"""  # noqa: S608  our own columns
SEARCH_OF_PACKAGE = text(f"SELECT {SEARCH_COLUMNS} FROM searches WHERE package_id = :package_id")  # noqa: S608  our own columns
# Offers and placements refer to searches; foreign keys are checked at the statement's end.
SAVE_SEARCHES: Final = f"""
    saved_searches AS (
        INSERT INTO searches (package_id, council, search_id, status, care, wishes, follows, requested_at, started_at,
                              definition_version, stage, tiers, lists, candidates, tried, listing, batching,
                              acts, listed_at, missing, needs_a_person, changed_at)
        SELECT package_id, council, search_id, status, care, wishes, follows, requested_at, started_at,
               definition_version, stage, tiers, lists, candidates, tried, listing, batching, acts, listed_at, missing,
               needs_a_person, changed_at
        FROM jsonb_to_recordset(:rows -> 'searches') AS changed(
            package_id uuid, council text, search_id uuid, status text, care jsonb, wishes jsonb, follows jsonb,
            requested_at timestamptz, started_at timestamptz, definition_version integer, stage text, tiers text[],
            lists jsonb, candidates jsonb, tried uuid[], listing jsonb, batching jsonb, acts jsonb,
            listed_at timestamptz, missing text[], needs_a_person text, changed_at timestamptz)
        ON CONFLICT (package_id) DO UPDATE SET
            search_id = excluded.search_id, status = excluded.status, started_at = excluded.started_at,
            definition_version = excluded.definition_version, stage = excluded.stage, tiers = excluded.tiers,
            lists = excluded.lists, candidates = excluded.candidates, tried = excluded.tried,
            listing = excluded.listing, batching = excluded.batching, acts = excluded.acts,
            listed_at = excluded.listed_at,
            missing = excluded.missing, needs_a_person = excluded.needs_a_person, changed_at = excluded.changed_at
    ), saved_offers AS ({SAVE_OFFERS}), saved_placements AS ({SAVE_PLACEMENTS}),
    saved_list_rows AS ({SAVE_LIST_ROWS}), saved_lists AS ({SAVE_LISTS}),
    saved_list_recipients AS ({SAVE_LIST_RECIPIENTS}),
    removed_work_items AS ({REMOVE_WORK_ITEMS}), saved_work_items AS ({SAVE_WORK_ITEMS}),
    saved_competitions AS ({SAVE_COMPETITIONS})
"""  # noqa: S608  our own statements

_CANDIDATES: Final = TypeAdapter(tuple[StageCandidate, ...])
_LISTS: Final = TypeAdapter(tuple[ListUsed, ...])
_LISTING: Final = TypeAdapter(Listing)
_BATCHING: Final = TypeAdapter(BatchingEntry)
_ACTS: Final = TypeAdapter(OfficerActs)


class PostgresSearches:
    """Repository of searches; the search of the unit of work's own stream is its state."""

    def __init__(self, work: PostgresUnitOfWork, offer_index: OfferIndex) -> None:
        self._work = work
        self._offer_index = offer_index

    async def get(self, package_id: PackageId) -> Search | None:
        self._check_own(package_id)
        search: Search | None = self._work.state
        return search

    async def save(self, search: Search, *, before: Search | None) -> None:
        self._check_own(search.package_id)
        self._work.state = search
        self._work.put_row("searches", search.package_id, self._build_search_row(search))
        council = CouncilKey(self._work.cause.council)
        for turn, offer in _list_changed_offers(search, before):
            self._work.put_row("offers", offer.offer_id, build_offer_row(offer, turn, search.package_id))
            self._offer_index.put(offer.offer_id, OfferPlace(search.package_id, offer.provider_id, council))
        if has_other_work(search, before):
            row = build_work_list_row(search, council, at=self._work.now)
            self._work.put_row("work_lists", search.package_id, row)
        for row in _build_placement_rows(search, before):
            self._work.put_row("placements", row["placement_id"], row)
        for competition_id, row in list_changed_competitions(search, before, council):
            self._work.put_row("competitions", competition_id, row)

    def _check_own(self, package_id: PackageId) -> None:
        if str(package_id) != self._work.context.stream.key.key:
            message = f"package {package_id} is not the subject of the stream {self._work.context.stream.key}"
            raise ValueError(message)

    def _build_search_row(self, search: Search) -> Mapping[str, object]:
        stage = search.stage
        return {
            "package_id": search.package_id,
            "council": self._work.cause.council,
            "search_id": search.search_id,
            "status": search.status.value,
            "care": search.care,
            "wishes": search.wishes,
            "follows": search.follows,
            "requested_at": search.requested_at,
            "started_at": search.started_at,
            "definition_version": search.definition_version,
            "stage": stage.name if stage else None,
            "tiers": stage.tiers if stage else (),
            "lists": stage.lists if stage else (),
            "candidates": stage.candidates if stage else (),
            "tried": stage.tried if stage else (),
            "listing": search.listing,
            "batching": search.batching,
            "acts": search.acts,
            "listed_at": None if search.listing is None else search.listing.listed_at,
            "missing": search.missing,
            "needs_a_person": _classify_work_item(search),
            "changed_at": self._work.now,
        }


def _list_changed_offers(search: Search, before: Search | None) -> list[tuple[int, Offer]]:
    """List the offers that were added or changed, each with its turn."""
    saved = set(before.offers) if before is not None else set[Offer]()
    return [(turn, offer) for turn, offer in enumerate(search.offers, start=1) if offer not in saved]


def _build_placement_rows(search: Search, before: Search | None) -> list[Mapping[str, object]]:
    saved = before.placement if before is not None else None
    if search.placement is None or search.placement == saved:
        return []
    return [build_placement_row(search, search.placement)]


_NEEDS: Final[Mapping[type[WorkItem], str]] = {
    ExhaustedSearch: "exhausted",
    HeldSearch: "held",
    PausedSearch: "paused",
    CallToMake: "call",
    ActToApprove: "approval",
    AwardToApprove: "open",
    ProposalsToDecide: "open",
    NoProposals: "open",
    QuestionsToAnswer: "competition",
    BidsToScore: "competition",
    ResultToConfirm: "competition",
}


def _classify_work_item(search: Search) -> str | None:
    first = next(iter(find_work_items(search)), None)
    return None if first is None else _NEEDS[type(first)]


def _parse_state(row: Any) -> Search | None:  # a row's attributes are its columns
    return None if row.package_id is None else parse_search(row)


def parse_search(row: Any) -> Search:  # a row's attributes are its columns
    placement = parse_json(row.placement)
    return Search(
        package_id=PackageId(row.package_id),
        care=Care.model_validate_json(row.care),
        wishes=Wishes.model_validate_json(row.wishes),
        follows=None if row.follows is None else FollowedPackage.model_validate_json(row.follows),
        status=SearchStatus(row.status),
        requested_at=row.requested_at,
        search_id=None if row.search_id is None else SearchId(row.search_id),
        definition_version=row.definition_version,
        started_at=row.started_at,
        stage=_parse_stage(row),
        listing=None if row.listing is None else _LISTING.validate_json(row.listing),
        batching=None if row.batching is None else _BATCHING.validate_json(row.batching),
        offers=tuple(parse_offer(offer) for offer in parse_json(row.offers)),
        placement=None if placement is None else parse_placement(placement),
        missing=tuple(row.missing),
        acts=_ACTS.validate_json(row.acts),
        competitions=parse_competitions(row.competitions),
    )


SEARCH_STATE: Final = StateQuery(
    PACKAGES,
    f"SELECT {SEARCH_COLUMNS} FROM searches WHERE searches.package_id = wanted.id",  # noqa: S608  our own columns
    _parse_state,
)
"""The search of each package's stream."""


def _parse_stage(row: Any) -> CurrentStage | None:  # a row's attributes are its columns
    if row.stage is None:
        return None
    return CurrentStage(
        name=row.stage,
        tiers=tuple(map(TierKey, row.tiers)),
        lists=_LISTS.validate_json(row.lists),
        candidates=_CANDIDATES.validate_json(row.candidates),
        tried=tuple(map(ProviderId, row.tried)),
    )
