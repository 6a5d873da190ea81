"""Attributes by which traces can be searched: the subjects of event streams and the parameters of requests."""

from collections.abc import Mapping
from typing import Final

from contracts.catalogue import PACKAGES

PACKAGE_ATTRIBUTE: Final = "calloff.package_id"
SUBJECT_ATTRIBUTE: Final = "calloff.subject"
ATTRIBUTE_BY_TOPIC: Final[Mapping[str, str]] = {PACKAGES: PACKAGE_ATTRIBUTE}
"""Topics whose keys have an attribute of their own. Only their records get a span when a service stores them."""
ATTRIBUTE_BY_PARAMETER: Final[Mapping[str, str]] = {"package_id": PACKAGE_ATTRIBUTE}
"""Path and query parameters that a request's span carries; their values are UUIDs."""


def build_subject_attributes(topic: str, key: str) -> dict[str, str]:
    """Returns the attribute of a stream: its key if the topic has an attribute of its own, else topic and key."""
    attribute = ATTRIBUTE_BY_TOPIC.get(topic)
    return {SUBJECT_ATTRIBUTE: f"{topic}/{key}"} if attribute is None else {attribute: key}
