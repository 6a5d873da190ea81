"""Request fingerprints: they distinguish two requests and contain none of their text."""

from service_runtime.idempotency import compute_fingerprint

KEY = b"k" * 32


def test_the_same_parts_give_the_same_fingerprint() -> None:
    assert compute_fingerprint(KEY, b"POST", b"/v1/x", b"{}") == compute_fingerprint(KEY, b"POST", b"/v1/x", b"{}")


def test_every_part_and_its_boundaries_change_the_fingerprint() -> None:
    fingerprints = {
        compute_fingerprint(KEY, b"POST", b"/v1/x", b"{}"),
        compute_fingerprint(KEY, b"PUT", b"/v1/x", b"{}"),
        compute_fingerprint(KEY, b"POST", b"/v1/x", b"{ }"),
        compute_fingerprint(KEY, b"POST/", b"v1/x", b"{}"),
        compute_fingerprint(b"o" * 32, b"POST", b"/v1/x", b"{}"),
    }
    assert len(fingerprints) == 5


def test_a_fingerprint_does_not_contain_the_request() -> None:
    assert "Test Person" not in compute_fingerprint(KEY, b"Test Person")
    assert len(compute_fingerprint(KEY, b"Test Person" * 1000)) == 64
