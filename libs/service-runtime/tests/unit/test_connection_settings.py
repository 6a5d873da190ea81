"""Settings of connections that contradict each other are refused, each with the variable to change."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from service_runtime.kafka.connection import ScramLogin
from service_runtime.kafka.oauth import OAuthTokens
from service_runtime.settings import RuntimeSettings
from testkit.certificates import Authority

USUAL = {
    "database_url": "postgresql://sourcing:invented@db.example/sourcing",
    "kafka_bootstrap": "kafka.example:9092",
    "token_issuer": "https://identity.example",
    "token_jwks_url": "https://identity.example/jwks",
    "fingerprint_key": "f" * 32,
}
SCRAM = {"kafka_sasl_mechanism": "SCRAM-SHA-512", "kafka_sasl_username": "a", "kafka_sasl_password": "invented"}
OAUTH = {
    "kafka_sasl_mechanism": "OAUTHBEARER",
    "kafka_oauth_token_url": "https://identity.example/token",
    "kafka_oauth_client_id": "a",
    "kafka_oauth_client_secret": "invented",
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def build(**changed: object) -> RuntimeSettings:
    return RuntimeSettings.model_validate({**USUAL, **changed})


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"kafka_security_protocol": "SASL_SSL"}, "CALLOFF_KAFKA_SASL_MECHANISM must be SCRAM-SHA-512 or OAUTHBEARER"),
        (SCRAM, "CALLOFF_KAFKA_SECURITY_PROTOCOL must be SASL_SSL"),
        (
            {**SCRAM, "kafka_security_protocol": "SASL_SSL", "kafka_sasl_password": None},
            "CALLOFF_KAFKA_SASL_PASSWORD is not set; CALLOFF_KAFKA_SASL_MECHANISM=SCRAM-SHA-512 needs it",
        ),
        ({"kafka_sasl_username": "a"}, "CALLOFF_KAFKA_SASL_USERNAME needs CALLOFF_KAFKA_SASL_MECHANISM=SCRAM-SHA-512"),
        (
            {**OAUTH, "kafka_security_protocol": "SASL_SSL", "kafka_oauth_token_url": None},
            "CALLOFF_KAFKA_OAUTH_TOKEN_URL is not set; CALLOFF_KAFKA_SASL_MECHANISM=OAUTHBEARER needs it",
        ),
        (
            {**OAUTH, "kafka_security_protocol": "SASL_PLAINTEXT"},
            "CALLOFF_KAFKA_SECURITY_PROTOCOL must be SASL_SSL for CALLOFF_KAFKA_SASL_MECHANISM=OAUTHBEARER",
        ),
        ({"kafka_oauth_scope": "kafka"}, "CALLOFF_KAFKA_OAUTH_SCOPE needs CALLOFF_KAFKA_SASL_MECHANISM=OAUTHBEARER"),
        ({"kafka_min_insync_replicas": 2}, "CALLOFF_KAFKA_MIN_INSYNC_REPLICAS must not be more than"),
    ],
)
def test_contradicting_settings_of_kafka_name_the_variable_to_change(wrong: dict[str, object], line: str) -> None:
    with pytest.raises(ValidationError) as refused:
        build(**wrong)
    assert line in str(refused.value)


def test_a_certificate_without_tls_and_a_key_without_certificate_are_refused(authority: Authority) -> None:
    file = authority.issue("client")
    with pytest.raises(ValidationError, match="CALLOFF_KAFKA_SSL_CAFILE needs CALLOFF_KAFKA_SECURITY_PROTOCOL=SSL"):
        build(kafka_ssl_cafile=authority.ca_file)
    with pytest.raises(ValidationError, match="CALLOFF_KAFKA_SSL_CERTFILE is not set"):
        build(kafka_security_protocol="SSL", kafka_ssl_keyfile=file)
    with pytest.raises(ValidationError, match="CALLOFF_DATABASE_SSLROOTCERT needs CALLOFF_DATABASE_SSLMODE"):
        build(database_sslrootcert=authority.ca_file)
    with pytest.raises(ValidationError, match="CALLOFF_DATABASE_SSLCERT is not set"):
        build(database_sslmode="verify-full", database_sslkey=file)


def test_a_file_that_is_no_certificate_and_a_key_of_another_are_refused(authority: Authority, tmp_path: Path) -> None:
    no_certificate = tmp_path / "text.pem"
    no_certificate.write_text("no certificate")
    first, second = authority.issue("first"), authority.issue("second")
    with pytest.raises(ValidationError, match="CALLOFF_KAFKA_SSL_CAFILE must be a file with certificates in PEM"):
        build(kafka_security_protocol="SSL", kafka_ssl_cafile=no_certificate)
    with pytest.raises(ValidationError, match="CALLOFF_DATABASE_SSLCERT and CALLOFF_DATABASE_SSLKEY must be"):
        build(database_sslmode="require", database_sslcert=first, database_sslkey=second)


def test_the_probes_need_a_port_of_their_own() -> None:
    with pytest.raises(ValidationError, match="CALLOFF_HEALTH_PORT must be another port than CALLOFF_PORT"):
        build(port=8080, health_port=8080)
    assert build(port=0, health_port=0).health_port == 0


def test_all_contradictions_are_named_at_once() -> None:
    with pytest.raises(ValidationError) as refused:
        build(kafka_security_protocol="SASL_SSL", kafka_min_insync_replicas=3)
    assert "CALLOFF_KAFKA_SASL_MECHANISM" in str(refused.value)
    assert "CALLOFF_KAFKA_MIN_INSYNC_REPLICAS" in str(refused.value)


def test_a_complete_login_is_what_clients_get() -> None:
    scram = build(**SCRAM, kafka_security_protocol="SASL_SSL").build_kafka_connection()
    oauth = build(**OAUTH, kafka_security_protocol="SASL_SSL").build_kafka_connection()
    plain = build().build_kafka_connection()
    assert (scram.security_protocol, type(scram.login)) == ("SASL_SSL", ScramLogin)
    assert (oauth.security_protocol, type(oauth.login)) == ("SASL_SSL", OAuthTokens)
    assert (plain.security_protocol, plain.tls, plain.login) == ("PLAINTEXT", None, None)
    assert "invented" not in f"{scram!r}{oauth!r}"
