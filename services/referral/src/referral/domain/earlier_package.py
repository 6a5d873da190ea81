"""The earlier package that a referral follows, such as the reablement before long-term care."""

from collections.abc import Iterable
from dataclasses import dataclass

from contracts.errors import FieldError
from contracts.events.packages import FollowedPackage
from contracts.ids import LotKey, PackageId, ProviderId
from referral.domain.request import ReferralRequest


@dataclass(frozen=True)
class EarlierPackage:
    """A package of the same council; `provider_id` delivers it, None unless it is placed."""

    package_id: PackageId
    lot: LotKey
    is_of_same_person: bool
    provider_id: ProviderId | None


def check_follows(request: ReferralRequest, earlier: EarlierPackage | None) -> Iterable[FieldError]:
    """Yields an error unless the package that the request follows is a placed one of the same person."""
    if request.follows_package is None:
        return
    if earlier is None:
        yield FieldError("#/follows_package", "is not a package of your council; give the package_id of a referral")
    elif not earlier.is_of_same_person:
        yield FieldError(
            "#/follows_package", "is a package of another person; give one of this person, or leave it out"
        )
    elif earlier.provider_id is None:
        yield FieldError(
            "#/follows_package", "is not placed, so that no provider delivers it; give a placed one, or leave it out"
        )


def build_followed_package(earlier: EarlierPackage | None) -> FollowedPackage | None:
    """Returns the package that is followed; `check_follows` has accepted it."""
    if earlier is None:
        return None
    assert earlier.provider_id is not None, "a package that is not placed is refused"
    return FollowedPackage(package_id=earlier.package_id, lot=earlier.lot, provider_id=earlier.provider_id)
