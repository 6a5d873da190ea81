"""Lists on a running registry: webhook, mail and call for each recipient, each with its own rows."""

from datetime import timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from contracts.catalogue import LISTS
from contracts.events.base import Event
from contracts.events.lists import (
    AvailablePackagesIssued,
    BatchingListClosed,
    BatchingListIssued,
    ListRecipient,
    ListRow,
)
from contracts.events.notices import CallReason, ListCallNeeded, ListDelivered
from contracts.examples import COLCHESTER, an_example_of
from contracts.ids import ListId, ListingReference, ProviderId
from contracts.list_links import ListLinkSigner
from contracts.values import Channel
from list_documents.returns.reading import read_return
from testkit.databases import fetch_number
from testkit.provider_registry.builders import TENDRING
from testkit.provider_registry.notice_harness import LINK_KEY, NoticeHarness
from testkit.waiting import wait_until

IssuedT = TypeVar("IssuedT", BatchingListIssued, AvailablePackagesIssued)

LINK = "https://sourcing.example/v1/list-links/"


def a_row(area: str) -> ListRow:
    row = an_example_of(BatchingListIssued).rows[0]
    advert = row.advert.model_copy(update={"area": area, "reference": ListingReference(uuid4())})
    return row.model_copy(update={"advert": advert})


def an_issued_list(notices: NoticeHarness, kind: type[IssuedT], **changed: object) -> IssuedT:
    harness = notices.harness
    usual: dict[str, object] = {
        "list_id": ListId(uuid4()),
        "framework": harness.framework,
        "definition_version": 1,
        "issued_at": harness.clock.now(),
        "part": 1,
    }
    return an_example_of(kind, **{**usual, **changed})


async def register(notices: NoticeHarness) -> tuple[ProviderId, ProviderId, ProviderId, str]:
    """Registers providers with an endpoint, with a mailbox, and with neither; returns the mailbox's address too.

    The framework of the harness is published, whose titles lists show.
    """
    harness = notices.harness
    assert (await harness.publish_definition()).status in {200, 201}
    alder = await harness.register_provider(with_endpoint=True)
    birch = await harness.register_provider("Birch Care Ltd")
    cedar = await harness.register_provider("Cedar Care Ltd")
    return alder, birch, cedar, await notices.set_mailbox(birch)


async def wait_for_list_events(notices: NoticeHarness, list_id: UUID, number: int) -> list[Event]:
    async def find() -> list[Event]:
        found = await notices.harness.read_events(str(list_id), topic=LISTS)
        return found if len(found) >= number else []

    return await wait_until(find, within=20)


async def test_a_batching_list_reaches_each_recipient_by_its_channel_with_its_rows(notices: NoticeHarness) -> None:
    harness = notices.harness
    alder, birch, cedar, address = await register(notices)
    here, there = a_row(COLCHESTER), a_row(TENDRING)
    issued = an_issued_list(
        notices,
        BatchingListIssued,
        rows=(here, there),
        recipients=(
            ListRecipient(provider_id=alder, areas=(COLCHESTER, TENDRING)),
            ListRecipient(provider_id=birch, areas=(TENDRING,)),
            ListRecipient(provider_id=cedar, areas=(COLCHESTER,)),
        ),
    )
    await harness.publish(issued)
    events = await wait_for_list_events(notices, issued.list_id, 3)
    delivered = {(each.provider_id, each.channel) for each in events if isinstance(each, ListDelivered)}
    assert delivered == {(alder, Channel.WEBHOOK), (birch, Channel.EMAIL)}
    assert {each.content_hash for each in events if isinstance(each, ListDelivered)} == {issued.content_hash}
    (needed,) = [each for each in events if isinstance(each, ListCallNeeded)]
    assert (needed.provider_id, needed.reason) == (cedar, CallReason.ONLY_BY_PHONE)

    (webhook,) = harness.receiver.get_received(alder)
    data = webhook.content["data"]
    assert (webhook.content["type"], data["list"], len(data["rows"])) == ("list.issued", "batching-list", 2)
    (received,) = notices.mail.find_mail(address)
    assert str(there.advert.reference) in received.text
    assert str(there.advert.reference) in received.html
    assert str(here.advert.reference) not in received.text + received.html
    (workbook,) = received.attachments.values()
    assert [row.reference for row in read_return(workbook).rows] == [there.advert.reference]
    token = received.text.split(LINK)[1].split()[0]
    link = ListLinkSigner(LINK_KEY).verify_token(token, now=harness.clock.now())
    assert (link.list_id, link.provider_id) == (issued.list_id, birch)

    (call,) = await notices.find_calls(cedar)
    assert (call["list_id"], call["kind"]) == (str(issued.list_id), "list.issued")
    assert "Packages: 1." in call["say"]
    assert call["read_at"] == f"/v1/council/lists/{issued.list_id}"
    await harness.publish(an_example_of(BatchingListClosed, list_id=issued.list_id))

    async def has_lapsed() -> bool:
        return await notices.find_calls(cedar) == []

    await wait_until(has_lapsed)


async def test_a_queued_mail_of_a_list_names_it_and_does_not_carry_it(notices: NoticeHarness) -> None:
    harness = notices.harness
    _, birch, _, address = await register(notices)
    rows = tuple(a_row(COLCHESTER) for _ in range(200))
    issued = an_issued_list(
        notices,
        AvailablePackagesIssued,
        rows=rows,
        recipients=(ListRecipient(provider_id=birch, areas=()),),
    )
    await harness.publish(issued)
    await wait_for_list_events(notices, issued.list_id, 1)
    query = "SELECT length(body) FROM deliveries WHERE key = :list_id"
    assert await fetch_number(harness.database, query, list_id=str(issued.list_id)) < 400
    (received,) = notices.mail.find_mail(address)
    assert all(str(row.advert.reference) in received.html for row in rows)


async def test_the_mail_of_a_list_has_one_message_id_however_often_it_is_tried(notices: NoticeHarness) -> None:
    harness = notices.harness
    _, birch, _, address = await register(notices)
    notices.mail.reply_codes[address] = 450
    issued = an_issued_list(
        notices,
        AvailablePackagesIssued,
        recipients=(ListRecipient(provider_id=birch, areas=()),),
    )
    await harness.publish(issued)
    await wait_until(lambda: address in notices.mail.attempts)
    del notices.mail.reply_codes[address]
    harness.clock.advance(timedelta(minutes=5))
    (told,) = await wait_for_list_events(notices, issued.list_id, 1)
    assert isinstance(told, ListDelivered)
    (received,) = notices.mail.find_mail(address)
    assert received.mail["Message-ID"] == f"<{told.notice_id}@calloff.example>"


async def test_a_part_that_joins_a_list_late_is_a_notice_of_its_own(notices: NoticeHarness) -> None:
    harness = notices.harness
    alder, _, _, _ = await register(notices)
    list_id = ListId(uuid4())
    for part in (1, 2):
        issued = an_issued_list(
            notices,
            BatchingListIssued,
            list_id=list_id,
            part=part,
            recipients=(ListRecipient(provider_id=alder, areas=(COLCHESTER,)),),
            rows=(a_row(COLCHESTER),),
        )
        await harness.publish(issued)
    events = await wait_for_list_events(notices, list_id, 2)
    assert [each.part for each in events if isinstance(each, ListDelivered)] == [1, 2]
    assert [each.content["data"]["part"] for each in harness.receiver.get_received(alder)] == [1, 2]


async def test_recipients_with_the_same_areas_get_the_same_workbook_and_links_of_their_own(
    notices: NoticeHarness,
) -> None:
    harness = notices.harness
    _, birch, cedar, first = await register(notices)
    second = await notices.set_mailbox(cedar)
    recipients = tuple(ListRecipient(provider_id=each, areas=(COLCHESTER,)) for each in (birch, cedar))
    issued = an_issued_list(notices, AvailablePackagesIssued, recipients=recipients)
    await harness.publish(issued)
    await wait_for_list_events(notices, issued.list_id, 2)
    mails = [notices.mail.find_mail(address)[0] for address in (first, second)]
    assert mails[0].attachments == mails[1].attachments
    tokens = [mail.text.split(LINK)[1].split()[0] for mail in mails]
    links = [ListLinkSigner(LINK_KEY).verify_token(token, now=harness.clock.now()) for token in tokens]
    assert [link.provider_id for link in links] == [birch, cedar]


async def test_a_list_whose_definition_is_not_published_is_telephoned(notices: NoticeHarness) -> None:
    harness = notices.harness
    _, birch, _, _ = await register(notices)
    recipients = (ListRecipient(provider_id=birch, areas=()),)
    issued = an_issued_list(notices, AvailablePackagesIssued, recipients=recipients, definition_version=9)
    await harness.publish(issued)

    async def has_been_tried() -> bool:
        log = await harness.request("GET", f"/v1/providers/{birch}/deliveries")
        return any(each["attempts"] for each in log.body["items"])

    await wait_until(has_been_tried)
    harness.clock.advance(timedelta(minutes=31))
    (needed,) = await wait_for_list_events(notices, issued.list_id, 1)
    assert isinstance(needed, ListCallNeeded)
    assert needed.reason is CallReason.MAIL_FAILED
