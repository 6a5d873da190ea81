"""The environment variables that the registry reads."""

from datetime import timedelta
from typing import Final, Self

from pydantic import Field, SecretStr, model_validator

from service_runtime.settings import RuntimeSettings

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Settings(RuntimeSettings):
    """What the registry needs beyond what every service reads; lengths of time in ISO 8601."""

    sourcing_url: str = Field(pattern=r"^https?://.*[^/]$", description="where providers answer offers")
    referral_url: str = Field(pattern=r"^https?://.*[^/]$", description="where placed providers read who the person is")
    webhook_keys: tuple[SecretStr, ...] = Field(
        min_length=1, description="JSON list; 32 bytes in base64 each: the first encrypts secrets, all decrypt them"
    )
    webhook_private_addresses: tuple[str, ...] = Field(
        default=(), description="JSON list of exact host:port to which webhooks may go besides https on the internet"
    )
    offer_given_up_after: timedelta = Field(default=timedelta(minutes=2), description="from the first attempt")
    webhook_answer_within: float = Field(
        default=10, gt=0, le=10, description="real seconds that an endpoint has to answer one request"
    )
    news_given_up_after: timedelta = Field(default=timedelta(hours=24), description="from the first attempt")
    secret_overlap: timedelta = Field(
        default=timedelta(hours=24), description="how long the previous secret still signs after a rotation"
    )
    smtp_host: str | None = Field(default=None, description="the mail server; without one offers are not mailed")
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_from: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+$", description="the address of our mails")
    smtp_starttls: bool = Field(default=True, description="false only for a mail server on the same machine")
    smtp_username: str | None = Field(default=None, min_length=1, description="for a mail server that asks who we are")
    smtp_password: SecretStr | None = Field(default=None, min_length=1)
    offer_link_key: SecretStr | None = Field(
        default=None, min_length=32, description="signs the links in mails; the same for sourcing, which checks them"
    )
    offer_link_valid_for: timedelta = Field(default=timedelta(days=7), description="of a link in a mail")

    @model_validator(mode="after")
    def a_mail_server_needs_a_sender_and_a_key(self) -> Self:
        if self.smtp_host is not None and (self.smtp_from is None or self.offer_link_key is None):
            message = "smtp_host needs smtp_from and offer_link_key beside it"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def nothing_goes_to_another_machine_in_the_clear(self) -> Self:
        if self.smtp_host is not None and not self.smtp_starttls and self.smtp_host not in LOOPBACK:
            message = (
                "smtp_starttls is off, which is for a mail server on this machine only (127.0.0.1, ::1, localhost)"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def a_login_is_a_name_and_a_password(self) -> Self:
        if (self.smtp_username is None) != (self.smtp_password is None):
            message = "smtp_username and smtp_password go together; give both or neither"
            raise ValueError(message)
        return self
