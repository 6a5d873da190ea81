"""Availability: whether Kafka lets this process in, for the start and for readiness checks.

aiokafka tries again without end and names no reason, so a connection of its own is opened and asked for the brokers.
"""

import asyncio
import ssl
import time
from typing import Final

from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from service_runtime.kafka.connection import KafkaConnection
from service_runtime.observability.logs import Logger
from service_runtime.tls import explain_tls_error

CHECK_TIMEOUT: Final = 2.0
"""Seconds for all brokers together."""
CHECK_EVERY: Final = 10.0
"""Seconds for which a readiness check uses the last answer."""
_SECOND_LOOK_AFTER: Final = 0.3
"""Seconds."""
_TLS_ALERT: Final = 0x1503
"""The first two bytes of a TLS alert, where a client without TLS expects the length of an answer."""
_FILES: Final = "CALLOFF_KAFKA_SSL_CAFILE, CALLOFF_KAFKA_SSL_CERTFILE"
_NO_TLS: Final = "Kafka's listener answers without TLS; set CALLOFF_KAFKA_SECURITY_PROTOCOL to that of the listener"
_ASKS_FOR_LOGIN: Final = (
    "Kafka's listener asks for a login; set CALLOFF_KAFKA_SECURITY_PROTOCOL to SASL_SSL and name "
    "CALLOFF_KAFKA_SASL_MECHANISM"
)
_CLIENT_ID: Final = "calloff-check"
_LOGIN: Final = "CALLOFF_KAFKA_SASL_USERNAME and CALLOFF_KAFKA_SASL_PASSWORD (or CALLOFF_KAFKA_OAUTH_…)"
_REFUSALS: Final[tuple[tuple[type[KafkaError], str], ...]] = (
    (
        AuthenticationFailedError,
        "the identity provider refuses the client of CALLOFF_KAFKA_OAUTH_CLIENT_ID; check its id, secret and scope",
    ),
    (SaslAuthenticationFailed, f"Kafka refuses the login; check {_LOGIN}"),
    (UnsupportedSaslMechanismError, "Kafka's listener does not offer the login; check CALLOFF_KAFKA_SASL_MECHANISM"),
    (IllegalSaslStateError, "Kafka's listener takes no login; check CALLOFF_KAFKA_SECURITY_PROTOCOL"),
)


class KafkaRefusal(Exception):
    """Kafka, or what is set about it, refuses this process whenever it tries; the text says what to do."""


class _ClosedAfterGreeting(KafkaConnectionError):
    """The broker greeted and then closed the connection: it asks for a login, or is shutting down."""


async def check_kafka(kafka: KafkaConnection) -> None:
    """Opens a connection and asks for the brokers. One broker that answers is enough.

    Raises KafkaRefusal for a refusal; an OSError, TimeoutError or KafkaError for what may be over in a moment.
    """
    async with asyncio.timeout(CHECK_TIMEOUT):
        try:
            await _ask_brokers(kafka)
        except _ClosedAfterGreeting:
            await asyncio.sleep(_SECOND_LOOK_AFTER)
            try:
                await _ask_brokers(kafka)
            except _ClosedAfterGreeting as error:
                raise KafkaRefusal(_ASKS_FOR_LOGIN) from error


async def _ask_brokers(kafka: KafkaConnection) -> None:
    failures: list[Exception] = []
    for server in kafka.bootstrap.split(","):
        host, _, port = server.rpartition(":")
        try:
            return await _ask(kafka, host.strip("[]"), int(port))
        except (OSError, KafkaError, KafkaRefusal) as error:
            failures.append(error)
    if refused := next(filter(None, map(explain_refusal, failures)), None):
        raise KafkaRefusal(refused) from failures[-1]
    raise failures[-1]


async def _ask(kafka: KafkaConnection, host: str, port: int) -> None:
    try:
        connection = await _connect(host, port, kafka)
    except (ConnectionError, KafkaConnectionError) as error:
        if kafka.tls is not None and await _answers_without_tls(host, port):
            raise KafkaRefusal(_NO_TLS) from error
        raise
    try:
        await connection.send(MetadataRequest([]))
    except KafkaConnectionError as error:
        if kafka.login is None and explain_refusal(error) is None:
            raise _ClosedAfterGreeting from error
        raise
    finally:
        connection.close()


async def _connect(host: str, port: int, kafka: KafkaConnection) -> AIOKafkaConnection:
    timeout = int(CHECK_TIMEOUT * 1000)
    arguments = kafka.build_security_arguments()
    return await create_conn(host, port, client_id=_CLIENT_ID, request_timeout_ms=timeout, **arguments)


async def _answers_without_tls(host: str, port: int) -> bool:
    try:
        (await _connect(host, port, KafkaConnection(f"{host}:{port}"))).close()
    except (OSError, KafkaError):
        return False
    return True


def explain_refusal(error: Exception) -> str | None:
    """Returns the reason in words if `error` is a refusal, None if the same attempt may succeed in a moment."""
    cause = error if isinstance(error, ssl.SSLError | KafkaRefusal) else error.__cause__
    if isinstance(cause, KafkaRefusal):
        return str(cause)
    if isinstance(cause, ssl.SSLError):
        return f"TLS with Kafka fails: {explain_tls_error(cause)}; check {_FILES} and the address"
    if isinstance(cause, asyncio.IncompleteReadError) and (cause.expected or 0) >> 16 == _TLS_ALERT:
        return "Kafka's listener speaks TLS; set CALLOFF_KAFKA_SECURITY_PROTOCOL to SSL or SASL_SSL"
    return next((reason for kind, reason in _REFUSALS if isinstance(error, kind)), None)


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
        except (OSError, TimeoutError, KafkaError):
            self._reason = None
        else:
            self._reason = None
