"""What the registry does when something happens: load, decide, save, publish; one module a subject."""
