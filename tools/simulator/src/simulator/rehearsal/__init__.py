"""Rehearsal: the same referrals go through two definitions on the pure engine, and the results are compared."""
