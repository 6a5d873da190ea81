"""Routes of referral, one module a concept."""
