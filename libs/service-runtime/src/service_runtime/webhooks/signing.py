"""Signatures by Standard Webhooks 1.0, by which receivers verify origin, integrity and age of a webhook."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32


def generate_secret() -> str:
    """Generates a secret in the form that receivers use: `whsec_` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def build_signed_headers(webhook_id: str, body: bytes, *, keys: Sequence[str], timestamp: int) -> dict[str, str]:
    """Builds the three headers of a webhook, with one signature for each secret in `keys`.

    `timestamp` is the real time in whole seconds; receivers refuse a webhook that differs by more than five minutes.
    """
    signatures = " ".join(sign(webhook_id, body, secret=key, timestamp=timestamp) for key in keys)
    return {"webhook-id": webhook_id, "webhook-timestamp": str(timestamp), "webhook-signature": signatures}


def sign(webhook_id: str, body: bytes, *, secret: str, timestamp: int) -> str:
    """Returns `v1,` and the HMAC-SHA256 of id, timestamp and the exact body, in base64."""
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    digest = hmac.digest(base64.b64decode(secret.removeprefix(PREFIX)), signed, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"
