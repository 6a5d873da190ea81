"""Base class of all events, with a version and the key of the stream, and base classes of package events.

Readers select events through the bases `HasProvider`, `HasStage`, `HasReason`, `HasReasons` and
`HasProjectionVersions`, so that a new event needs no entry in a list of classes. The bases declare their field for the
type checker only: a payload's bytes are hashed in the order of its fields, and a field of a base would come first. Each
subclass declares the field at its own position; a test in `libs/contracts` refuses a class without it.
"""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from contracts.ids import PackageId, ProviderId
from contracts.values import StageName, Value


class ProjectionVersion(Value):
    """The version of a projection row that a decision is based on: row `key` of `view` at `sequence`."""

    view: str = Field(pattern=r"^[a-z_-]{1,40}$")
    key: str = Field(pattern=r"^[A-Za-z0-9/-]{1,250}$")
    sequence: int = Field(ge=1)


ProjectionKey = Annotated[str, Field(pattern=r"^[a-z_-]{1,40}/[A-Za-z0-9/-]{1,250}$")]
"""A row that is missing in a projection: `eligibility/<provider>`."""


class Event(Value):
    """A fact in the past. Subclasses are published on one topic by one owner (`contracts.catalogue`)."""

    version: ClassVar[int] = 1

    @property
    def key(self) -> str:
        """The Kafka key. All events with the same key are in one partition."""
        raise NotImplementedError

    @property
    def correlation(self) -> str:
        """The correlation id: the package, or the key of the stream if there is no package."""
        return self.key

    @classmethod
    def get_type_name(cls) -> str:
        """Returns the CloudEvents type: `calloff.OfferMade.v1`."""
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
    """A package event with one coded reason, a string enum, for the package's history.

    Events whose reason has a single possible value are not subclasses.
    """

    if TYPE_CHECKING:
        reason: Any  # each subclass has its own enum


class HasReasons(PackageEvent):
    """A package event with all coded reasons that apply, each a string enum."""

    if TYPE_CHECKING:
        reasons: tuple[Any, ...]  # each subclass has its own enum


class HasProjectionVersions(PackageEvent):
    """A package event that records the versions of the projections on which its decision is based."""

    if TYPE_CHECKING:
        views: tuple[ProjectionVersion, ...]


class ProviderEvent(Event):
    """An event in the stream of one provider."""

    provider_id: ProviderId

    @property
    def key(self) -> str:
        return str(self.provider_id)
