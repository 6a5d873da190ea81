"""The error that ends a process before it serves."""

from typing import Final

from contracts.errors import CallOffError

EXIT_CONFIG: Final = 78
"""Exit status for a wrong setting (EX_CONFIG of sysexits.h): another attempt changes nothing."""
EXIT_TEMPORARY: Final = 75
"""Exit status of a command that a later attempt may complete (EX_TEMPFAIL)."""


class StartRefused(CallOffError):
    """A setting, or what it points at, is wrong. Each line says what is wrong and what to do, without any value."""

    title = "The service cannot start"
    exit_status = EXIT_CONFIG

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class StartDelayed(CallOffError):
    """What a start needs is not there yet, so its check is made again; the message says what is waited for."""

    title = "The service waits"


class ServerUnavailable(StartRefused):
    """A server does not answer; the same command may succeed later."""

    exit_status = EXIT_TEMPORARY
