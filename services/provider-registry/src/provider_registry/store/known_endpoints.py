"""Known endpoints: the providers of which this process has seen that they have one.

An endpoint can be changed or disabled and is never removed, so what is known stays true: a notice to such a provider
goes to its endpoint first, without a query.
"""

from collections import OrderedDict
from typing import Final

from contracts.ids import ProviderId

MAX_PROVIDERS: Final = 20_000


class KnownEndpoints:
    """The providers with an endpoint that were seen last, at most `max_providers`."""

    def __init__(self, max_providers: int = MAX_PROVIDERS) -> None:
        self._max_providers = max_providers
        self._providers: OrderedDict[ProviderId, None] = OrderedDict()

    def add(self, provider_id: ProviderId) -> None:
        self._providers[provider_id] = None
        if len(self._providers) > self._max_providers:
            self._providers.popitem(last=False)

    def __contains__(self, provider_id: ProviderId) -> bool:
        return provider_id in self._providers
