"""The stream cache: bounded, and never older than what it was given last."""

from dataclasses import replace

from service_runtime.unit_of_work.stream_cache import MAX_STREAMS, StreamCache
from service_runtime.unit_of_work.streams import Stream, StreamKey


def a_stream(number: int, *, revision: int = 1) -> Stream:
    return Stream(StreamKey("packages", str(number)), revision=revision)


def test_the_least_recently_used_stream_is_removed() -> None:
    cache = StreamCache(max_streams=2)
    first, second, third = map(a_stream, range(3))
    cache.put(first)
    cache.put(second)
    assert cache.get(first.key) == first
    cache.put(third)
    assert (cache.get(first.key), cache.get(second.key), cache.get(third.key)) == (first, None, third)


def test_a_million_packages_keep_the_cache_at_its_size() -> None:
    cache = StreamCache()
    for number in range(1_000_000):
        cache.put(a_stream(number))
    assert len(cache) == MAX_STREAMS


def test_an_older_revision_does_not_replace_a_newer_one() -> None:
    cache = StreamCache()
    newer = a_stream(1, revision=3)
    cache.put(newer)
    cache.put(replace(newer, revision=2))
    assert cache.get(newer.key) == newer


def test_a_removed_stream_is_gone() -> None:
    cache = StreamCache()
    stream = a_stream(1)
    cache.put(stream)
    cache.remove(stream.key)
    cache.remove(stream.key)
    assert cache.get(stream.key) is None
