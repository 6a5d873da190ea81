"""The demonstration's provider systems: they receive webhooks, answer offers and bid for open packages."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from calloff.client import ApiClient, ApiResponse
from contracts.ids import UnitKey
from contracts.precedence import Precedence
from devstack.errors import ServiceRefused
from devstack.json_lines import JsonLinesWriter
from simulator.behaviour import WebhookReaction
from simulator.demo.behaviour import Bid, OfferBehaviour, PlannedAnswer, draw_bids, draw_offer_behaviour
from simulator.demo.schedule import DriverClock, Schedule
from simulator.provider_systems import (
    OFFER_MADE,
    PACKAGE_AVAILABLE,
    PACKAGE_PLACED,
    AnswerLogEntry,
    DeclineIn,
    ProposalIn,
)
from simulator.webhook_receivers import ReceivedWebhook

PERSON_REQUEST_DELAY = timedelta(minutes=15)


class DemoProviderSystems:
    """One schedule for all providers. `create_client` returns a client with the provider's own token."""

    def __init__(
        self,
        sourcing_url: str,
        create_client: Callable[[UUID], ApiClient],
        *,
        clock: DriverClock,
        log: JsonLinesWriter[AnswerLogEntry],
        seed: int,
    ) -> None:
        self.schedule = Schedule("providers", Precedence.ANSWER)
        self._sourcing_url = sourcing_url
        self._create_client = create_client
        self._clock = clock
        self._log = log
        self._seed = seed

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
        ):
            for bid in self._draw_bids(provider_id, webhook, webhook.data.unit):
                self.schedule.add(
                    now + bid.delay, self._create_proposal(provider_id, webhook, webhook.data.links.propose, bid)
                )
        elif webhook.type == PACKAGE_PLACED and webhook.data.links.person is not None:
            self.schedule.add(
                now + PERSON_REQUEST_DELAY, self._create_person_request(provider_id, webhook, webhook.data.links.person)
            )

    def _draw_behaviour(self, provider_id: UUID, webhook: ReceivedWebhook) -> OfferBehaviour:
        assert webhook.data.care is not None, "only offers have a behaviour"
        return draw_offer_behaviour(
            self._seed, provider_id, webhook.data.care.model_dump_json(), webhook.data.care.area
        )

    def _draw_bids(self, provider_id: UUID, webhook: ReceivedWebhook, unit: UnitKey) -> tuple[Bid, ...]:
        advert = webhook.data.advert
        if advert is None:
            return ()
        advert_text = f"{advert.area}/{advert.weekly_hours}/{advert.age_band}/{'/'.join(advert.skills)}"
        return draw_bids(self._seed, provider_id, advert_text, unit)

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
        self, provider_id: UUID, webhook: ReceivedWebhook, what: str, request: Awaitable[ApiResponse]
    ) -> None:
        """Log the status of the response. A refusal with 403, 404 or 409 is expected; other failures are raised."""
        try:
            status = (await request).status
        except ServiceRefused as refused:
            if refused.status not in {403, 404, 409}:
                raise
            status = refused.status
        self._log.write(
            AnswerLogEntry(
                answered_at=self._clock.now(),
                provider_id=provider_id,
                package_id=webhook.data.package_id,
                offer_id=webhook.data.offer_id,
                what=what,
                status=status,
            )
        )
