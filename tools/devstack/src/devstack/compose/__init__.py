"""What docker-compose.yml runs besides the services, for trying out only: secrets, set-up, token issuer, mail sink."""
