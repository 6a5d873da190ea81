"""Who acted, as events name people: never by a name."""

from typing import Annotated

from pydantic import Field

Actor = Annotated[str, Field(pattern=r"^[a-z]+:[A-Za-z0-9._:|-]{1,64}$")]
"""By kind and opaque id, `officer:7f3a`: two people are two actors."""
