"""The market: providers, eligibility, ranked lists, endpoints, webhook delivery."""
