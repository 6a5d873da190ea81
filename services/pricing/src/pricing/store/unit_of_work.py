"""Pricing's unit of work on PostgreSQL."""

from dataclasses import dataclass, field

from pricing.store.frameworks import ProjectedFrameworks
from pricing.store.orders import OrderNumbers, PostgresOrders
from pricing.store.rates import PostgresRates
from pricing.store.spot_prices import PostgresSpotPrices
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork


@dataclass
class PostgresPricingWork(PostgresUnitOfWork):
    order_numbers: OrderNumbers = field(kw_only=True)

    @property
    def frameworks(self) -> ProjectedFrameworks:
        return ProjectedFrameworks(self.projections)

    @property
    def rates(self) -> PostgresRates:
        return PostgresRates(self)

    @property
    def orders(self) -> PostgresOrders:
        return PostgresOrders(self, self.order_numbers)

    @property
    def spot_prices(self) -> PostgresSpotPrices:
        return PostgresSpotPrices(self)
