"""The demonstration's provider systems: they receive webhooks, answer offers and lists, and bid for open packages."""

from collections.abc import Awaitable, Callable, Container, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from calloff.client import ApiClient, ApiResponse
from contracts.ids import UnitKey
from contracts.precedence import Precedence
from devstack.errors import ServiceRefused
from devstack.json_lines import JsonLinesWriter
from simulator.behaviour import WebhookReaction
from simulator.demo.behaviour import Bid, OfferBehaviour, PlannedAnswer, draw_bids, draw_offer_behaviour
from simulator.demo.list_answers import PlannedTick, describe_advert, draw_list_bids, draw_tick_kind, plan_ticks
from simulator.demo.market import has_dated_lists
from simulator.demo.schedule import DriverClock, Schedule
from simulator.demo.workbooks import return_workbook, uses_workbooks
from simulator.provider_systems import (
    LIST_ISSUED,
    OFFER_MADE,
    PACKAGE_AVAILABLE,
    PACKAGE_PLACED,
    AnswerLogEntry,
    DeclineIn,
    InterestIn,
    ProposalIn,
)
from simulator.webhook_receivers import ListedRow, PackageAdvert, ReceivedWebhook

PERSON_REQUEST_DELAY = timedelta(minutes=15)
_EARLY_SHARE: Final = 0.03
"""Share of the providers that propose for a package before it is on a list."""


class DemoProviderSystems:
    """One schedule for all providers. `create_client` returns a client with the provider's own token."""

    def __init__(
        self,
        sourcing_url: str,
        create_client: Callable[[UUID], ApiClient],
        *,
        clock: DriverClock,
        log: JsonLinesWriter[AnswerLogEntry],
        areas: Mapping[UUID, Container[str]],
        seed: int,
    ) -> None:
        """`areas` holds those in which each provider works."""
        self.schedule = Schedule("providers", Precedence.ANSWER)
        self._sourcing_url = sourcing_url
        self._create_client = create_client
        self._clock = clock
        self._log = log
        self._areas = areas
        self._seed = seed
        self._offers: dict[tuple[UUID, str], list[UUID | None]] = {}
        """The offers of the same care to a provider, in their order."""

    def choose_reaction(self, provider_id: UUID, webhook: ReceivedWebhook, attempt: int) -> WebhookReaction:
        if webhook.type != OFFER_MADE or webhook.data.care is None:
            return WebhookReaction.ACKNOWLEDGED
        return self._draw_behaviour(provider_id, webhook).reaction.get_reaction(attempt)

    async def handle_webhook(self, provider_id: UUID, webhook: ReceivedWebhook) -> None:
        """Schedule what the provider does about the webhook."""
        now = self._clock.now()
        if webhook.type == OFFER_MADE and webhook.data.care is not None:
            for turn, saying in enumerate(self._draw_behaviour(provider_id, webhook).answers):
                self.schedule.add(now + saying.delay, self._create_answer(provider_id, webhook, saying, turn))
        elif (
            webhook.type == PACKAGE_AVAILABLE
            and webhook.data.links.propose is not None
            and webhook.data.unit is not None
            and webhook.data.advert is not None
        ):
            for bid in self._draw_bids(provider_id, webhook.data.advert, webhook.data.unit):
                self.schedule.add(
                    now + bid.delay, self._create_proposal(provider_id, webhook, webhook.data.links.propose, bid)
                )
        elif webhook.type == LIST_ISSUED and webhook.data.closes_at is not None:
            self._plan_ticks(provider_id, webhook, webhook.data.closes_at)
        elif webhook.type == LIST_ISSUED:
            for row in webhook.data.rows:
                self._plan_list_bids(provider_id, webhook, row)
        elif webhook.type == PACKAGE_PLACED and webhook.data.links.person is not None:
            self.schedule.add(
                now + PERSON_REQUEST_DELAY, self._create_person_request(provider_id, webhook, webhook.data.links.person)
            )

    def _draw_behaviour(self, provider_id: UUID, webhook: ReceivedWebhook) -> OfferBehaviour:
        care = webhook.data.care
        assert care is not None, "only offers have a behaviour"
        care_text = care.model_dump_json()
        offers = self._offers.setdefault((provider_id, care_text), [])
        if webhook.data.offer_id not in offers:
            offers.append(webhook.data.offer_id)
        earlier = offers.index(webhook.data.offer_id)
        return draw_offer_behaviour(self._seed, provider_id, care_text, care.area, earlier_offers=earlier)

    def _draw_bids(self, provider_id: UUID, advert: PackageAdvert, unit: UnitKey) -> tuple[Bid, ...]:
        """Draw the bids for a package that has become open; where it waits for a list, few are too early."""
        chance = Random(f"{self._seed}/early/{provider_id}/{describe_advert(advert)}")
        if has_dated_lists(advert.area) and chance.random() > _EARLY_SHARE:
            return ()
        return draw_bids(self._seed, provider_id, describe_advert(advert), unit)

    def _plan_ticks(self, provider_id: UUID, webhook: ReceivedWebhook, closes_at: datetime) -> None:
        """Schedule the answers to a Batching List: those of one instant in a workbook, or each row on its own."""
        answers: dict[datetime, dict[UUID, bool]] = {}
        for row in webhook.data.rows:
            kind, reference = draw_tick_kind(self._seed, provider_id, row.advert), row.advert.reference
            for tick in plan_ticks(kind, now=self._clock.now(), closes_at=closes_at):
                answers.setdefault(tick.at, {})[reference] = tick.interested
                if not uses_workbooks(self._seed, provider_id) and row.links.interest is not None:
                    send = self._create_tick(provider_id, webhook, reference, row.links.interest, tick)
                    self.schedule.add(tick.at, send)
        if uses_workbooks(self._seed, provider_id):
            for at, ticks in answers.items():
                self.schedule.add(at, self._create_workbook(provider_id, webhook, ticks))

    def _create_tick(
        self, provider_id: UUID, webhook: ReceivedWebhook, reference: UUID, url: str, tick: PlannedTick
    ) -> Callable[[], Awaitable[None]]:
        body, client = InterestIn(interested=tick.interested), self._create_client(provider_id)
        what = _describe_tick(interested=tick.interested)

        async def send() -> None:
            await self._log_answer(provider_id, webhook, what, client.put(url, body), reference)

        return send

    def _create_workbook(
        self, provider_id: UUID, webhook: ReceivedWebhook, answers: Mapping[UUID, bool]
    ) -> Callable[[], Awaitable[None]]:
        url, client = f"{self._sourcing_url}/v1/lists/{webhook.data.list_id}", self._create_client(provider_id)

        async def send() -> None:
            for row in await return_workbook(client, url, answers):
                if row.reference is not None:
                    what = _describe_tick(interested=answers[row.reference])
                    self._write_log(provider_id, webhook, what, row.status, row.reference)
            self._write_log(provider_id, webhook, "return a list", 200, webhook.data.list_id)

        return send

    def _plan_list_bids(self, provider_id: UUID, webhook: ReceivedWebhook, row: ListedRow) -> None:
        """Schedule the proposals for a row of a list of available packages."""
        now, url = self._clock.now(), row.links.propose
        if url is None:
            return
        is_own_area = row.advert.area in self._areas.get(provider_id, ())
        day = now.date().isoformat()
        for bid in draw_list_bids(self._seed, provider_id, row.advert, row.unit, day=day, is_own_area=is_own_area):
            self.schedule.add(now + bid.delay, self._create_proposal(provider_id, webhook, url, bid))

    def _create_answer(
        self, provider_id: UUID, webhook: ReceivedWebhook, planned: PlannedAnswer, turn: int
    ) -> Callable[[], Awaitable[None]]:
        url = f"{self._sourcing_url}/v1/offers/{webhook.data.offer_id}/{planned.answer.value}"
        body = DeclineIn(reason=planned.reason) if planned.reason else None
        key = f"{webhook.data.offer_id}-{turn}"
        client = self._create_client(provider_id)

        async def answer() -> None:
            await self._log_answer(
                provider_id, webhook, planned.answer.value, client.post(url, body, idempotency_key=key)
            )

        return answer

    def _create_proposal(
        self, provider_id: UUID, webhook: ReceivedWebhook, url: str, bid: Bid
    ) -> Callable[[], Awaitable[None]]:
        body, client = ProposalIn(rate=bid.rate, variations=bid.variations), self._create_client(provider_id)

        async def propose() -> None:
            await self._log_answer(provider_id, webhook, "propose", client.post(url, body))

        return propose

    def _create_person_request(
        self, provider_id: UUID, webhook: ReceivedWebhook, url: str
    ) -> Callable[[], Awaitable[None]]:
        """Create the request for the person's data. The data is not stored."""
        client = self._create_client(provider_id)

        async def fetch_person() -> None:
            await self._log_answer(provider_id, webhook, "person", client.get(url))

        return fetch_person

    async def _log_answer(
        self,
        provider_id: UUID,
        webhook: ReceivedWebhook,
        what: str,
        request: Awaitable[ApiResponse],
        reference: UUID | None = None,
    ) -> None:
        """Log the status of the response. A refusal with 403, 404 or 409 is expected; other failures are raised."""
        try:
            status = (await request).status
        except ServiceRefused as refused:
            if refused.status not in {403, 404, 409}:
                raise
            status = refused.status
        self._write_log(provider_id, webhook, what, status, reference)

    def _write_log(
        self, provider_id: UUID, webhook: ReceivedWebhook, what: str, status: int, reference: UUID | None
    ) -> None:
        self._log.write(
            AnswerLogEntry(
                answered_at=self._clock.now(),
                provider_id=provider_id,
                package_id=webhook.data.package_id,
                offer_id=webhook.data.offer_id,
                what=what,
                status=status,
                reference=reference,
            )
        )


def _describe_tick(*, interested: bool) -> str:
    return "tick" if interested else "take a tick back"
