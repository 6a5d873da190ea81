"""Stream cache: the streams that this process used last, as they were after their last change here.

An entry may be behind the database, because another process or an operator changed the stream. That is safe: what was
decided on it is not applied, because the revision differs, and it is decided again on the stream as it is.
"""

from collections import OrderedDict
from typing import Final

from service_runtime.unit_of_work.streams import Stream, StreamKey

MAX_STREAMS: Final = 4_096
"""Streams that a process keeps. A package needs its search for the few hours in which it is sought a provider."""


class StreamCache:
    """The most recently used streams, at most `max_streams`."""

    def __init__(self, max_streams: int = MAX_STREAMS) -> None:
        self._max_streams = max_streams
        self._streams: OrderedDict[StreamKey, Stream] = OrderedDict()

    def __len__(self) -> int:
        return len(self._streams)

    def get(self, key: StreamKey) -> Stream | None:
        stream = self._streams.get(key)
        if stream is not None:
            self._streams.move_to_end(key)
        return stream

    def put(self, stream: Stream) -> None:
        """Keeps the stream, unless the cache has it at a later revision."""
        known = self._streams.get(stream.key)
        if known is not None and known.revision > stream.revision:
            return
        self._streams[stream.key] = stream
        self._streams.move_to_end(stream.key)
        if len(self._streams) > self._max_streams:
            self._streams.popitem(last=False)

    def remove(self, key: StreamKey) -> None:
        self._streams.pop(key, None)
