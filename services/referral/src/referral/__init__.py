"""The need: referrals and packages, who the person is, the life of a package."""
