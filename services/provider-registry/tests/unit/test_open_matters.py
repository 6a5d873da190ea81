"""What is open about a package, and endpoints that are known."""

from dataclasses import replace

from contracts.events.notices import CallReason, NoticeKind
from contracts.examples import COUNCIL, an_id
from contracts.ids import CouncilKey, NoticeId, PackageId, ProposalId, ProviderId
from contracts.values import Channel
from provider_registry.domain.notice import NO_FACTS, Notice, NoticeState, StandingProposal
from provider_registry.domain.open_matters import NOTHING_OPEN
from provider_registry.store.known_endpoints import KnownEndpoints
from testkit.clocks import MONDAY_NINE

ALDER, BIRCH = ProviderId(an_id("Alder")), ProviderId(an_id("Birch"))
NOTICE = Notice(
    notice_id=NoticeId(an_id("first")),
    council=CouncilKey(COUNCIL),
    package_id=PackageId(an_id("package")),
    list_id=None,
    kind=NoticeKind.PACKAGE_PLACED,
    about=an_id("placement"),
    provider_id=ALDER,
    facts=NO_FACTS,
    channel=Channel.WEBHOOK,
    state=NoticeState.SENDING,
    created_at=MONDAY_NINE,
    due_at=MONDAY_NINE,
)


def test_a_notice_is_open_until_it_is_settled_and_again_when_its_mail_comes_back() -> None:
    told = NOTICE.mark_notified(Channel.EMAIL, MONDAY_NINE)
    waiting = told.put_on_call_list(CallReason.MAIL_BOUNCED)
    sending = NOTHING_OPEN.with_notice(NOTICE)
    assert sending.notices == (NOTICE,)
    assert sending.with_notice(told) == sending.without_notice(NOTICE.notice_id) == NOTHING_OPEN
    assert sending.with_notice(told).with_notice(waiting).notices == (waiting,)


def test_open_notices_are_in_the_order_of_their_ids() -> None:
    other = replace(NOTICE, notice_id=NoticeId(an_id("second")))
    both = NOTHING_OPEN.with_notice(NOTICE).with_notice(other)
    assert both == NOTHING_OPEN.with_notice(other).with_notice(NOTICE)


def test_the_newest_proposal_of_a_provider_replaces_its_older_one() -> None:
    first, second = (StandingProposal(ALDER, ProposalId(an_id(name)), NO_FACTS) for name in ("first", "second"))
    other = replace(first, provider_id=BIRCH)
    matters = NOTHING_OPEN.with_proposal(first).with_proposal(other).with_proposal(second)
    assert set(matters.proposals) == {other, second}
    assert matters.without_proposals() == NOTHING_OPEN


def test_the_endpoint_that_was_added_first_is_forgotten_first() -> None:
    known = KnownEndpoints(max_providers=1)
    known.add(ALDER)
    assert ALDER in known
    known.add(BIRCH)
    assert (ALDER in known, BIRCH in known) == (False, True)
