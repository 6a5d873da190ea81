"""Events about notices: what a provider is told of, by which channel, or that an officer has to call it.

A notice about a package is in the package's stream; one about a list is in the list's. What an offer's own events say
(OfferDelivered, OfferUndeliverable, CallRecorded) is not repeated.
"""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from contracts.events.base import HasProvider, HasReason
from contracts.events.lists import ListEvent
from contracts.ids import NoticeId, ProviderId
from contracts.values import Channel, Instant


class NoticeKind(StrEnum):
    """What providers are told of; the name of the webhook too."""

    OFFER_MADE = "offer.made"
    OFFER_EXTENDED = "offer.extended"
    OFFER_WITHDRAWN = "offer.withdrawn"
    OFFER_EXPIRED = "offer.expired"
    PACKAGE_PLACED = "package.placed"
    PLACEMENT_VOIDED = "placement.voided"
    PACKAGE_AVAILABLE = "package.available"
    PROPOSAL_NOT_CHOSEN = "proposal.not-chosen"
    COUNTER_OFFER_MADE = "counter-offer.made"
    LIST_ISSUED = "list.issued"


class CallReason(StrEnum):
    """Why an officer has to call the provider."""

    ONLY_BY_PHONE = "the provider has neither an endpoint nor a mailbox"
    WEBHOOK_FAILED = "the endpoint did not accept it, and there is no mailbox"
    MAIL_FAILED = "the mail could not be delivered"
    MAIL_BOUNCED = "the mail came back"


class ProviderNotified(HasProvider):
    """provider-registry: the provider was told: the endpoint's 2xx, the mail server's acceptance, an officer's call."""

    notice_id: NoticeId
    notice: NoticeKind = Field(description="what the provider was told of")
    about: UUID = Field(description="the offer, placement or proposal, or the reference of an open package")
    provider_id: ProviderId
    channel: Channel
    notified_at: Instant = Field(description="when the channel accepted it")


class CallNeeded(HasProvider, HasReason):
    """provider-registry: the provider could not be told by itself and is on the officers' call list from now on."""

    notice_id: NoticeId
    notice: NoticeKind = Field(description="what the provider has to be told of")
    about: UUID = Field(description="the offer, placement or proposal, or the reference of an open package")
    provider_id: ProviderId
    due_at: Instant = Field(description="by when to call")
    reason: CallReason


class ListDelivered(ListEvent):
    """provider-registry: a provider received its part of a list; the officer who calls reads it out."""

    part: int = Field(ge=1)
    notice_id: NoticeId
    provider_id: ProviderId
    channel: Channel
    notified_at: Instant = Field(description="when the channel accepted it")
    content_hash: str = Field(pattern=r"^[0-9a-f]{64}$", description="of the rows of the part, as it was issued")


class ListCallNeeded(ListEvent):
    """provider-registry: a list could not be sent to a provider, which is on the officers' call list from now on."""

    part: int = Field(ge=1)
    notice_id: NoticeId
    provider_id: ProviderId
    due_at: Instant = Field(description="by when to call")
    reason: CallReason
