"""Pricing's unit of work on PostgreSQL."""

from dataclasses import dataclass

from contracts.ids import CouncilKey
from pricing.store.frameworks import PostgresFrameworks
from pricing.store.orders import PostgresOrders
from pricing.store.rates import PostgresRates
from pricing.store.spot_prices import PostgresSpotPrices
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork


@dataclass
class PostgresPricingWork(PostgresUnitOfWork):
    @property
    def council(self) -> CouncilKey:
        return CouncilKey(self.cause.council)

    @property
    def frameworks(self) -> PostgresFrameworks:
        return PostgresFrameworks(self.projections)

    @property
    def rates(self) -> PostgresRates:
        return PostgresRates(self.connection, self.council, now=self.now, new_id=self.new_id)

    @property
    def orders(self) -> PostgresOrders:
        return PostgresOrders(self.connection, self.council)

    @property
    def spot_prices(self) -> PostgresSpotPrices:
        return PostgresSpotPrices(self.connection, self.council)
