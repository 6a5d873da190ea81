"""The rules of referrals: pure functions and frozen values, with time and events of other services as arguments."""
