"""Errors of `calloff replay`.

CallOffError
├── EvidenceArchived     the package's first events are in archives, so that its decisions cannot be made again
└── EvidenceUnreadable   an event of the evidence cannot be read by this release
"""

from contracts.errors import CallOffError


class EvidenceArchived(CallOffError):
    title = "Evidence archived"


class EvidenceUnreadable(CallOffError):
    title = "Evidence unreadable"
