"""Referral over HTTP, one module a subject: referrals and persons, and the council's endpoint for news."""
