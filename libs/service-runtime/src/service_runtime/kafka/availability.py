"""Availability: whether Kafka lets this process in, for the start and for readiness checks.

aiokafka tries again without end and names no reason, so a connection of its own is opened and asked for the brokers.
"""

import asyncio
import ssl
import time
from typing import Final

from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from contracts.errors import CallOffError
from service_runtime.kafka.connection import KafkaConnection
from service_runtime.kafka.oauth import OAuthTokens, TokenRefused
from service_runtime.observability.logs import Logger
from service_runtime.tls import explain_tls_error

CHECK_TIMEOUT: Final = 10.0
"""Seconds for each broker; all are asked at the same time."""
CHECK_EVERY: Final = 10.0
"""Seconds for which a readiness check uses the last answer."""
_SECOND_LOOK_AFTER: Final = 0.3
"""Seconds."""
_TLS_ALERT: Final = 0x1503
"""The first two bytes of a TLS alert, where a client without TLS expects the length of an answer."""
_LARGEST_ANSWER: Final = 100 * 1024 * 1024
"""Bytes; a greater length is the text of another protocol."""
_FILES: Final = "CALLOFF_KAFKA_SSL_CAFILE, CALLOFF_KAFKA_SSL_CERTFILE"
_NO_TLS: Final = "Kafka's listener answers without TLS; set CALLOFF_KAFKA_SECURITY_PROTOCOL to that of the listener"
_ASKS_FOR_LOGIN: Final = (
    "Kafka's listener asks for a login; set CALLOFF_KAFKA_SECURITY_PROTOCOL to SASL_SSL and name "
    "CALLOFF_KAFKA_SASL_MECHANISM"
)
_CLIENT_ID: Final = "calloff-check"


class _TokenNotAccepted(SaslAuthenticationFailed):
    """Kafka does not accept the token that the identity provider has given."""


_REFUSALS: Final[tuple[tuple[type[KafkaError], str], ...]] = (
    (
        _TokenNotAccepted,
        (
            "Kafka refuses the token of the identity provider; check CALLOFF_KAFKA_OAUTH_SCOPE and "
            "CALLOFF_KAFKA_OAUTH_CLIENT_ID, and that Kafka trusts this provider"
        ),
    ),
    (
        SaslAuthenticationFailed,
        "Kafka refuses the login; check CALLOFF_KAFKA_SASL_USERNAME and CALLOFF_KAFKA_SASL_PASSWORD",
    ),
    (UnsupportedSaslMechanismError, "Kafka's listener does not offer the login; check CALLOFF_KAFKA_SASL_MECHANISM"),
    (IllegalSaslStateError, "Kafka's listener takes no login; check CALLOFF_KAFKA_SECURITY_PROTOCOL"),
)


class KafkaRefusal(Exception):
    """Kafka, or what is set about it, refuses this process whenever it tries; the text says what to do."""


class KafkaUnavailable(CallOffError):
    """No broker answers now; the text says why."""

    title = "Kafka does not answer"


class _ClosedAfterGreeting(KafkaConnectionError):
    """The broker greeted and then closed the connection: it asks for a login, or is shutting down."""


async def check_kafka(kafka: KafkaConnection) -> None:
    """Opens a connection and asks for the brokers. One broker that answers is enough.

    Raises KafkaRefusal for a refusal, KafkaUnavailable for what may be over in a moment.
    """
    asking = {asyncio.create_task(_ask(kafka, server)) for server in kafka.bootstrap.split(",")}
    failures: list[Exception] = []
    try:
        for next_answer in asyncio.as_completed(asking):
            try:
                return await next_answer
            except (OSError, KafkaError, KafkaRefusal) as error:
                failures.append(error)
    finally:
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    if refused := next(filter(None, map(explain_refusal, failures)), None):
        raise KafkaRefusal(refused) from failures[-1]
    reasons = "; ".join(dict.fromkeys(str(error) or type(error).__name__ for error in failures))
    message = f"no broker of CALLOFF_KAFKA_BOOTSTRAP ({kafka.bootstrap}) answers: {reasons}"
    raise KafkaUnavailable(message) from failures[-1]


async def _ask(kafka: KafkaConnection, server: str) -> None:
    """Asks one broker; a second time if it closes the connection, as one that shuts down does as well."""
    try:
        async with asyncio.timeout(CHECK_TIMEOUT):
            try:
                await _ask_once(kafka, server)
            except _ClosedAfterGreeting:
                await asyncio.sleep(_SECOND_LOOK_AFTER)
                await _ask_once(kafka, server)
    except _ClosedAfterGreeting as error:
        raise KafkaRefusal(_ASKS_FOR_LOGIN) from error
    except TimeoutError as error:
        raise TimeoutError(f"no answer from {server} within {CHECK_TIMEOUT:.0f} seconds") from error


async def _ask_once(kafka: KafkaConnection, server: str) -> None:
    try:
        connection = await _connect(kafka, server)
    except (ConnectionError, KafkaConnectionError) as error:
        if kafka.tls is not None and await _answers_without_tls(server):
            raise KafkaRefusal(_NO_TLS) from error
        raise
    try:
        answer = await connection.send(MetadataRequest([]))
    except KafkaConnectionError as error:
        if kafka.login is None and explain_refusal(error) is None:
            raise _ClosedAfterGreeting from error
        raise
    finally:
        connection.close()
    if isinstance(kafka.login, OAuthTokens) and not answer.brokers:
        # aiokafka overlooks that the broker refuses a token; the broker answers the next request with nothing in it.
        kafka.login.forget()
        raise _TokenNotAccepted


async def _connect(kafka: KafkaConnection, server: str) -> AIOKafkaConnection:
    host, _, port = server.rpartition(":")
    timeout = int(CHECK_TIMEOUT * 1000)
    arguments = kafka.build_security_arguments()
    try:
        return await create_conn(
            host.strip("[]"), int(port), client_id=_CLIENT_ID, request_timeout_ms=timeout, **arguments
        )
    except SaslAuthenticationFailed as error:
        if isinstance(kafka.login, OAuthTokens):
            kafka.login.forget()
            raise _TokenNotAccepted from error
        raise


async def _answers_without_tls(server: str) -> bool:
    try:
        (await _connect(KafkaConnection(server), server)).close()
    except (OSError, KafkaError):
        return False
    return True


def explain_refusal(error: Exception) -> str | None:
    """Returns the reason in words if `error` is a refusal, None if the same attempt may succeed in a moment."""
    if isinstance(error, KafkaRefusal):
        return str(error)
    if isinstance(error, TokenRefused):
        return error.reason
    cause = error if isinstance(error, ssl.SSLError) else error.__cause__
    if isinstance(cause, ssl.SSLError):
        return f"TLS with Kafka fails: {explain_tls_error(cause)}; check {_FILES} and the address"
    if isinstance(cause, asyncio.IncompleteReadError):
        return _explain_length(cause.expected or 0)
    return next((reason for kind, reason in _REFUSALS if isinstance(error, kind)), None)


def _explain_length(length: int) -> str | None:
    """Explains what was read where Kafka sends the length of its answer."""
    if length >> 16 == _TLS_ALERT:
        return "Kafka's listener speaks TLS; set CALLOFF_KAFKA_SECURITY_PROTOCOL to SSL or SASL_SSL"
    if length > _LARGEST_ANSWER:
        return "what answers at CALLOFF_KAFKA_BOOTSTRAP is no Kafka; check host and port"
    return None


class KafkaAvailability:
    """The last known refusal, asked for anew at most every CHECK_EVERY seconds.

    A Kafka that does not answer is no refusal: commands are accepted into the outbox meanwhile.
    """

    def __init__(self, kafka: KafkaConnection, log: Logger) -> None:
        self._kafka = kafka
        self._log = log
        self._asked_at = 0.0
        self._asking: asyncio.Task[None] | None = None
        self._reason: str | None = None

    def explain(self) -> str | None:
        """Returns the last known reason, None if there is none; asks again in the background when it is due."""
        if self._asking is None or (self._asking.done() and time.monotonic() - self._asked_at >= CHECK_EVERY):
            self._asked_at = time.monotonic()
            self._asking = asyncio.create_task(self._ask())
        return self._reason

    async def _ask(self) -> None:
        try:
            await check_kafka(self._kafka)
        except KafkaRefusal as refusal:
            self._log.warning("Kafka refuses this process", reason=str(refusal))
            self._reason = str(refusal)
        except KafkaUnavailable:
            self._reason = None
        else:
            self._reason = None
