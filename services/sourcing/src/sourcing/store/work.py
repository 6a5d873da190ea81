"""Sourcing's unit of work on PostgreSQL."""

from dataclasses import dataclass

from contracts.ids import CouncilKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from sourcing.store.markets import PostgresMarkets
from sourcing.store.outages import PostgresOutages
from sourcing.store.searches import PostgresSearches


@dataclass
class PostgresSourcingWork(PostgresUnitOfWork):
    @property
    def searches(self) -> PostgresSearches:
        return PostgresSearches(self.connection, CouncilKey(self.cause.council), self.now)

    @property
    def markets(self) -> PostgresMarkets:
        return PostgresMarkets(self.connection, self.projections)

    @property
    def outages(self) -> PostgresOutages:
        return PostgresOutages(self.connection, self.now)
