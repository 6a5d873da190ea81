"""Notices about proposals: counter-offers, and proposals that are not chosen."""

from contracts.events.listings import ProposalReceived
from contracts.events.notices import NoticeKind
from contracts.events.offers import OfferMade
from contracts.events.officer_acts import CounterOfferMade
from contracts.events.searches import PackagePlaced, SourcingStopped
from contracts.examples import an_example_of, an_id
from contracts.framework.titles import Titles
from contracts.ids import ProposalId
from contracts.values import Channel
from provider_registry.domain.notice import NoticeState
from provider_registry.domain.notice_words import build_call_script
from provider_registry.handlers.offers import send_offer
from provider_registry.handlers.package_notices import (
    notify_of_counter_offer,
    notify_of_placement,
    notify_of_stop,
    remember_proposal,
)
from testkit.provider_registry.notice_steps import (
    ALDER,
    BIRCH,
    PACKAGE,
    PLACEMENT,
    a_work,
    add_channels,
    get_notice,
    get_notice_by_id,
)


async def test_a_placement_tells_the_other_proposers_once_and_ends_calls_about_offers() -> None:
    work = await a_work(Channel.WEBHOOK)
    await add_channels(work, Channel.WEBHOOK, of=BIRCH)
    await send_offer(an_example_of(OfferMade, channel=Channel.PHONE), work)
    for provider, proposal in ((ALDER, "first"), (BIRCH, "second"), (BIRCH, "third")):
        event = an_example_of(ProposalReceived, provider_id=provider, proposal_id=ProposalId(an_id(proposal)))
        await remember_proposal(event, work)
    await notify_of_placement(an_example_of(PackagePlaced, offer_id=None), work)
    sent = {(each.owner, each.kind, each.about) for each in work.webhooks}
    assert sent == {
        (str(ALDER), "package.placed", str(PLACEMENT)),
        (str(BIRCH), "proposal.not-chosen", str(an_id("third"))),
    }
    assert get_notice(work, NoticeKind.OFFER_MADE).state is NoticeState.LAPSED
    await notify_of_placement(an_example_of(PackagePlaced, offer_id=None), work)
    assert [each.kind for each in work.webhooks].count("proposal.not-chosen") == 1


async def test_a_counter_offer_is_told_with_its_rate_and_its_end_and_the_newest_one_only() -> None:
    work = await a_work()
    await remember_proposal(an_example_of(ProposalReceived), work)
    counter_offer = an_example_of(CounterOfferMade)
    await notify_of_counter_offer(counter_offer, work)
    await notify_of_counter_offer(counter_offer, work)
    older, newest = work.tables.notices.notices.values()
    assert (older.state, newest.state) == (NoticeState.LAPSED, NoticeState.TO_CALL)
    said = " ".join(build_call_script(newest.kind, newest.facts, Titles(None)))
    assert f"Rate: £{counter_offer.terms.rate:.2f} for each " in said
    assert "Answer before: " in said
    assert newest.facts.service_type is not None, "of the proposal"
    await notify_of_placement(an_example_of(PackagePlaced), work)
    assert not get_notice_by_id(work, newest.notice_id).is_open


async def test_the_webhook_of_a_counter_offer_does_not_name_the_package() -> None:
    work = await a_work(Channel.WEBHOOK)
    await notify_of_counter_offer(an_example_of(CounterOfferMade), work)
    (webhook,) = work.webhooks
    assert webhook.kind == "counter-offer.made"
    assert str(PACKAGE) not in str(webhook.data)


async def test_a_withdrawn_package_tells_those_whose_proposals_stood() -> None:
    work = await a_work(Channel.WEBHOOK)
    await remember_proposal(an_example_of(ProposalReceived), work)
    await notify_of_stop(an_example_of(SourcingStopped), work)
    (webhook,) = work.webhooks
    assert (webhook.kind, webhook.data["reason"]) == ("proposal.not-chosen", "the council withdrew the package")
