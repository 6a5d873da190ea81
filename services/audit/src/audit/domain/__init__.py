"""The rules of the record: verification, the trail of a package, and why a provider did not get it."""
