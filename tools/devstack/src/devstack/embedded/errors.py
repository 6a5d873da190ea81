"""What can go wrong with the embedded servers; all of it is told to the person at the keyboard.

CallOffError
└── EmbeddedServerError
    ├── MissingPrerequisite     a program is not on this machine: says what to install
    └── ServerDidNotStart       it ended or never answered: says what it logged last
"""

from contracts.errors import CallOffError


class EmbeddedServerError(CallOffError):
    title = "An embedded server cannot run"


class MissingPrerequisite(EmbeddedServerError):
    title = "Something is not installed"


class ServerDidNotStart(EmbeddedServerError):
    title = "A server did not start"
