"""The rules of the record: verification, the story of a package, and why a provider did not get it."""
