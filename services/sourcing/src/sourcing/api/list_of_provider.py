"""A list as one provider gets it, and what the provider returns of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.errors import RetryLater
from contracts.events.lists import ListRecipient, ReturnChannel, RowResult
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import ListId, ProviderId
from list_documents.document import ListDocument
from list_documents.returns.matching import match_return
from list_documents.returns.returned import ReturnedList
from service_runtime.http.auth import Caller
from service_runtime.http.commands import CommandBus
from sourcing.api.list_files import build_list_document
from sourcing.api.list_returns import AppliedRow, ListReturn
from sourcing.api.lists import find_list_of, select_rows
from sourcing.handlers import RecordReturn
from sourcing.ports import ListDetails, ListQueries, ListRowDetails


class TitlesNotKnown(RetryLater):
    """The framework's definition, whose titles the list shows, has not been received yet."""

    title = "Not known here yet"


@dataclass(frozen=True)
class ListOfProvider:
    """The rows of a list that one provider gets, with the definition whose titles they show."""

    details: ListDetails
    recipient: ListRecipient
    rows: Sequence[ListRowDetails]
    definition: FrameworkDefinition

    @property
    def document(self) -> ListDocument:
        return build_list_document(self.details, self.recipient, self.rows, self.definition)

    async def apply(self, returned: ReturnedList, by: Caller, bus: CommandBus) -> Sequence[AppliedRow]:
        """Apply a return row by row; each row is a command of its own, and its repetition changes nothing."""
        matched = match_return(returned, self.document)
        return await ListReturn(self.details, self.recipient.provider_id, self.rows, by).apply(matched, bus)

    def build_record(
        self, content: bytes, applied: Sequence[AppliedRow], channel: ReturnChannel, by: Caller
    ) -> RecordReturn:
        """Build the record of a return; rows without an answer are left out."""
        return RecordReturn(
            list_id=self.details.sent.list_id,
            provider_id=self.recipient.provider_id,
            channel=channel,
            entered_by=None if by.provider_id is not None else by.actor,
            file_hash=hashlib.sha256(content).hexdigest(),
            rows=tuple(each.to_record() for each in applied if each.result is not RowResult.EMPTY),
        )


async def find_list_of_provider(
    list_id: ListId, caller: Caller, provider_id: ProviderId, lists: ListQueries
) -> ListOfProvider:
    """Find a list that went to the provider. Raises ListNotFound and TitlesNotKnown."""
    details, recipient = await find_list_of(list_id, caller, provider_id, lists)
    definition = await lists.find_definition(details.sent)
    if definition is None:
        raise TitlesNotKnown("the definition of the framework is not known here yet; try again", retry_after=1)
    return ListOfProvider(
        details, recipient, select_rows(details, recipient, await lists.list_rows(list_id)), definition
    )
