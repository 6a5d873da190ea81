"""Runs audit: `python -m audit`, or `python -m audit migrate`."""

from audit.settings import Settings
from audit.wiring import build
from service_runtime.process import run

run(Settings, build)
