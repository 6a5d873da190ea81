"""Request bodies about providers, and their conversion to domain values."""

from pydantic import Field

from contracts.errors import FieldError, InvalidInput
from contracts.events.providers import EmbargoReason
from provider_registry.domain.provider import Profile
from provider_registry.domain.skills import SkillEvidence
from service_runtime.http.text_fields import (
    AreaName,
    Code,
    Day,
    NeedName,
    PhoneNumber,
    Pounds,
    RequestBody,
    ShortText,
    Uuid,
    WeeklyHours,
)


class ProfileIn(RequestBody):
    """A provider's details."""

    name: ShortText
    turnover: Pounds | None = Field(default=None, description="pounds a year, from the accounts given as evidence")
    turnover_evidence: Code | None = Field(
        default=None, description="the accounts that show it: filed accounts 2023/24; needed with a turnover"
    )
    phone: PhoneNumber = Field(description="the office's number, for the officers' call list")

    def to_profile(self) -> Profile:
        """Raises InvalidInput for a turnover without evidence."""
        if self.turnover is not None and self.turnover_evidence is None:
            raise InvalidInput(
                FieldError("#/turnover_evidence", "is missing; name the accounts that show the turnover")
            )
        return Profile(self.name, self.turnover, self.turnover_evidence, self.phone)


class ProviderIn(ProfileIn):
    provider_id: Uuid | None = Field(
        default=None, description="chosen by the caller to make an import repeatable; generated if omitted"
    )


class SkillIn(RequestBody):
    skill: NeedName = Field(description="a skill of one of your council's frameworks")
    evidence: Code = Field(description="a reference to the evidence, such as a certificate's number; no names")
    valid_from: Day = Field(description="first day on which the evidence counts")
    valid_until: Day | None = Field(default=None, description="last day on which the evidence counts")

    def to_skill(self) -> SkillEvidence:
        return SkillEvidence(self.skill, self.evidence, self.valid_from, self.valid_until)


class SkillsIn(RequestBody):
    """All skills of the provider with their evidence. Evidence that has ended stays, so that the past can be judged."""

    skills: list[SkillIn] = Field(max_length=500)


class SpotAreasIn(RequestBody):
    """All areas in which the provider takes packages outside frameworks; omitted ones end."""

    areas: list[AreaName] = Field(max_length=500)


class EmbargoIn(RequestBody):
    reason: EmbargoReason


class CapacityIn(RequestBody):
    area: AreaName
    free_hours: WeeklyHours = Field(description="free commissioned hours a week; a visit with two carers counts twice")
