"""Settings of the mail server: invalid combinations are refused at the start."""

import base64

import pytest
from pydantic import ValidationError

from provider_registry.settings import Settings
from provider_registry.wiring import build
from service_runtime.webhooks.mail import Login, MailServer

KEY = "a key that only tests have, of some length"
MAIL = {"smtp_host": "mail.example", "smtp_from": "offers@calloff.example", "offer_link_key": KEY}
LOGIN = {"smtp_username": "calloff", "smtp_password": "invented for a test"}


def build_settings(**changed: object) -> Settings:
    usual: dict[str, object] = {
        "database_url": "postgresql+asyncpg://nobody:nothing@127.0.0.1:1/nowhere",
        "kafka_bootstrap": "127.0.0.1:1",
        "token_issuer": "http://127.0.0.1:1",
        "token_jwks_url": "http://127.0.0.1:1",
        "fingerprint_key": "0" * 32,
        "sourcing_url": "https://sourcing.example",
        "referral_url": "https://referral.example",
        "webhook_keys": (base64.b64encode(bytes(32)).decode(),),
    }
    return Settings.model_validate({**usual, **changed})


def build_mail_server(**changed: object) -> MailServer | None:
    webhook_config = build(build_settings(**changed)).webhooks
    assert webhook_config is not None
    return webhook_config.mail


@pytest.mark.parametrize(
    ("wrong", "because"),
    [
        (
            {"smtp_host": "mail.example", "smtp_from": "offers@calloff.example"},
            "needs CALLOFF_SMTP_FROM and CALLOFF_",
        ),
        ({**MAIL, "smtp_starttls": False}, "for a mail server on this machine only"),
        ({**MAIL, "smtp_username": "calloff"}, "give both or neither"),
        ({**MAIL, "smtp_password": "invented for a test"}, "give both or neither"),
        ({**MAIL, "offer_link_key": "short"}, "at least 32 items"),
    ],
)
def test_incomplete_or_unencrypted_mail_settings_are_refused_at_the_start(
    wrong: dict[str, object], because: str
) -> None:
    with pytest.raises(ValidationError, match=because) as refused:
        build_settings(**wrong)
    assert "input_value" not in str(refused.value), "it may be a password"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_mail_server_on_the_same_machine_may_be_unencrypted(host: str) -> None:
    server = build_mail_server(**{**MAIL, "smtp_host": host, "smtp_starttls": False})
    assert server == MailServer(host, 587, "offers@calloff.example", starttls=False)


def test_the_login_is_passed_to_the_mail_server() -> None:
    server = build_mail_server(**MAIL, **LOGIN)
    assert server is not None
    assert (server.starttls, server.login) == (True, Login("calloff", "invented for a test"))


def test_without_a_mail_server_no_mail_is_sent() -> None:
    assert build_mail_server() is None
