"""The callers of audit's routes, by scope, and the queries that the routes run."""

from typing import Annotated

from fastapi import Depends

from audit.ports import ArchiveQueries, RecordQueries
from service_runtime.http.app import inject
from service_runtime.http.auth import Caller, require_scopes

Reader = Annotated[Caller, Depends(require_scopes(("audit:read", "sourcing:operate")))]
Auditor = Annotated[Caller, Depends(require_scopes(("audit:read", "operations:manage")))]
Archives = Annotated[ArchiveQueries, inject(ArchiveQueries)]
Queries = Annotated[RecordQueries, inject(RecordQueries)]
