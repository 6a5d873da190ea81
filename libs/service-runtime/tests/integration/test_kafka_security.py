"""Kafka by TLS, SCRAM and OAuth against real listeners; what Kafka refuses is named with its setting."""

import asyncio
import secrets
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from pydantic import SecretStr

from contracts.catalogue import PACKAGES, PARKED
from devstack.embedded import fetch_kafka_jars
from service_runtime.kafka.availability import (
    CHECK_TIMEOUT,
    KafkaAvailability,
    KafkaRefusal,
    KafkaUnavailable,
    check_kafka,
)
from service_runtime.kafka.connection import KafkaConnection, ScramLogin
from service_runtime.kafka.oauth import OAuthClient, OAuthTokens
from service_runtime.kafka.topic_admin import create_topics
from service_runtime.postgres.database import Database
from service_runtime.tls import ClientTls
from testkit.captured_logs import CapturedLogs
from testkit.certificates import Authority
from testkit.sample_service import SampleService, run_tasks
from testkit.secured_kafka import AUDIENCE, USER, SecuredKafka
from testkit.shared_servers import discard_kafka
from testkit.token_endpoint import TokenEndpoint
from testkit.tokens import TokenIssuer, generate_key
from testkit.topics import move_group_to_end, read_topic
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("own-servers")
PROCESSED = 2
"""Events of one package in the sample service: the one that is handled, and the one that its handler publishes."""


@dataclass
class Secured:
    """A Kafka with secured listeners, and what clients need to get in."""

    server: SecuredKafka
    tokens: TokenEndpoint
    foreign_tokens: TokenEndpoint
    """Issues tokens for another audience than Kafka."""
    authority: Authority
    stranger: Authority
    """An authority that the brokers' certificates are not from."""

    @property
    def tls(self) -> ClientTls:
        return ClientTls(self.authority.ca_file)

    def build_login(self, password: str | None = None, user: str = USER) -> ScramLogin:
        return ScramLogin(user, SecretStr(self.server.user_password if password is None else password))

    def build_oauth(self, secret: str | None = None, tokens: TokenEndpoint | None = None) -> OAuthTokens:
        endpoint = tokens or self.tokens
        known = SecretStr(endpoint.client_secret if secret is None else secret)
        return OAuthTokens(OAuthClient(endpoint.url, endpoint.client_id, known, None, self.authority.ca_file))

    def connect(self, way: str) -> KafkaConnection:
        """Returns a connection that Kafka lets in."""
        address = self.server.get_address
        return {
            "TLS": KafkaConnection(address("TLS"), self.tls),
            "client certificate": KafkaConnection(
                address("MUTUAL"), ClientTls(self.authority.ca_file, self.authority.issue("client"))
            ),
            "SCRAM over TLS": KafkaConnection(address("SCRAM"), self.tls, self.build_login()),
            "SCRAM without TLS": KafkaConnection(address("LOGIN"), None, self.build_login()),
            "OAuth over TLS": KafkaConnection(address("OAUTH"), self.tls, self.build_oauth()),
        }[way]

    def connect_wrongly(self, way: str) -> KafkaConnection:
        """Returns a connection that Kafka refuses, or that refuses Kafka."""
        address = self.server.get_address
        return {
            "authority": KafkaConnection(address("TLS"), ClientTls(self.stranger.ca_file)),
            "host": KafkaConnection(address("TLS").replace("127.0.0.1", "localhost"), self.tls),
            "no certificate": KafkaConnection(address("MUTUAL"), self.tls),
            "password": KafkaConnection(address("SCRAM"), self.tls, self.build_login("wrong")),
            "user": KafkaConnection(address("SCRAM"), self.tls, self.build_login(user="nobody")),
            "token": KafkaConnection(address("OAUTH"), self.tls, self.build_oauth(tokens=self.foreign_tokens)),
            "client secret": KafkaConnection(address("OAUTH"), self.tls, self.build_oauth("wrong")),
            "mechanism": KafkaConnection(address("SCRAM"), self.tls, self.build_oauth()),
            "TLS to plain": KafkaConnection(self.server.bootstrap, self.tls),
            "plain to TLS": KafkaConnection(address("TLS")),
            "no login": KafkaConnection(address("SCRAM"), self.tls),
            "login to plain": KafkaConnection(self.server.bootstrap, None, self.build_login()),
        }[way]


@pytest_asyncio.fixture(scope="module")
async def secured(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> AsyncGenerator[Secured]:
    folder, root = tmp_path_factory.mktemp("secured-kafka"), pytestconfig.rootpath
    issuer = TokenIssuer()
    issuer.rotate_key(generate_key("kafka-1", key_type="RSA"))
    authority = Authority(folder / "authority")
    jars = fetch_kafka_jars(root / "deploy" / "kafka" / "pom.xml", root / ".calloff" / "kafka-jars")
    server = SecuredKafka(folder / "kafka", jars, authority, issuer)
    async with AsyncExitStack() as stack:
        stack.callback(discard_kafka, server)
        await asyncio.to_thread(server.start)
        tokens = await stack.enter_async_context(TokenEndpoint(issuer, audience=AUDIENCE).serve(authority))
        foreign = await stack.enter_async_context(TokenEndpoint(issuer, audience="another").serve(authority))
        yield Secured(server, tokens, foreign, authority, Authority(folder / "stranger", "another authority"))


@pytest.mark.parametrize("way", ["TLS", "client certificate", "SCRAM over TLS", "SCRAM without TLS", "OAuth over TLS"])
async def test_an_event_is_relayed_handled_and_answered_over(way: str, secured: Secured, database: Database) -> None:
    kafka = secured.connect(way)
    await check_kafka(kafka)
    await create_topics(kafka, [PACKAGES, PARKED])
    sample = SampleService(f"sample-{secrets.token_hex(4)}", database, kafka)
    await move_group_to_end(kafka, sample.build_consumer().group, [PACKAGES])
    package = uuid4()

    async def is_answered() -> bool:
        return len(await read_topic(kafka, PACKAGES, keys={str(package)})) == PROCESSED

    async with run_tasks(sample.build_relay().run(), sample.build_consumer().run()):
        await sample.request_withdrawal(package)
        await wait_until(is_answered, within=60)


@pytest.mark.parametrize(
    ("way", "because"),
    [
        ("authority", "certificate is not accepted .*; check CALLOFF_KAFKA_SSL_CAFILE"),
        ("host", "certificate is not accepted .*localhost.*; check CALLOFF_KAFKA_SSL_CAFILE"),
        ("no certificate", "does not accept the client's certificate, or asks for one.*CALLOFF_KAFKA_SSL_CERTFILE"),
        ("password", "refuses the login; check CALLOFF_KAFKA_SASL_USERNAME and CALLOFF_KAFKA_SASL_PASSWORD"),
        ("user", "refuses the login; check CALLOFF_KAFKA_SASL_USERNAME and CALLOFF_KAFKA_SASL_PASSWORD"),
        ("client secret", "identity provider refuses the client of CALLOFF_KAFKA_OAUTH_CLIENT_ID"),
        ("token", "refuses the token of the identity provider; check CALLOFF_KAFKA_OAUTH_SCOPE"),
        ("mechanism", "does not offer the login; check CALLOFF_KAFKA_SASL_MECHANISM"),
        ("TLS to plain", "answers without TLS; set CALLOFF_KAFKA_SECURITY_PROTOCOL"),
        ("plain to TLS", "speaks TLS; set CALLOFF_KAFKA_SECURITY_PROTOCOL to SSL or SASL_SSL"),
        ("no login", "asks for a login; set CALLOFF_KAFKA_SECURITY_PROTOCOL to SASL_SSL"),
        ("login to plain", "takes no login; check CALLOFF_KAFKA_SECURITY_PROTOCOL"),
    ],
)
async def test_a_refusal_is_named_with_its_setting(way: str, because: str, secured: Secured) -> None:
    with pytest.raises(KafkaRefusal, match=because) as refused:
        await check_kafka(secured.connect_wrongly(way))
    assert "\n" not in str(refused.value)


async def test_a_kafka_that_does_not_answer_is_no_refusal(secured: Secured) -> None:
    with pytest.raises(KafkaUnavailable, match=r"CALLOFF_KAFKA_BOOTSTRAP \(127.0.0.1:1\) answers: .*Errno 111"):
        await check_kafka(KafkaConnection("127.0.0.1:1", secured.tls, secured.build_login()))


@pytest.fixture
def silent_address() -> Generator[str]:
    """The address of a broker that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield f"127.0.0.1:{silent.getsockname()[1]}"


async def test_one_broker_that_answers_is_enough_beside_one_that_is_away_and_one_that_is_silent(
    secured: Secured, silent_address: str
) -> None:
    kafka = secured.connect("SCRAM over TLS")
    async with asyncio.timeout(CHECK_TIMEOUT):
        await check_kafka(replace(kafka, bootstrap=f"127.0.0.1:1,{silent_address},{kafka.bootstrap}"))


@pytest.mark.parametrize("way", ["password", "no login"])
async def test_a_refusal_counts_beside_brokers_that_do_not_answer(
    way: str, secured: Secured, silent_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service_runtime.kafka.availability.CHECK_TIMEOUT", 5.0)
    wrong = secured.connect_wrongly(way)
    with pytest.raises(KafkaRefusal):
        await check_kafka(replace(wrong, bootstrap=f"{wrong.bootstrap},127.0.0.1:1,{silent_address}"))


async def test_a_server_that_is_no_kafka_is_named() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(KafkaRefusal, match="what answers at CALLOFF_KAFKA_BOOTSTRAP is no Kafka"):
            await check_kafka(KafkaConnection(address))


async def test_a_token_that_kafka_has_refused_is_not_used_again(secured: Secured) -> None:
    kafka, before = secured.connect_wrongly("token"), secured.foreign_tokens.request_count
    for _ in range(2):
        with pytest.raises(KafkaRefusal):
            await check_kafka(kafka)
    assert secured.foreign_tokens.request_count == before + 2


async def test_one_request_for_a_token_serves_all_connections_until_shortly_before_its_expiry(secured: Secured) -> None:
    kafka, before = secured.connect("OAuth over TLS"), secured.tokens.request_count
    await asyncio.gather(*[check_kafka(kafka) for _ in range(4)])
    assert secured.tokens.request_count == before + 1


async def test_readiness_names_a_refusal_that_comes_later_and_forgets_it_when_it_is_over(
    secured: Secured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service_runtime.kafka.availability.CHECK_EVERY", 0.0)
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(secured.stranger.ca_file.read_bytes())
    kafka = KafkaConnection(secured.server.get_address("TLS"), ClientTls(ca_file))
    availability = KafkaAvailability(kafka, CapturedLogs())
    await wait_until(lambda: "certificate is not accepted" in (availability.explain() or ""), within=30)
    ca_file.write_bytes(secured.authority.ca_file.read_bytes())
    await wait_until(lambda: availability.explain() is None, within=30)
