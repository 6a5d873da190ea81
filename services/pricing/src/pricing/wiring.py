"""Composition root of pricing: every part of the service is wired here."""

from functools import partial
from pathlib import Path

from pricing.api import matrices, orders, rate_comparison, rates, spot_prices
from pricing.ports import PricingQueries
from pricing.settings import Settings
from pricing.store.orders import SAVE_ORDERS, OrderNumbers
from pricing.store.queries import PostgresPricingQueries
from pricing.store.spot_prices import PENDING_STATE
from pricing.store.unit_of_work import PostgresPricingWork
from pricing.subscriptions import GATHERING, PROJECTIONS, SUBSCRIPTIONS, TIMERS
from service_runtime.service import Service


def build(settings: Settings) -> Service[PostgresPricingWork]:
    database = settings.open_database("pricing")
    return Service(
        name="pricing",
        description="Price matrices, the rates that providers select, spot prices and purchase orders.",
        settings=settings,
        database=database,
        unit_of_work=partial(PostgresPricingWork, order_numbers=OrderNumbers(database)),
        migrations=Path(__file__).parent / "migrations",
        routes=(matrices.router, rates.router, rate_comparison.router, orders.router, spot_prices.router),
        subscriptions=SUBSCRIPTIONS,
        gathering=GATHERING,
        timers=TIMERS,
        states=(PENDING_STATE,),
        save_rows=SAVE_ORDERS,
        projections=PROJECTIONS,
        ports={PricingQueries: PostgresPricingQueries(database)},
    )
