"""Converts values to columns, the arguments of statements with `unnest`."""

from collections.abc import Iterable

from audit.domain.records import RecordPosition, StreamName


def to_stream_columns(streams: Iterable[StreamName]) -> dict[str, object]:
    ordered = list(streams)
    return {
        "topics": [stream.topic for stream in ordered],
        "subjects": [stream.subject for stream in ordered],
        "sources": [stream.source for stream in ordered],
    }


def to_position_columns(positions: Iterable[RecordPosition]) -> dict[str, object]:
    ordered = list(positions)
    return {
        "topics": [position.topic for position in ordered],
        "partitions": [position.partition for position in ordered],
        "offsets": [position.offset for position in ordered],
    }
