"""Composition root of referral: every part of the service is wired here."""

from functools import partial
from pathlib import Path

from contracts.ids import AreaCode
from geography import NotAPostcode, Postcode, PostcodeDirectory, PostcodeLocation
from referral.api import endpoint, messages, persons, referrals, submissions, withdrawals
from referral.domain.intake import IntakeRules
from referral.domain.person import PersonKeyHasher
from referral.domain.request import InvalidPostcode, LocatedPostcode, PostcodeResult, UnlocatedPostcode
from referral.ports import COUNCILS, NotificationTerms, PostcodeLocator, ReferralQueries
from referral.settings import Settings
from referral.store.queries import PostgresReferralQueries
from referral.store.referrals import REFERRAL_STATE, SAVE_REFERRALS, OpenReferrals
from referral.store.unit_of_work import PostgresReferralWork
from referral.subscriptions import GATHERING, PROJECTIONS, SUBSCRIPTIONS, TIMERS
from service_runtime.service import Service
from service_runtime.startup.errors import StartRefused
from service_runtime.webhooks.addresses import AddressRules
from service_runtime.webhooks.config import WebhookConfig
from service_runtime.webhooks.egress import EgressProxy
from service_runtime.webhooks.endpoint_health import FailureTerms
from service_runtime.webhooks.secret_box import SecretBox


def build(settings: Settings) -> Service[PostgresReferralWork]:
    database = settings.open_database("referral")
    webhooks = _build_webhooks(settings)
    return Service(
        name="referral",
        description="The need: referrals for care at home, who the person is, and the life of each package.",
        settings=settings,
        database=database,
        unit_of_work=partial(
            PostgresReferralWork,
            secret_box=webhooks.secret_box,
            rules=webhooks.rules,
            secret_overlap=settings.secret_overlap,
            failure_terms=_build_failure_terms(settings),
            notification_terms=_build_notification_terms(settings),
            open_referrals=OpenReferrals(database),
        ),
        migrations=Path(__file__).parent / "migrations",
        routes=(
            submissions.router,
            referrals.router,
            withdrawals.router,
            persons.router,
            endpoint.router,
            messages.router,
        ),
        subscriptions=SUBSCRIPTIONS,
        gathering=GATHERING,
        timers=TIMERS,
        states=(REFERRAL_STATE,),
        save_rows=SAVE_REFERRALS,
        projections=PROJECTIONS,
        webhooks=webhooks,
        ports={
            ReferralQueries: PostgresReferralQueries(database),
            PostcodeLocator: OnsPostcodeLocator(_open_postcodes(settings.postcode_directory)),
            PersonKeyHasher: PersonKeyHasher(settings.fingerprint_key.get_secret_value().encode()),
            IntakeRules: IntakeRules(refuses_invalid_nhs_number=settings.invalid_nhs_number == "refuse"),
        },
    )


def _build_webhooks(settings: Settings) -> WebhookConfig[PostgresReferralWork]:
    return WebhookConfig(
        secret_box=SecretBox([key.get_secret_value() for key in settings.webhook_keys]),
        rules=AddressRules(settings.webhook_private_addresses),
        message_retention=settings.message_retention,
        failure_terms=_build_failure_terms(settings),
        egress_proxy=None if settings.egress_proxy is None else EgressProxy(settings.egress_proxy),
    )


def _build_failure_terms(settings: Settings) -> FailureTerms:
    return FailureTerms(
        COUNCILS, notice_after=settings.endpoint_notice_after, disable_after=settings.endpoint_disable_after
    )


def _build_notification_terms(settings: Settings) -> NotificationTerms:
    return NotificationTerms(
        referral_url=settings.referral_url,
        notification_delivery_timeout=settings.notification_delivery_timeout,
    )


def _open_postcodes(folder: Path) -> PostcodeDirectory:
    try:
        return PostcodeDirectory.open(folder)
    except OSError as error:
        message = (
            "CALLOFF_POSTCODE_DIRECTORY must be the folder of the postcode index, or one that can be written "
            f"({error.strerror})"
        )
        raise StartRefused(message) from error


class OnsPostcodeLocator:
    """Locates postcodes in the ONS Postcode Directory."""

    def __init__(self, directory: PostcodeDirectory) -> None:
        self._directory = directory

    def locate(self, postcode: str) -> PostcodeResult:
        try:
            parsed = Postcode.parse(postcode)
        except NotAPostcode as error:
            return InvalidPostcode(str(error))
        location = self._directory.locate(parsed)
        if isinstance(location, PostcodeLocation):
            return LocatedPostcode(location.outward, AreaCode(location.district.code))
        return UnlocatedPostcode(location.outward, location.reason.value)
