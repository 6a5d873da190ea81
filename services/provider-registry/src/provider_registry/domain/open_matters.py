"""What is open about a package: notices that are neither told nor lapsed, and proposals that stand."""

from dataclasses import dataclass, replace

from contracts.ids import NoticeId
from provider_registry.domain.notice import Notice, StandingProposal


@dataclass(frozen=True)
class OpenMatters:
    """Notices are in the order of their ids."""

    notices: tuple[Notice, ...] = ()
    proposals: tuple[StandingProposal, ...] = ()

    def with_notice(self, notice: Notice) -> "OpenMatters":
        """Returns the matters with the notice in place of its older state; a settled one is not open."""
        others = self.without_notice(notice.notice_id)
        if not notice.is_open:
            return others
        notices = sorted((*others.notices, notice), key=lambda each: each.notice_id)
        return replace(others, notices=tuple(notices))

    def without_notice(self, notice_id: NoticeId) -> "OpenMatters":
        return replace(self, notices=tuple(each for each in self.notices if each.notice_id != notice_id))

    def with_proposal(self, proposal: StandingProposal) -> "OpenMatters":
        """Returns the matters with the proposal in place of its provider's older one."""
        others = (each for each in self.proposals if each.provider_id != proposal.provider_id)
        return replace(self, proposals=(*others, proposal))

    def without_proposals(self) -> "OpenMatters":
        return replace(self, proposals=())


NOTHING_OPEN = OpenMatters()
