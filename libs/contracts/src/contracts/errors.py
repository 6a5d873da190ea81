"""The root of the error tree. A service adds subclasses and never another root.

CallOffError
├── InvalidInput      one or more fields are invalid; names each of them (HTTP 422)
├── Unauthenticated   the caller is not known (HTTP 401)
├── Forbidden         the caller is known and may not do this (HTTP 403)
├── NotFound          the resource does not exist, or the caller may not see it (HTTP 404)
├── Conflict          the request conflicts with the present state (HTTP 409)
├── Unprocessable     the request is well-formed and cannot be carried out (HTTP 422)
└── RetryLater        the same request can succeed later (HTTP 503, 429, 409 or 404, with Retry-After)

`service_runtime.http.problems` translates these errors into HTTP responses. `service_runtime.kafka.event_handler`
decides whether an event is retried or its key parked. A message says what, which, and what to do. It never contains
personal data and never echoes submitted values.
"""

from dataclasses import dataclass


class CallOffError(Exception):
    """An error of Call-off. Its message can be shown to the caller."""

    title = "Call-off error"

    @property
    def code(self) -> str:
        """The class name in kebab case, the last segment of the problem type: `offer-not-found`."""
        name = type(self).__name__
        return "".join(f"-{character.lower()}" if character.isupper() else character for character in name).lstrip("-")


@dataclass(frozen=True)
class FieldError:
    """One invalid field.

    `pointer` is a JSON pointer into the body (`#/visits/0/minutes`) or names a parameter (`?limit`, `Idempotency-Key`).
    """

    pointer: str
    detail: str


class InvalidInput(CallOffError):
    """One or more fields are invalid; the error names all of them."""

    title = "Invalid request"

    def __init__(self, *fields: FieldError) -> None:
        super().__init__("; ".join(f"{field.pointer}: {field.detail}" for field in fields))
        self.fields = fields


class Unauthenticated(CallOffError):
    title = "Unauthorized"

    @property
    def challenge(self) -> str:
        """The value of the header WWW-Authenticate."""
        return "Bearer"


class Forbidden(CallOffError):
    title = "Forbidden"


class NotFound(CallOffError):
    title = "Not Found"


class Conflict(CallOffError):
    title = "Conflict"


class Unprocessable(CallOffError):
    title = "Unprocessable Content"


class RetryLater(CallOffError):
    """The request cannot be answered now. The same request can succeed after `retry_after` seconds.

    `status` is the HTTP status: 503 unless a subclass sets another one (404: not available yet; 409: in progress).
    """

    title = "Service Unavailable"
    status = 503

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooManyRequests(RetryLater):
    """The caller sends more requests than its limit allows."""

    title = "Too Many Requests"
    status = 429
