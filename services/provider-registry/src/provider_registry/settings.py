"""Environment variables of the provider registry."""

from datetime import timedelta
from typing import Final, Self

from pydantic import Field, SecretStr, model_validator

from service_runtime.settings import RuntimeSettings

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Settings(RuntimeSettings):
    """Settings beyond those that every service reads. Durations are in ISO 8601."""

    sourcing_url: str = Field(pattern=r"^https?://.*[^/]$", description="where providers answer offers")
    referral_url: str = Field(
        pattern=r"^https?://.*[^/]$", description="where a placed provider reads the person's details"
    )
    webhook_keys: tuple[SecretStr, ...] = Field(
        min_length=1, description="JSON list; 32 bytes in base64 each: the first encrypts secrets, all decrypt them"
    )
    webhook_private_addresses: tuple[str, ...] = Field(
        default=(), description="JSON list of exact host:port to which webhooks may go besides https on the internet"
    )
    offer_delivery_timeout: timedelta = Field(
        default=timedelta(minutes=2), description="an offer counts as undeliverable so long after its first attempt"
    )
    webhook_request_timeout: float = Field(
        default=10, gt=0, le=10, description="seconds that an endpoint has to answer one request"
    )
    notification_delivery_timeout: timedelta = Field(
        default=timedelta(hours=24), description="retries of other webhooks stop so long after the first attempt"
    )
    message_retention: timedelta = Field(
        default=timedelta(days=30),
        gt=timedelta(0),
        description="the content of a finished webhook is kept for its owner so long after it was queued",
    )
    endpoint_notice_after: timedelta = Field(
        default=timedelta(hours=24),
        gt=timedelta(0),
        description="the owner is notified of an endpoint that has accepted nothing for so long",
    )
    endpoint_disable_after: timedelta = Field(
        default=timedelta(days=5),
        gt=timedelta(0),
        description="a failing endpoint is disabled so long after the notice",
    )
    egress_proxy: SecretStr | None = Field(
        default=None, description="http://user:password@host:port of a proxy through which webhooks leave"
    )
    secret_overlap: timedelta = Field(
        default=timedelta(hours=24), description="how long the previous secret still signs after a rotation"
    )
    smtp_host: str | None = Field(
        default=None, description="host of the mail server; unset: offers are not sent by mail"
    )
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_from: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+$", description="sender address of mails")
    smtp_starttls: bool = Field(default=True, description="false only for a mail server on the same machine")
    smtp_username: str | None = Field(
        default=None, min_length=1, description="user name for a mail server that requires a login"
    )
    smtp_password: SecretStr | None = Field(default=None, min_length=1)
    offer_link_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="key that signs the links in mails; sourcing checks them with the same key",
    )
    offer_link_valid_for: timedelta = Field(default=timedelta(days=7), description="how long a link in a mail is valid")

    @model_validator(mode="after")
    def check_mail_settings_complete(self) -> Self:
        if self.smtp_host is not None and (self.smtp_from is None or self.offer_link_key is None):
            message = "smtp_host requires smtp_from and offer_link_key"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def check_mail_is_encrypted(self) -> Self:
        if self.smtp_host is not None and not self.smtp_starttls and self.smtp_host not in LOOPBACK:
            message = (
                "smtp_starttls is off, which is for a mail server on this machine only (127.0.0.1, ::1, localhost)"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def check_mail_login_complete(self) -> Self:
        if (self.smtp_username is None) != (self.smtp_password is None):
            message = "smtp_username and smtp_password go together; give both or neither"
            raise ValueError(message)
        return self
