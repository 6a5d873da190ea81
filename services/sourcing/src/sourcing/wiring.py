"""Assembles sourcing: its routes, subscriptions, timers, projections, metrics and ports."""

import secrets
from pathlib import Path

from contracts.offer_links import MIN_KEY_LENGTH, OfferLinkSigner
from service_runtime.postgres.database import Database
from service_runtime.service import Service
from sourcing.api import available, awards, offer_links, offers, records, work_list
from sourcing.ports import SearchQueries
from sourcing.settings import Settings
from sourcing.store.gauges import GAUGES
from sourcing.store.queries import PostgresSearchQueries
from sourcing.store.work import PostgresSourcingWork
from sourcing.subscriptions import HISTOGRAMS, PAUSED_IN_OUTAGES, PROJECTIONS, SUBSCRIPTIONS, TIMERS


def build(settings: Settings) -> Service[PostgresSourcingWork]:
    database = Database(settings.database_url.get_secret_value(), name="sourcing", pool_size=settings.pool_size)
    return Service(
        name="sourcing",
        description="The search: who is offered a package of care, in which order, and who gets it.",
        settings=settings,
        database=database,
        unit_of_work=PostgresSourcingWork,
        migrations=Path(__file__).parent / "migrations",
        routes=(
            offers.router,
            offers.officers,
            offer_links.router,
            available.router,
            awards.router,
            work_list.router,
            records.router,
        ),
        subscriptions=SUBSCRIPTIONS,
        timers=TIMERS,
        projections=PROJECTIONS,
        metrics=(*HISTOGRAMS, *GAUGES),
        paused_in_outages=PAUSED_IN_OUTAGES,
        ports={SearchQueries: PostgresSearchQueries(database), OfferLinkSigner: _build_offer_links(settings)},
    )


def _build_offer_links(settings: Settings) -> OfferLinkSigner:
    """Build the verifier of links; without a configured key it uses a random one, so no link is valid."""
    if settings.offer_link_key is None:
        return OfferLinkSigner(secrets.token_hex(MIN_KEY_LENGTH))
    return OfferLinkSigner(settings.offer_link_key.get_secret_value())
