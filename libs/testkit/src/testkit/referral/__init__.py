"""Builders and fakes for referral's tests."""
