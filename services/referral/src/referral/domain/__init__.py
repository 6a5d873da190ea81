"""The rules of referrals: pure functions and frozen values, with time and what others said as arguments."""
