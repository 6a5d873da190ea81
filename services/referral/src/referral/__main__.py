"""Runs referral: `python -m referral`, or `python -m referral migrate`."""

from referral.settings import Settings
from referral.wiring import build
from service_runtime.process import run

run(Settings, build)
