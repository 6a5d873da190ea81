"""Structured logs, traces and metrics, and their export by OTLP."""
