from typing import Generic, TypeVar

OkT = TypeVar("OkT")
ErrT = TypeVar("ErrT", bound=Exception)

class Ok(Generic[OkT]):
    def ok(self) -> OkT: ...

class Err(Generic[ErrT]):
    def err(self) -> ErrT: ...
