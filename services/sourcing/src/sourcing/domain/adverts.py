"""The advert of a package: what a list may show of it (DOMAIN, who may see what of the adult)."""

from collections.abc import Collection

from contracts.events.listings import Advert
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import ListingReference
from contracts.values import Care, CarerGender, OutwardCode


def build_advert(
    care: Care,
    reference: ListingReference,
    definition: FrameworkDefinition,
    *,
    outward_codes_shown: Collection[OutwardCode],
) -> Advert:
    """Build the advert. The outward code stands in it only where the definition shows it."""
    return Advert(
        reference=reference,
        lot=care.lot,
        area=care.area,
        outward_code=care.outward_code if care.outward_code in outward_codes_shown else None,
        age_band=care.age_band,
        carer_gender=None if care.carer_gender is CarerGender.ANY else care.carer_gender,
        service_type=care.service_type,
        weekly_hours=care.weekly_hours,
        carers_at_once=care.carers_at_once,
        skills=tuple(need for need in care.needs if definition.find_skill(need) is not None),
    )
