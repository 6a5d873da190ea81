"""Signing keys of the identity provider: fetched in the background; requests wait for the first fetch only.

The last usable set is kept for as long as the identity provider does not answer, or answers with something else.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final, Protocol

import aiohttp
from prometheus_client import CollectorRegistry

from contracts.errors import RetryLater
from service_runtime.http.jwks import UnusableKeySet, VerificationKeys, parse_key_set
from service_runtime.observability.logs import Logger
from service_runtime.observability.metrics import SigningKeyMetrics

FETCH_TIMEOUT: Final = 5.0
"""Seconds of one fetch."""
FIRST_WAIT: Final = 3.0
"""Seconds that a request waits for the first fetch; all requests wait for the same one."""
MAX_ANSWER: Final = 256 * 1024
"""Bytes of a JWKS; a set of ten keys with certificates has about 30,000."""
LOOKED_UP_FOR: Final = 30.0
"""Seconds for which a key id that was looked up causes no further fetch."""
MAX_LOOKED_UP: Final = 1_000
"""Key ids that are remembered; anybody can name any number of them."""
MAX_KEY_ID: Final = 256
"""Characters of a key id that is looked up."""


class KeysUnavailable(RetryLater):
    """The identity provider's keys cannot be fetched, or are being fetched."""


class SigningKeys(Protocol):
    """Source of the identity provider's public keys."""

    async def get(self) -> VerificationKeys:
        """Returns the keys. Raises KeysUnavailable if there have never been any."""
        ...

    def refresh_for(self, key_id: str) -> bool:
        """Has the keys fetched again for a token that none of them has signed; does not wait.

        Returns True while it is not known whether the identity provider has such a key.
        """
        ...


class JwksOverHttp:
    """Fetches the keys from a JWKS URL, every `keep_for` seconds and for unknown key ids.

    There is one fetch at a time, and at most one every `min_refetch_interval` seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        keep_for: float = 600,
        min_refetch_interval: float = 5,
        log: Logger | None = None,
        metrics: SigningKeyMetrics | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._keep_for = keep_for
        self._min_refetch_interval = min_refetch_interval
        self._log = log
        self._metrics = metrics or SigningKeyMetrics(CollectorRegistry())
        self._monotonic = monotonic
        self._keys: VerificationKeys | None = None
        self._ignored = 0
        self._fetching: asyncio.Task[None] | None = None
        self._tried_at: float | None = None
        self._fetched_at: float | None = None
        self._wanted: set[str] = set()
        self._looked_up: dict[str, float] = {}

    async def get(self) -> VerificationKeys:
        """Returns the last usable keys; waits at most FIRST_WAIT seconds, and only while there have never been any."""
        is_current = self._fetched_at is not None and self._fetched_at == self._tried_at
        self._start_fetch(after=self._keep_for if is_current else self._min_refetch_interval)
        if self._keys is None and self._fetching is not None:
            await asyncio.wait({self._fetching}, timeout=FIRST_WAIT)
        if self._keys is None:
            message = "the identity provider's keys cannot be fetched; try again shortly"
            raise KeysUnavailable(message, retry_after=2)
        return self._keys

    def refresh_for(self, key_id: str) -> bool:
        """Starts a fetch for a key id, unless it was looked up a moment ago or the keys have just been fetched."""
        now = self._monotonic()
        if len(key_id) > MAX_KEY_ID or now - self._looked_up.get(key_id, float("-inf")) < LOOKED_UP_FOR:
            return False
        if self._fetched_at is not None and now - self._fetched_at < self._min_refetch_interval:
            return False
        if len(self._wanted) < MAX_LOOKED_UP:
            self._wanted.add(key_id)
        self._start_fetch(after=self._min_refetch_interval)
        return True

    def _start_fetch(self, *, after: float) -> None:
        """Starts a fetch if none is running and the last one began `after` seconds ago or earlier."""
        now = self._monotonic()
        if self._fetching is None and (self._tried_at is None or now - self._tried_at >= after):
            self._tried_at = now
            self._fetching = asyncio.create_task(self._fetch(now))

    async def _fetch(self, begun: float) -> None:
        try:
            keys = parse_key_set(await self._download())
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            self._metrics.failed.inc()
            if self._log is not None:
                self._log.warning("signing keys not fetched", error=type(error).__name__)
        else:
            self._keep(keys, begun)
        finally:
            self._fetching = None

    async def _download(self) -> bytes:
        timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT)
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
            # A redirect could lead anywhere, and the answer decides who may call.
            session.get(self._url, allow_redirects=False) as answer,
        ):
            content = bytearray()
            async for part in answer.content.iter_chunked(64 * 1024):
                content += part
                if len(content) > MAX_ANSWER:
                    break
            if answer.status != 200 or len(content) > MAX_ANSWER:
                message = f"the identity provider did not answer with at most {MAX_ANSWER} bytes and status 200"
                raise UnusableKeySet(message)
            return bytes(content)

    def _keep(self, keys: VerificationKeys, begun: float) -> None:
        # Tokens that were verified with an equal set need not be verified again.
        if self._keys is None or self._keys.keys != keys.keys:
            self._keys = keys
        self._fetched_at = begun
        self._metrics.note_fetched(ignored=keys.ignored)
        if keys.ignored != self._ignored and self._log is not None:
            self._log.warning("signing keys ignored", ignored=keys.ignored, used=len(keys.keys))
        self._ignored = keys.ignored
        if len(self._looked_up) + len(self._wanted) > MAX_LOOKED_UP:
            self._looked_up.clear()
        self._looked_up.update(dict.fromkeys(self._wanted, self._monotonic()))
        self._wanted.clear()
