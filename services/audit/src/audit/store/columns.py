"""Values side by side, as statements over many rows take them."""

from collections.abc import Iterable

from audit.domain.records import RecordPosition, StreamName


def to_stream_columns(streams: Iterable[StreamName]) -> dict[str, object]:
    ordered = list(streams)
    return {
        "topics": [each.topic for each in ordered],
        "subjects": [each.subject for each in ordered],
        "sources": [each.source for each in ordered],
    }


def to_position_columns(positions: Iterable[RecordPosition]) -> dict[str, object]:
    ordered = list(positions)
    return {
        "topics": [each.topic for each in ordered],
        "partitions": [each.partition for each in ordered],
        "offsets": [each.offset for each in ordered],
    }
