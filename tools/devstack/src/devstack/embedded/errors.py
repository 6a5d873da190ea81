"""Errors of the embedded servers, printed by the command line.

CallOffError
└── EmbeddedServerError
    ├── MissingPrerequisite     a program is not installed; the text says which to install
    └── ServerDidNotStart       the server ended or did not answer; the text holds its last log lines
"""

from contracts.errors import CallOffError


class EmbeddedServerError(CallOffError):
    title = "An embedded server cannot run"


class MissingPrerequisite(EmbeddedServerError):
    title = "A program is not installed"


class ServerDidNotStart(EmbeddedServerError):
    title = "A server did not start"
