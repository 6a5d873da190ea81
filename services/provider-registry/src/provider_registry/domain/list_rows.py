"""The rows of a list that one recipient gets, in its order."""

from contracts.events.lists import AvailablePackagesIssued, BatchingListIssued, ListRecipient


def select_batching_rows(issued: BatchingListIssued, recipient: ListRecipient) -> BatchingListIssued | None:
    """Returns the list with the rows of the recipient's areas only; None if there is none."""
    rows = tuple(row for row in issued.rows if row.advert.area in recipient.areas)
    return issued.model_copy(update={"rows": rows, "recipients": (recipient,)}) if rows else None


def select_available_packages(issued: AvailablePackagesIssued, recipient: ListRecipient) -> AvailablePackagesIssued:
    """Returns the list with all rows, those of the recipient's areas first."""
    rows = tuple(sorted(issued.rows, key=lambda row: row.advert.area not in recipient.areas))
    return issued.model_copy(update={"rows": rows, "recipients": (recipient,)})
