"""A referral as the council's system submits it, before validation."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from contracts.ids import AreaCode, FrameworkKey, LotKey, NeedKey, PackageId, RouteKey, ServiceTypeKey
from contracts.values import CarerGender, Visit, Wishes
from referral.domain.person import Person


@dataclass(frozen=True)
class LocatedPostcode:
    """A postcode whose district is known."""

    outward_code: str
    district: AreaCode


@dataclass(frozen=True)
class UnlocatedPostcode:
    """A valid postcode without a known district; `detail` is the text of the error, with what to do."""

    outward_code: str
    detail: str


@dataclass(frozen=True)
class InvalidPostcode:
    """A text without the form of a postcode; `detail` is the text of the error, with what to do."""

    detail: str


PostcodeResult = LocatedPostcode | UnlocatedPostcode | InvalidPostcode


class DespiteOpenReferral(StrEnum):
    """The reason for another referral while one is open for the same person and service."""

    SEPARATE_PACKAGE = "a separate package for the same person"
    REPLACEMENT = "replaces the open referral, which is being withdrawn"
    DIFFERENT_PERSON = "a different person with the same details"


@dataclass(frozen=True)
class ReferralRequest:
    """A referral as the council's system submits it, before validation. What is None is derived where it can be."""

    reference: str
    person: Person
    postcode_result: PostcodeResult
    service_type: ServiceTypeKey
    visits: tuple[Visit, ...]
    starts_on: date
    route: RouteKey | None = None
    urgent_since: datetime | None = None
    needs: tuple[NeedKey, ...] = ()
    carer_gender: CarerGender = CarerGender.ANY
    wishes: Wishes = field(default_factory=Wishes)
    framework: FrameworkKey | None = None
    lot: LotKey | None = None
    area: AreaCode | None = None
    area_confirmed: bool = False
    follows_package: PackageId | None = None
    despite_open_referral: DespiteOpenReferral | None = None

    @property
    def district(self) -> AreaCode | None:
        """The district of the postcode; None if it is not known."""
        return self.postcode_result.district if isinstance(self.postcode_result, LocatedPostcode) else None
