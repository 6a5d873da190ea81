"""What every event has: a version, and the key of the stream it belongs to."""

from typing import ClassVar

from contracts.ids import PackageId, ProviderId
from contracts.values import Value


class Event(Value):
    """A fact in the past. Subclasses are published on one topic by one owner (`contracts.catalogue`)."""

    version: ClassVar[int] = 1

    @property
    def key(self) -> str:
        """The Kafka key; everything about one subject is in one partition."""
        raise NotImplementedError

    @property
    def correlation(self) -> str:
        """What the story is about: the package, or else the stream's own subject."""
        return self.key

    @classmethod
    def type_name(cls) -> str:
        """`calloff.OfferMade.v1`"""
        return f"calloff.{cls.__name__}.v{cls.version}"


class PackageEvent(Event):
    package_id: PackageId

    @property
    def key(self) -> str:
        return str(self.package_id)


class ProviderEvent(Event):
    provider_id: ProviderId

    @property
    def key(self) -> str:
        return str(self.provider_id)
