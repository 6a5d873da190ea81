"""The rules of the market: frozen values, pure functions; definitions, time and ids come in as arguments."""
