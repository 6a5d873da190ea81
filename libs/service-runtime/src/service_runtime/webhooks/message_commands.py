"""Commands on kept messages, the same in every service: send again, acknowledge."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.errors import Conflict, FieldError, InvalidInput, NotFound
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks.endpoint_queries import find_endpoint_state
from service_runtime.webhooks.endpoints import EndpointNotFound
from service_runtime.webhooks.kept_messages import MAX_REPLAYED, FoundMessage, KeptMessages


class MessageNotFound(NotFound):
    """The owner has no such webhook."""

    title = "Message not found"


class MessageNotReplayable(Conflict):
    """The webhook cannot be sent again now."""

    title = "Message cannot be sent again"


class EndpointIsDisabled(Conflict):
    """Nothing is sent to a disabled endpoint."""

    title = "Endpoint disabled"


@dataclass(frozen=True)
class ReplayMessage:
    owner: str
    webhook_id: UUID


@dataclass(frozen=True)
class ReplayMessages:
    """All messages queued since then that did not arrive and are not acknowledged, at most MAX_REPLAYED of them."""

    owner: str
    since: datetime


@dataclass(frozen=True)
class AcknowledgeMessages:
    owner: str
    webhook_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class ReplayedMessages:
    """How many messages are sent again, and whether there are more of them."""

    replayed: int
    has_more: bool


async def replay_message(command: ReplayMessage, work: PostgresUnitOfWork) -> ReplayedMessages:
    """Sends one webhook again, whether it arrived or not.

    Raises MessageNotFound, MessageNotReplayable, EndpointNotFound and EndpointIsDisabled.
    """
    messages = KeptMessages(work, command.owner)
    found = (await messages.find([command.webhook_id])).get(command.webhook_id)
    if found is None:
        message = "there is no webhook with this id; use an id of your delivery log"
        raise MessageNotFound(message)
    _check_replayable(found)
    await _check_enabled(command.owner, work)
    messages.send_again([found.id])
    return ReplayedMessages(1, has_more=False)


async def replay_messages(command: ReplayMessages, work: PostgresUnitOfWork) -> ReplayedMessages:
    """Sends the messages again, the oldest first. Raises EndpointNotFound and EndpointIsDisabled."""
    await _check_enabled(command.owner, work)
    messages = KeptMessages(work, command.owner)
    found = await messages.find_undelivered(since=command.since, limit=MAX_REPLAYED + 1)
    if found:
        messages.send_again(found[:MAX_REPLAYED])
    return ReplayedMessages(min(len(found), MAX_REPLAYED), has_more=len(found) > MAX_REPLAYED)


async def acknowledge_messages(command: AcknowledgeMessages, work: PostgresUnitOfWork) -> None:
    """Takes messages off the list; those acknowledged before stay so.

    Raises InvalidInput that names each id that is not of an undelivered message of this owner.
    """
    messages = KeptMessages(work, command.owner)
    ids = list(dict.fromkeys(command.webhook_ids))
    _check_undelivered(command.webhook_ids, await messages.find(ids))
    messages.acknowledge(ids)


def _check_undelivered(ids: Sequence[UUID], found: dict[UUID, FoundMessage]) -> None:
    undelivered = {each.id for each in found.values() if each.is_finished and each.outcome == "undeliverable"}
    why = "there is no undelivered message with this id; acknowledge ids of the list of messages"
    wrong = [FieldError(f"#/webhook_ids/{n}", why) for n, each in enumerate(ids) if each not in undelivered]
    if wrong:
        raise InvalidInput(*wrong)


def _check_replayable(found: FoundMessage) -> None:
    if not found.is_finished:
        message = "this webhook is still being sent; its attempts are in the delivery log"
        raise MessageNotReplayable(message)
    if found.outcome == "cancelled":
        message = "this webhook was cancelled before it was sent, because what it announced had ended"
        raise MessageNotReplayable(message)
    if not found.has_body:
        message = "the content of this webhook is no longer kept; read what it announced by its links"
        raise MessageNotReplayable(message)


async def _check_enabled(owner: str, work: PostgresUnitOfWork) -> None:
    state = await find_endpoint_state(work, owner)
    if state is None:
        message = "there is no webhook endpoint; register one first"
        raise EndpointNotFound(message)
    if state.disabled_because is not None:
        message = "the endpoint is disabled; put it again, which enables it, then send the messages again"
        raise EndpointIsDisabled(message)
