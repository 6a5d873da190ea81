"""Sourcing's unit of work on PostgreSQL."""

from dataclasses import dataclass, field

from service_runtime.heartbeat import OutageLog
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks.secret_box import SecretBox
from sourcing.store.competitions import PostgresTexts
from sourcing.store.last_awards import LastAwards
from sourcing.store.lists import PostgresLists
from sourcing.store.markets import ProjectedMarkets
from sourcing.store.offer_index import OfferIndex
from sourcing.store.outages import RecordedOutages
from sourcing.store.placements import PlacedHours
from sourcing.store.searches import PostgresSearches


@dataclass
class PostgresSourcingWork(PostgresUnitOfWork):
    placed_hours: PlacedHours = field(kw_only=True)
    last_awards: LastAwards = field(kw_only=True)
    outage_log: OutageLog = field(kw_only=True)
    offer_index: OfferIndex = field(kw_only=True)
    secret_box: SecretBox = field(kw_only=True)

    @property
    def searches(self) -> PostgresSearches:
        return PostgresSearches(self, self.offer_index)

    @property
    def markets(self) -> ProjectedMarkets:
        return ProjectedMarkets(self.projections, self.placed_hours, self.last_awards)

    @property
    def lists(self) -> PostgresLists:
        return PostgresLists(self)

    @property
    def texts(self) -> PostgresTexts:
        return PostgresTexts(self, self.secret_box)

    @property
    def outages(self) -> RecordedOutages:
        return RecordedOutages(self.outage_log, self.now)
