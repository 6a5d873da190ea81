"""A Kafka for tests with a listener for each way in: TLS, TLS with client certificates, SCRAM and OAuth."""

import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from devstack.embedded import EmbeddedKafka
from devstack.embedded.ports import LOOPBACK, find_free_port
from testkit.certificates import Authority
from testkit.tokens import TokenIssuer

USER: Final = "sourcing"
AUDIENCE: Final = "kafka"
_PROTOCOLS: Final = {"TLS": "SSL", "MUTUAL": "SSL", "SCRAM": "SASL_SSL", "OAUTH": "SASL_SSL", "LOGIN": "SASL_PLAINTEXT"}
_MODULES: Final = "org.apache.kafka.common.security"


class SecuredKafka(EmbeddedKafka):
    """Has the listeners of _PROTOCOLS beside the usual one. The user USER has the password `user_password`."""

    def __init__(self, directory: Path, jars: Path, authority: Authority, issuer: TokenIssuer) -> None:
        super().__init__(directory, jars)
        self._authority = authority
        self._issuer = issuer
        self._ports = {name: find_free_port() for name in _PROTOCOLS}
        self.user_password = secrets.token_urlsafe(16)
        self._keys = self.directory / "jwks.json"

    @property
    def java_options(self) -> Sequence[str]:
        return (f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={self._keys.as_uri()}",)

    @property
    def format_options(self) -> Sequence[str]:
        return ("--add-scram", f"SCRAM-SHA-512=[name={USER},password={self.user_password}]")

    def get_address(self, listener: str) -> str:
        return f"{LOOPBACK}:{self._ports[listener]}"

    def prepare(self) -> None:
        self._keys.write_text(json.dumps(self._issuer.build_key_set()))
        super().prepare()

    def build_settings(self) -> dict[str, str]:
        usual = super().build_settings()
        listeners = ",".join(f"{name}://{self.get_address(name)}" for name in _PROTOCOLS)
        protocols = ",".join(f"{name}:{protocol}" for name, protocol in _PROTOCOLS.items())
        return usual | {
            "listeners": f"{usual['listeners']},{listeners}",
            "advertised.listeners": f"{usual['advertised.listeners']},{listeners}",
            "listener.security.protocol.map": f"{usual['listener.security.protocol.map']},{protocols}",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._authority.issue(LOOPBACK)),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self._authority.ca_file),
            "listener.name.mutual.ssl.client.auth": "required",
            **_build_scram_settings("scram"),
            **_build_scram_settings("login"),
            **self._build_oauth_settings(),
        }

    def _build_oauth_settings(self) -> dict[str, str]:
        login, handler = "oauthbearer.OAuthBearerLoginModule", "oauthbearer.OAuthBearerValidatorCallbackHandler"
        return {
            "listener.name.oauth.sasl.enabled.mechanisms": "OAUTHBEARER",
            "listener.name.oauth.oauthbearer.sasl.jaas.config": f"{_MODULES}.{login} required;",
            "listener.name.oauth.oauthbearer.sasl.server.callback.handler.class": f"{_MODULES}.{handler}",
            "listener.name.oauth.sasl.oauthbearer.jwks.endpoint.url": self._keys.as_uri(),
            "listener.name.oauth.sasl.oauthbearer.expected.audience": AUDIENCE,
            "listener.name.oauth.sasl.oauthbearer.expected.issuer": self._issuer.issuer,
        }


def _build_scram_settings(listener: str) -> dict[str, str]:
    module = f"{_MODULES}.scram.ScramLoginModule required;"
    return {
        f"listener.name.{listener}.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        f"listener.name.{listener}.scram-sha-512.sasl.jaas.config": module,
    }
