"""Assembles sourcing: its routes, subscriptions, timers, projections, metrics and ports."""

import secrets
from functools import partial
from pathlib import Path

from contracts.list_links import ListLinkSigner
from contracts.offer_links import MIN_KEY_LENGTH, OfferLinkSigner
from service_runtime.heartbeat import OutageLog
from service_runtime.service import Service
from service_runtime.webhooks.secret_box import SecretBox
from sourcing.api import (
    available,
    awards,
    bids,
    competition_decisions,
    competition_officers,
    competitions,
    counter_offers,
    list_documents,
    list_links,
    lists,
    offer_links,
    offers,
    officer_acts,
    records,
    searches,
    versions,
    work_list,
)
from sourcing.ports import CompetitionQueries, ListQueries, SearchQueries
from sourcing.settings import Settings
from sourcing.store.competition_queries import PostgresCompetitionQueries
from sourcing.store.gauges import GAUGES
from sourcing.store.last_awards import LastAwards
from sourcing.store.list_queries import PostgresListQueries
from sourcing.store.lists import LIST_STATE
from sourcing.store.offer_index import OfferIndex
from sourcing.store.placements import PlacedHours
from sourcing.store.queries import PostgresSearchQueries
from sourcing.store.searches import SAVE_SEARCHES, SEARCH_STATE
from sourcing.store.work import PostgresSourcingWork
from sourcing.subscriptions import OBSERVED, PAUSED_IN_OUTAGES, PROJECTIONS, SUBSCRIPTIONS, TIMERS


def build(settings: Settings) -> Service[PostgresSourcingWork]:
    database = settings.open_database("sourcing")
    outage_log, offer_index = OutageLog(database), OfferIndex()
    link_key = _get_link_key(settings)
    secret_box = SecretBox([key.get_secret_value() for key in settings.text_keys])
    return Service(
        name="sourcing",
        description="The search: who is offered a package of care, in which order, and who gets it.",
        settings=settings,
        database=database,
        unit_of_work=partial(
            PostgresSourcingWork,
            placed_hours=PlacedHours(database),
            last_awards=LastAwards(database),
            outage_log=outage_log,
            offer_index=offer_index,
            secret_box=secret_box,
        ),
        migrations=Path(__file__).parent / "migrations",
        routes=(
            offers.router,
            offers.officers,
            offer_links.router,
            lists.router,
            lists.officers,
            list_documents.router,
            list_documents.officers,
            list_links.router,
            available.router,
            awards.router,
            work_list.router,
            records.router,
            versions.router,
            searches.router,
            officer_acts.router,
            counter_offers.officers,
            counter_offers.providers,
            competitions.router,
            bids.router,
            competition_officers.router,
            competition_decisions.router,
        ),
        subscriptions=SUBSCRIPTIONS,
        timers=TIMERS,
        projections=PROJECTIONS,
        metrics=(*OBSERVED, *GAUGES),
        states=(SEARCH_STATE, LIST_STATE),
        save_rows=SAVE_SEARCHES,
        paused_in_outages=PAUSED_IN_OUTAGES,
        outage_log=outage_log,
        ports={
            SearchQueries: PostgresSearchQueries(database, offer_index),
            ListQueries: PostgresListQueries(database),
            OfferLinkSigner: OfferLinkSigner(link_key),
            ListLinkSigner: ListLinkSigner(link_key),
            CompetitionQueries: PostgresCompetitionQueries(database, secret_box),
        },
    )


def _get_link_key(settings: Settings) -> str:
    """Return the key of the links in mails; without a configured key a random one, so that no link is valid."""
    configured = settings.offer_link_key
    return secrets.token_hex(MIN_KEY_LENGTH) if configured is None else configured.get_secret_value()
