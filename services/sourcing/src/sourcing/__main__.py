"""Runs sourcing: `python -m sourcing`, or `python -m sourcing migrate`."""

from service_runtime.process import run
from sourcing.settings import Settings
from sourcing.wiring import build

run(Settings, build)
