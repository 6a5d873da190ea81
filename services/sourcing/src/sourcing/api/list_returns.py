"""Applies a returned list row by row: each row is a tick or a proposal for its package, with an outcome of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from contracts.errors import CallOffError, RetryLater
from contracts.events.listings import ProposalRefusal
from contracts.events.lists import ListKind, ReturnedListRow, RowResult
from contracts.ids import ListingReference, ProviderId, ReasonKey
from list_documents.returns.returned import ProblemKind, ReturnedList, ReturnedRow
from service_runtime.http.auth import Caller
from service_runtime.http.commands import CommandBus
from sourcing.api.callers import to_stream_key
from sourcing.domain.steps import ProposalNotUsed, Proposed, Ticked, TickNotUsed
from sourcing.domain.triggers import RegisterInterest, SubmitProposal
from sourcing.handlers import CommandResult, handle_command
from sourcing.ports import ListDetails, ListRowDetails

_RESULTS: Final[Mapping[ProblemKind, RowResult]] = {
    ProblemKind.NOT_ON_THIS_LIST: RowResult.NOT_OF_THIS_LIST,
    ProblemKind.NOT_A_REFERENCE: RowResult.NOT_OF_THIS_LIST,
    ProblemKind.CONTRADICTED: RowResult.CONTRADICTORY,
    ProblemKind.REPEATED: RowResult.EMPTY,
}
"""What comes of a row that has a problem; any other problem means that it cannot be read."""


@dataclass(frozen=True)
class AppliedRow:
    """One row of a return with what came of it, in words for the provider."""

    row: ReturnedRow
    result: RowResult
    text: str

    @property
    def is_problem(self) -> bool:
        return self.result not in {RowResult.INTERESTED, RowResult.NOT_INTERESTED, RowResult.PROPOSED, RowResult.EMPTY}

    def to_record(self) -> ReturnedListRow:
        """Return what is recorded of the row: no text that was typed."""
        reference = None if self.row.reference is None else ListingReference(self.row.reference)
        edited = self.row.is_edited
        return ReturnedListRow(line=self.row.number, reference=reference, result=self.result, edited=edited)


@dataclass(frozen=True)
class ListReturn:
    """A return of one list by one provider, or by an officer for it."""

    details: ListDetails
    provider_id: ProviderId
    rows: Sequence[ListRowDetails]
    by: Caller

    async def apply(self, returned: ReturnedList, bus: CommandBus) -> Sequence[AppliedRow]:
        """Apply the rows one after another; a row that fails stops no other."""
        packages = {row.added.advert.reference: row for row in self.rows}
        return [await self._apply_row(row, packages, bus) for row in returned.rows]

    async def _apply_row(
        self, row: ReturnedRow, packages: Mapping[ListingReference, ListRowDetails], bus: CommandBus
    ) -> AppliedRow:
        if row.problem is not None:
            return AppliedRow(row, _RESULTS.get(row.problem.kind, RowResult.UNREADABLE), row.problem.text)
        if not row.has_answer or row.reference is None:
            return AppliedRow(row, RowResult.EMPTY, f"{row.where}: no answer")
        listed = packages[ListingReference(row.reference)]
        command = self._build_command(row, listed)
        if command is None:
            return AppliedRow(row, RowResult.NOT_INTERESTED, f"{row.where}: not interested")
        try:
            result = await bus.execute_part(command, handle_command, on=to_stream_key(command.package_id), by=self.by)
        except CallOffError as error:
            kind = RowResult.TRY_AGAIN if isinstance(error, RetryLater) else RowResult.REFUSED
            return AppliedRow(row, kind, f"{row.where}: {error}")
        return _describe_outcome(row, result)

    def _build_command(self, row: ReturnedRow, listed: ListRowDetails) -> RegisterInterest | SubmitProposal | None:
        """Build the command of a row; None for a No where nothing was ticked before."""
        package_id, list_id = listed.search.package_id, self.details.sent.list_id
        if self.details.sent.kind is ListKind.BATCHING_LIST:
            entry = listed.search.batching
            was_ticked = entry is not None and self.provider_id in entry.ticks
            interested = bool(row.is_interested)
            if not interested and not was_ticked:
                return None
            return RegisterInterest(package_id, list_id, self.provider_id, interested)
        assert row.rate is not None, "a proposal without a rate has a problem"
        variations = tuple(map(ReasonKey, row.variations))
        return SubmitProposal(package_id, self.provider_id, row.rate, variations, row.can_start_on)


def _describe_outcome(row: ReturnedRow, result: CommandResult) -> AppliedRow:
    match result.outcome:
        case Ticked(interested=True, is_for_officer=is_for_officer):
            also = "; the package is urgent, and officers see your answer" if is_for_officer else ""
            return AppliedRow(row, RowResult.INTERESTED, f"{row.where}: interested{also}")
        case Ticked():
            return AppliedRow(row, RowResult.NOT_INTERESTED, f"{row.where}: not interested any more")
        case TickNotUsed(reason=reason):
            return AppliedRow(row, RowResult.NOT_USED, f"{row.where}: recorded and not used, because {reason}")
        case Proposed(proposal=proposal):
            text = f"{row.where}: your proposal of £{proposal.terms.rate:.2f} is received"
            return AppliedRow(row, RowResult.PROPOSED, text)
        case ProposalNotUsed(reasons=reasons):
            shown = [reason for reason in reasons if reason is not ProposalRefusal.REFUSED_BY_PERSON]
            why = ", ".join(shown) or "this package cannot be placed with you"  # the person's refusal is confidential
            return AppliedRow(row, RowResult.NOT_USED, f"{row.where}: recorded and not used, because {why}")
        case _:
            message = "a row of a list is a tick or a proposal"
            raise AssertionError(message)


def describe_current_answers(rows: Sequence[ListRowDetails], provider_id: ProviderId) -> Mapping[UUID, ReturnedRow]:
    """Describe what the provider has answered so far, as rows of a return."""
    answers = (_describe_current_answer(number, row, provider_id) for number, row in enumerate(rows, start=1))
    return {each.reference: each for each in answers if each is not None and each.reference is not None}


def _describe_current_answer(number: int, row: ListRowDetails, provider_id: ProviderId) -> ReturnedRow | None:
    where, reference = f"package {number}", row.added.advert.reference
    if row.added.kind is ListKind.BATCHING_LIST:
        entry = row.search.batching
        is_ticked = entry is not None and provider_id in entry.ticks
        return ReturnedRow(where, number, reference, is_interested=True) if is_ticked else None
    proposal = None if row.search.listing is None else row.search.listing.find_proposal_of(provider_id)
    if proposal is None:
        return None
    return ReturnedRow(
        where,
        number,
        reference,
        rate=proposal.terms.rate,
        variations=proposal.variations,
        can_start_on=proposal.can_start_on,
    )
