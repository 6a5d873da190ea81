"""Referral, put together. Read this to see what the service is made of."""

from functools import partial
from pathlib import Path

from contracts.ids import AreaCode
from geography import NotAPostcode, Postcode, PostcodeDirectory, PostcodeLocation
from referral.api import endpoint, referrals
from referral.domain import intake
from referral.domain.intake import IntakeRules, KnownPlace, PlaceFound, UnknownPlace
from referral.domain.person import PersonKeys
from referral.ports import NotificationTerms, Postcodes, ReferralQueries
from referral.settings import Settings
from referral.store.queries import PostgresReferralQueries
from referral.store.unit_of_work import PostgresReferralWork
from referral.subscriptions import PROJECTIONS, SUBSCRIPTIONS, TIMERS
from service_runtime.postgres.database import Database
from service_runtime.service import Service
from service_runtime.webhooks.addresses import AddressRules
from service_runtime.webhooks.config import WebhookConfig
from service_runtime.webhooks.secret_box import SecretBox


def build(settings: Settings) -> Service[PostgresReferralWork]:
    database = Database(settings.database_url.get_secret_value(), name="referral", pool_size=settings.pool_size)
    secret_box = SecretBox([key.get_secret_value() for key in settings.webhook_keys])
    rules = AddressRules(settings.webhook_private_addresses)
    return Service(
        name="referral",
        description="The need: referrals for care at home, who the person is, and the life of each package.",
        settings=settings,
        database=database,
        unit_of_work=partial(
            PostgresReferralWork,
            secret_box=secret_box,
            rules=rules,
            notification_terms=_build_notification_terms(settings),
        ),
        migrations=Path(__file__).parent / "migrations",
        routes=(referrals.referrals, referrals.persons, endpoint.router),
        subscriptions=SUBSCRIPTIONS,
        timers=TIMERS,
        projections=PROJECTIONS,
        webhooks=WebhookConfig(secret_box=secret_box, rules=rules),
        ports={
            ReferralQueries: PostgresReferralQueries(database),
            Postcodes: OnsPostcodes(PostcodeDirectory.open(settings.postcode_directory)),
            PersonKeys: PersonKeys(settings.fingerprint_key.get_secret_value().encode()),
            IntakeRules: IntakeRules(refuses_invalid_nhs_number=settings.invalid_nhs_number == "refuse"),
        },
    )


def _build_notification_terms(settings: Settings) -> NotificationTerms:
    return NotificationTerms(
        referral_url=settings.referral_url,
        notification_delivery_timeout=settings.notification_delivery_timeout,
        secret_overlap=settings.secret_overlap,
    )


class OnsPostcodes:
    """The ONS Postcode Directory, in referral's words."""

    def __init__(self, directory: PostcodeDirectory) -> None:
        self._directory = directory

    def locate(self, postcode: str) -> PlaceFound:
        try:
            parsed = Postcode.parse(postcode)
        except NotAPostcode as error:
            return intake.NotAPostcode(str(error))
        place = self._directory.locate(parsed)
        if isinstance(place, PostcodeLocation):
            return KnownPlace(place.outward, AreaCode(place.district.code))
        return UnknownPlace(place.outward, place.why.value)
