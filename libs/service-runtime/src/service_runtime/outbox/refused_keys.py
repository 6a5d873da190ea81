"""Refused keys: keys with a row that Kafka refused. No later row of such a key is sent until the key is released."""

from service_runtime.unit_of_work.streams import StreamKey


class RefusedKeys:
    """The refused keys in the outbox as of the last read, and those that were refused since.

    A key whose parking was not committed when a read began may be missing from what was read, and remains refused.
    """

    def __init__(self) -> None:
        self._refused: set[StreamKey] = set()
        self._being_parked: set[StreamKey] = set()
        self._uncertain: set[StreamKey] = set()

    def __bool__(self) -> bool:
        return bool(self._refused)

    def __contains__(self, stream: StreamKey) -> bool:
        return stream in self._refused

    def refuse(self, stream: StreamKey) -> None:
        """Adds a key whose row Kafka has refused; `end_refusal` follows when this is committed."""
        for keys in (self._refused, self._being_parked, self._uncertain):
            keys.add(stream)

    def end_refusal(self, stream: StreamKey) -> None:
        self._being_parked.discard(stream)

    def begin_read(self) -> None:
        self._uncertain = set(self._being_parked)

    def end_read(self, refused: set[StreamKey]) -> bool:
        """Replaces the keys by those that the read returned; returns True if a key was released."""
        before, self._refused = self._refused, refused | self._uncertain
        return not before <= self._refused
