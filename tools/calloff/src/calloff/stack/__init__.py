"""The whole of Call-off on one machine: servers, services and their surroundings, started, watched and ended."""
