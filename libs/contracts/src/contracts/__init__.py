"""The words services say to each other: events, envelope, catalogue, framework definitions, pricing terms."""
