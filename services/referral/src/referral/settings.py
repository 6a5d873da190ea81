"""The environment variables that referral reads."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from service_runtime.settings import RuntimeSettings


class Settings(RuntimeSettings):
    """Settings of referral beyond those of every service; durations in ISO 8601."""

    postcode_directory: Path = Field(description="path of the postcode index; `migrate` builds it if it does not exist")
    invalid_nhs_number: Literal["report", "refuse"] = Field(
        default="report",
        description="`report`: accept a referral whose NHS number fails its check, with a warning; `refuse`: reject it",
    )
    referral_url: str = Field(
        pattern=r"^https?://.*[^/]$", description="base URL of the links in notifications to councils"
    )
    webhook_keys: tuple[SecretStr, ...] = Field(
        min_length=1, description="JSON list; 32 bytes in base64 each: the first encrypts secrets, all decrypt them"
    )
    webhook_private_addresses: tuple[str, ...] = Field(
        default=(), description="JSON list of exact host:port to which webhooks may go besides https on the internet"
    )
    notification_delivery_timeout: timedelta = Field(default=timedelta(hours=24), description="from the first attempt")
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
