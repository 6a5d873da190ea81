from collections.abc import Sequence

class MetadataResponse:
    brokers: Sequence[tuple[object, ...]]

class MetadataRequest:
    def __init__(self, topics: Sequence[str]) -> None: ...
