"""What the command tells the person at the keyboard instead of a traceback.

CallOffError
├── EmbeddedServerError   see devstack.embedded.errors
├── NotRunning            there is no stack here; start one
├── AlreadyRunning        one is running here; use it or end it
├── StackFailed           a part of the stack did not come up, or a step of its set-up did not end well
├── Interrupted           Ctrl-C came before everything was up
├── NothingToRestore      the folder holds no complete copy
├── DataInTheWay          there are databases here already, and nobody said that they may go
├── RecordHasHoles        audit's record does not give back what Kafka held
├── UnknownIdentity       no token is made for this name
├── NotATime              no instant, or no length of time
├── NotSimulated          time passes by itself here, and nobody can move it
├── NeverAtRest           something goes on and on, so that time cannot be moved
├── TimeRefused           time does not go back
├── Unanswered            a participant of the simulation does not say how busy it is
├── NothingTraced         nothing is known of how this package was worked on
├── ServiceUnreachable    nothing answers at the service's address
└── ServiceRefused        a service answered with an error, which is passed on as it came
"""

from collections.abc import Sequence

from contracts.errors import CallOffError


class NotRunning(CallOffError):
    title = "Call-off does not run here"


class AlreadyRunning(CallOffError):
    title = "Call-off runs here already"


class StackFailed(CallOffError):
    title = "The stack did not come up"


class Interrupted(CallOffError):
    title = "Interrupted"


class NothingToRestore(CallOffError):
    title = "There is nothing to restore"


class DataInTheWay(CallOffError):
    title = "There is data here"


class RecordHasHoles(CallOffError):
    title = "The record has holes"


class UnknownIdentity(CallOffError):
    title = "Nobody is known by this name"


class NotATime(CallOffError):
    title = "This is no time"


class NotSimulated(CallOffError):
    title = "Time passes by itself here"


class NeverAtRest(CallOffError):
    title = "Time cannot be moved"


class TimeRefused(CallOffError):
    title = "Time does not go back"


class Unanswered(CallOffError):
    title = "No answer"


class NothingTraced(CallOffError):
    title = "Nothing is traced"


class ServiceUnreachable(CallOffError):
    title = "The service does not answer"


class ServiceRefused(CallOffError):
    """The service's own words; `retry_after` in seconds where it asked to come again."""

    title = "The service refused"

    def __init__(
        self, status: int, detail: str, *, fields: Sequence[str] = (), retry_after: float | None = None
    ) -> None:
        super().__init__("\n  ".join([f"{status}: {detail}", *fields]))
        self.status = status
        self.retry_after = retry_after

    @property
    def may_pass(self) -> bool:
        """The same request can be taken later: it was asked to come again, or something is wrong on the other side."""
        return self.retry_after is not None or self.status >= 500
