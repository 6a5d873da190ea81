"""Events of one package of care that referral publishes; topic `homecare.packages.v1`."""

from contracts.events.base import (
    HasProvider,
    HasReason,
    PackageEvent,
)
from contracts.ids import (
    LotKey,
    PackageId,
    ProviderId,
    ReasonKey,
)
from contracts.values import (
    Care,
    Value,
    Wishes,
)


class FollowedPackage(Value):
    """The package that this one follows, such as the reablement before long-term care, and who delivers it."""

    package_id: PackageId
    lot: LotKey
    provider_id: ProviderId


class PackageRequested(PackageEvent):
    """referral: a package of care for one adult is to be sourced. The adult's identity stays in referral."""

    care: Care
    wishes: Wishes = Wishes()
    follows: FollowedPackage | None = None


class WithdrawalRequested(HasReason):
    """referral: the council withdraws the package; sourcing decides what that means in its current state."""

    reason: ReasonKey


class PackageWithdrawn(HasReason):
    """referral: the withdrawal is complete; the package is neither sourced nor placed."""

    reason: ReasonKey


class PersonDisclosed(HasProvider):
    """referral: the placed provider was shown who the person is."""

    provider_id: ProviderId
