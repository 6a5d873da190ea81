"""What every event has: a version, and the key of the stream that it belongs to; and the bases of package events.

A reader handles every event about a provider, in a stage or with a coded reason through `HasProvider`, `HasStage`,
`HasReason`, `HasReasons` and `HasViews`, so a new event needs no entry in a list of classes. These bases declare their
field for the type checker only: a payload's bytes are hashed in the order of its fields, and a field of a base would
come first. Each subclass declares the field at its own place; a test in `libs/contracts` refuses a class without it.
"""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from contracts.ids import PackageId, ProviderId
from contracts.values import StageName, Value


class ViewUse(Value):
    """The version of a projection that a decision was taken on: `eligibility/<key>` at `sequence`."""

    view: str = Field(pattern=r"^[a-z_-]{1,40}$")
    key: str = Field(pattern=r"^[A-Za-z0-9/-]{1,160}$")
    sequence: int = Field(ge=1)


ViewKey = Annotated[str, Field(pattern=r"^[a-z_-]{1,40}/[A-Za-z0-9/-]{1,160}$")]
"""A row of a projection that has to exist first: `eligibility/<provider>`."""


class Event(Value):
    """A fact in the past. Subclasses are published on one topic by one owner (`contracts.catalogue`)."""

    version: ClassVar[int] = 1

    @property
    def key(self) -> str:
        """The Kafka key; all events about one subject are in one partition."""
        raise NotImplementedError

    @property
    def correlation(self) -> str:
        """The id that the events of one case share: the package, or else the stream's own key."""
        return self.key

    @classmethod
    def type_name(cls) -> str:
        """`calloff.OfferMade.v1`"""
        return f"calloff.{cls.__name__}.v{cls.version}"


class PackageEvent(Event):
    """An event in the stream of one package."""

    package_id: PackageId

    @property
    def key(self) -> str:
        return str(self.package_id)


class HasProvider(PackageEvent):
    """A package event about one provider."""

    if TYPE_CHECKING:
        provider_id: ProviderId


class HasStage(PackageEvent):
    """A package event that happens in a stage of sourcing."""

    if TYPE_CHECKING:
        stage: StageName


class HasReason(PackageEvent):
    """A package event with one coded reason, a string enum, that a reader of the package's history needs.

    Events whose reason can have one value only are not subclasses: their name says it already.
    """

    if TYPE_CHECKING:
        reason: Any  # each subclass has closed words of its own


class HasReasons(PackageEvent):
    """A package event with all coded reasons that hold, each a string enum."""

    if TYPE_CHECKING:
        reasons: tuple[Any, ...]  # each subclass has closed words of its own


class HasViews(PackageEvent):
    """A package event that records the versions of the projections it was decided on."""

    if TYPE_CHECKING:
        views: tuple[ViewUse, ...]


class ProviderEvent(Event):
    """An event in the stream of one provider."""

    provider_id: ProviderId

    @property
    def key(self) -> str:
        return str(self.provider_id)
