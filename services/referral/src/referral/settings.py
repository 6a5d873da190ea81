"""The environment variables that referral reads."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from service_runtime.settings import RuntimeSettings
from service_runtime.settings_types import Addresses, BaseUrl, Duration, EncryptionKeys, Folder, ProxyUrl


class Settings(RuntimeSettings):
    """Settings of referral beyond those of every service; durations in ISO 8601."""

    postcode_directory: Folder = Field(
        description="the folder of the postcode index; `migrate` builds it if it does not exist"
    )
    invalid_nhs_number: Literal["report", "refuse"] = Field(
        default="report",
        description="`report`: accept a referral whose NHS number fails its check, with a warning; `refuse`: reject it",
    )
    referral_url: BaseUrl = Field(
        description="the public address of referral, for the links in notifications to councils"
    )
    webhook_keys: EncryptionKeys = Field(
        description="a JSON list of keys, 32 bytes in base64 each: the first encrypts secrets, all decrypt them"
    )
    webhook_private_addresses: Addresses = Field(
        default=(), description="JSON list of exact host:port to which webhooks may go besides https on the internet"
    )
    notification_delivery_timeout: Duration = Field(default=timedelta(hours=24), description="from the first attempt")
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
