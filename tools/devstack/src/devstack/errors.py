"""Errors that the command line prints as one message instead of a traceback.

CallOffError
├── EmbeddedServerError      see devstack.embedded.errors
├── NotRunning               no stack runs on this folder
├── AlreadyRunning           a stack runs on this folder already
├── DiskFull                 there is no room for what the stack writes
├── StackFailed              a process of the stack did not start, or a step of the set-up failed
├── Interrupted              Ctrl-C before the stack was up
├── NothingToRestore         the folder holds no complete back-up
├── DataAlreadyExists        there are databases or files where new ones would be written
├── RecordIncomplete         the audit record does not hold all that Kafka held
├── BackUpFailed             a database could not be copied or restored
├── Inconsistent             databases hold effects of events that others lack: they are not of one instant
├── UnknownIdentity          the issuer knows no client of this name
├── InvalidInstallation      a file with addresses and clients is missing or wrong
├── NoCredentials            neither a token nor a client with the needed scopes is known
├── InvalidTime              the text is no instant and no duration
├── NotSimulated             the stack runs on real time, which cannot be moved
├── NeverIdle                the services do not become idle, so the simulated clock cannot be moved
├── InstantInPast            a simulated clock cannot be set back
├── ParticipantUnreachable   a participant of the simulation does not answer
├── NoTraceFound             there are no spans of this package
├── ServiceUnreachable       the service does not answer at its address
└── ServiceRefused           the service answered with an error; its problem details are passed on
"""

from collections.abc import Sequence

from contracts.errors import CallOffError


class NotRunning(CallOffError):
    title = "Call-off is not running"


class AlreadyRunning(CallOffError):
    title = "Call-off is already running"


class DiskFull(CallOffError):
    title = "The disk is full"


class StackFailed(CallOffError):
    title = "The stack did not start"


class Interrupted(CallOffError):
    title = "Interrupted"


class NothingToRestore(CallOffError):
    title = "No back-up found"


class DataAlreadyExists(CallOffError):
    title = "Data already exists"


class RecordIncomplete(CallOffError):
    title = "The audit record is incomplete"


class BackUpFailed(CallOffError):
    title = "The databases were not copied"


class Inconsistent(CallOffError):
    title = "The databases are not of one instant"


class InvalidInstallation(CallOffError):
    title = "Invalid installation file"


class NoCredentials(CallOffError):
    title = "No credentials"


class UnknownIdentity(CallOffError):
    title = "Unknown identity"


class InvalidTime(CallOffError):
    title = "Invalid time"


class NotSimulated(CallOffError):
    title = "The clock is not simulated"


class NeverIdle(CallOffError):
    title = "The services do not become idle"


class InstantInPast(CallOffError):
    title = "The instant is in the past"


class ParticipantUnreachable(CallOffError):
    title = "No answer"


class NoTraceFound(CallOffError):
    title = "No trace found"


class ServiceUnreachable(CallOffError):
    title = "The service does not answer"


class ServiceRefused(CallOffError):
    """The problem details of the service; `retry_after` is in seconds, None without a Retry-After header."""

    title = "The service refused the request"

    def __init__(
        self, status: int, detail: str, *, fields: Sequence[str] = (), retry_after: float | None = None
    ) -> None:
        super().__init__("\n  ".join([f"{status}: {detail}", *fields]))
        self.status = status
        self.retry_after = retry_after

    @property
    def is_transient(self) -> bool:
        """The same request can succeed later: the service asks for a retry, or failed itself (5xx)."""
        return self.retry_after is not None or self.status >= 500
