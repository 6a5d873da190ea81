"""What services exchange: events, envelope, catalogue, framework definitions, pricing terms."""
