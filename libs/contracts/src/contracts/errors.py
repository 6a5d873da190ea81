"""The root of the one error tree; a service adds leaves, never another root.

CallOffError
├── InvalidInput      what was sent cannot be right: names each field (HTTP 422)
├── Unauthenticated   nobody we know is asking (HTTP 401)
├── Forbidden         we know who asks, and they may not (HTTP 403)
├── NotFound          it is not there, or not for the one who asks (HTTP 404)
├── Conflict          it contradicts what already stands (HTTP 409)
├── Unprocessable     well-formed, but cannot be carried out as it is (HTTP 422)
└── NotYet            it cannot be answered now; the same request later can be (HTTP 503 or 404, with Retry-After)

The edge of a service makes HTTP of these in one place (`service_runtime.http.problems`), and one place makes them
retry or park (`service_runtime.kafka.consumer`). A message says what, which, and what to do; it never carries a
person's data or echoes what was submitted.
"""

from dataclasses import dataclass


class CallOffError(Exception):
    """Something that Call-off refuses or cannot do; the message is fit to be shown to the caller."""

    title = "Call-off could not do this"

    @property
    def code(self) -> str:
        """The kebab-case name under which callers can recognise this error: `offer-not-found`."""
        name = type(self).__name__
        return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")


@dataclass(frozen=True)
class FieldError:
    """One thing that is wrong with one field.

    `pointer` is a JSON pointer into the body (`#/visits/0/minutes`) or names a parameter (`?limit`, `Idempotency-Key`).
    """

    pointer: str
    detail: str


class InvalidInput(CallOffError):
    """One or more fields are wrong; all of them are named at once."""

    title = "Some fields are not right"

    def __init__(self, *fields: FieldError) -> None:
        super().__init__("; ".join(f"{field.pointer}: {field.detail}" for field in fields))
        self.fields = fields


class Unauthenticated(CallOffError):
    title = "Say who you are"


class Forbidden(CallOffError):
    title = "Not yours to do"


class NotFound(CallOffError):
    title = "Not found"


class Conflict(CallOffError):
    title = "This contradicts what already stands"


class Unprocessable(CallOffError):
    title = "This cannot be carried out as it is"


class NotYet(CallOffError):
    """The answer is not there yet; `retry_after` seconds from now it may be.

    `status` is the HTTP status: 503 unless a leaf says otherwise (404: not there yet; 409: its twin is in flight).
    """

    title = "Not yet"
    status = 503

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
