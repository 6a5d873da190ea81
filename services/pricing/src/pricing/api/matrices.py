"""The price matrices that providers select their rates from, as the frameworks' definitions have them."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from contracts.framework import FrameworkDefinition, MatrixLine
from contracts.ids import FrameworkKey
from contracts.values import Money, PriceUnit, ServiceType
from pricing.api.callers import Anybody, FrameworkName, Queries
from pricing.domain.errors import FrameworkNotFound
from service_runtime.http.problems import problems

router = APIRouter(tags=["matrices"])


class MatrixLineOut(BaseModel):
    service_type: ServiceType
    unit: PriceUnit
    rates: list[Money] = Field(description="rate 1, rate 2, …: the first one is number 1")


class MatrixOut(BaseModel):
    """One version of a framework's price matrix; a version is never changed."""

    framework: str
    version: int
    price_list: str
    invented: bool = Field(description="true where the council's real matrix is not public")
    selected_by_providers: bool = Field(description="false: rate 1 holds for every provider")
    lines: list[MatrixLineOut]


class Matrices(BaseModel):
    items: list[MatrixOut]


@router.get("/v1/matrices", response_model=Matrices, responses=problems())
async def list_matrices(
    caller: Anybody,
    ask: Queries,
    framework: Annotated[
        str | None, Query(pattern=r"^[a-z0-9-]{3,60}$", description="only the versions of this one")
    ] = None,
) -> Matrices:
    """Your council's matrices in every published version, of each framework the newest first."""
    found = await ask.matrices_of(caller.council, None if framework is None else FrameworkKey(framework))
    return Matrices(items=[_matrix_out(each) for each in found])


@router.get("/v1/matrices/{framework}/{version}", response_model=MatrixOut, responses=problems(404))
async def show_matrix(
    framework: FrameworkName, version: Annotated[int, Path(ge=1)], caller: Anybody, ask: Queries
) -> MatrixOut:
    """One version of a matrix."""
    found = await ask.matrices_of(caller.council, framework)
    definition = next((each for each in found if each.version == version), None)
    if definition is None:
        raise FrameworkNotFound
    return _matrix_out(definition)


def _matrix_out(definition: FrameworkDefinition) -> MatrixOut:
    prices = definition.prices
    return MatrixOut(
        framework=definition.framework,
        version=definition.version,
        price_list=prices.price_list,
        invented=prices.invented,
        selected_by_providers=prices.selected_by_providers,
        lines=[_line_out(each) for each in prices.matrix],
    )


def _line_out(line: MatrixLine) -> MatrixLineOut:
    return MatrixLineOut(service_type=line.service_type, unit=line.unit, rates=[line.rate, *line.further_rates])
