"""Kafka connection: how every client of a process reaches the brokers, and how it proves who it is."""

from dataclasses import dataclass
from typing import Any, Final

from pydantic import SecretStr

from service_runtime.kafka.oauth import OAuthTokens
from service_runtime.tls import ClientTls

SCRAM: Final = "SCRAM-SHA-512"
OAUTHBEARER: Final = "OAUTHBEARER"


@dataclass(frozen=True)
class ScramLogin:
    """User and password for SCRAM-SHA-512; the password itself is never sent."""

    username: str
    password: SecretStr


@dataclass(frozen=True)
class KafkaConnection:
    """How the clients of one process reach Kafka.

    `bootstrap` is host:port, several separated by commas. Without `tls` nothing is encrypted; without `login` the
    client is anonymous, or known by the certificate of `tls`.
    """

    bootstrap: str
    tls: ClientTls | None = None
    login: ScramLogin | OAuthTokens | None = None

    @property
    def security_protocol(self) -> str:
        """Kafka's name: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."""
        transport = "PLAINTEXT" if self.tls is None else "SSL"
        return transport if self.login is None else f"SASL_{transport}"

    def build_client_arguments(self) -> dict[str, Any]:  # Any: aiokafka's arguments have no common type
        """Builds the arguments that aiokafka's producer, consumer and admin client have in common."""
        return {"bootstrap_servers": self.bootstrap, **self.build_security_arguments()}

    def build_security_arguments(self) -> dict[str, Any]:  # Any: as above
        """Builds the arguments that a single connection needs as well."""
        arguments: dict[str, Any] = {"security_protocol": self.security_protocol}
        if self.tls is not None:
            arguments["ssl_context"] = self.tls.get_context()
        match self.login:
            case ScramLogin(username, password):
                arguments |= {
                    "sasl_mechanism": SCRAM,
                    "sasl_plain_username": username,
                    "sasl_plain_password": password.get_secret_value(),
                }
            case OAuthTokens():
                arguments |= {"sasl_mechanism": OAUTHBEARER, "sasl_oauth_token_provider": self.login}
            case None:
                pass
        return arguments
