"""Environment variables of the provider registry."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from pydantic import Field

from service_runtime.settings import RuntimeSettings
from service_runtime.settings_types import (
    Addresses,
    BaseUrl,
    Duration,
    EncryptionKeys,
    Host,
    Key,
    MailAddress,
    ProxyUrl,
    Secret,
    Text,
)

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Settings(RuntimeSettings):
    """Settings beyond those that every service reads. Durations are in ISO 8601."""

    sourcing_url: BaseUrl = Field(description="the public address of sourcing, where providers answer offers")
    referral_url: BaseUrl = Field(
        description="the public address of referral, where a placed provider reads the person's details"
    )
    webhook_keys: EncryptionKeys = Field(
        description="a JSON list of keys, 32 bytes in base64 each: the first encrypts secrets, all decrypt them"
    )
    webhook_private_addresses: Addresses = Field(
        default=(), description="JSON list of exact host:port to which webhooks may go besides https on the internet"
    )
    webhook_request_timeout: float = Field(
        default=10, gt=0, le=10, description="seconds that an endpoint has to answer one request"
    )
    notification_delivery_timeout: Duration = Field(
        default=timedelta(hours=24),
        description="the longest that another webhook or mail is tried, from its first attempt; urgent ones are tried"
        " for less, then the next channel is used",
    )
    message_retention: Duration = Field(
        default=timedelta(days=30),
        description="the content of a finished webhook is kept for its owner so long after it was queued",
    )
    endpoint_notice_after: Duration = Field(
        default=timedelta(hours=24),
        description="the owner is notified of an endpoint that has accepted nothing for so long",
    )
    endpoint_disable_after: Duration = Field(
        default=timedelta(days=5),
        description="a failing endpoint is disabled so long after the notice",
    )
    egress_proxy: ProxyUrl | None = Field(
        default=None, description="http://user:password@host:port of a proxy through which webhooks leave"
    )
    secret_overlap: Duration = Field(
        default=timedelta(hours=24), description="how long the previous secret still signs after a rotation"
    )
    smtp_host: Host | None = Field(
        default=None, description="host of the mail server; unset: offers are not sent by mail"
    )
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_from: MailAddress | None = Field(default=None, description="sender address of mails")
    smtp_reply_to: MailAddress | None = Field(
        default=None, description="where answers to mails go; unset: to the sender's address"
    )
    smtp_starttls: bool = Field(default=True, description="false only for a mail server on the same machine")
    smtp_username: Text | None = Field(default=None, description="user name for a mail server that requires a login")
    smtp_password: Secret | None = None
    offer_link_key: Key | None = Field(
        default=None,
        description="key that signs the links in mails; sourcing checks them with the same key",
    )
    offer_link_valid_for: Duration = Field(default=timedelta(days=7), description="how long a link in a mail is valid")

    def find_contradictions(self) -> Iterator[str]:
        yield from super().find_contradictions()
        if self.smtp_host is not None and (self.smtp_from is None or self.offer_link_key is None):
            yield "CALLOFF_SMTP_HOST needs CALLOFF_SMTP_FROM and CALLOFF_OFFER_LINK_KEY"
        if self.smtp_host is not None and not self.smtp_starttls and self.smtp_host not in LOOPBACK:
            yield (
                "CALLOFF_SMTP_STARTTLS must be true: false is for a mail server on this machine only "
                "(127.0.0.1, ::1, localhost)"
            )
        if (self.smtp_username is None) != (self.smtp_password is None):
            yield "CALLOFF_SMTP_USERNAME and CALLOFF_SMTP_PASSWORD go together; give both or neither"
