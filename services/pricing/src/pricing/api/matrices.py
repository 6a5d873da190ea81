"""Routes for price matrices: the published rates of each framework from which providers select."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from contracts.framework import FrameworkDefinition, MatrixLine
from contracts.values import Money, PriceUnit, ServiceType
from pricing.api.callers import AnyCaller, FrameworkPath, Queries
from pricing.domain.errors import FrameworkNotFound
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import FrameworkName

router = APIRouter(tags=["matrices"])

LARGEST_VERSION: Final = 1_000_000


class MatrixLineOut(BaseModel):
    service_type: ServiceType
    unit: PriceUnit
    rates: list[Money] = Field(description="rates in order; the first is number 1")


class MatrixOut(BaseModel):
    """One version of a framework's price matrix. A published version never changes."""

    framework: str
    version: int
    price_list: str
    invented: bool = Field(description="true if the prices are invented because the council's matrix is not public")
    selected_by_providers: bool = Field(description="if false, rate 1 applies to every provider")
    lines: list[MatrixLineOut]


class MatrixList(BaseModel):
    items: list[MatrixOut]


@router.get("/v1/matrices", response_model=MatrixList, responses=describe_problems())
async def list_matrices(
    caller: AnyCaller,
    queries: Queries,
    framework: Annotated[FrameworkName | None, Query(description="return only versions of this framework")] = None,
) -> MatrixList:
    """List every published version of your council's matrices, by framework, newest version first."""
    found = await queries.list_matrices(caller.council, framework)
    return MatrixList(items=[_to_matrix_out(definition) for definition in found])


@router.get("/v1/matrices/{framework}/{version}", response_model=MatrixOut, responses=describe_problems(404))
async def show_matrix(
    framework: FrameworkPath,
    version: Annotated[int, Path(ge=1, le=LARGEST_VERSION)],
    caller: AnyCaller,
    queries: Queries,
) -> MatrixOut:
    """Return one version of a matrix."""
    found = await queries.list_matrices(caller.council, framework)
    definition = next((each for each in found if each.version == version), None)
    if definition is None:
        raise FrameworkNotFound
    return _to_matrix_out(definition)


def _to_matrix_out(definition: FrameworkDefinition) -> MatrixOut:
    prices = definition.prices
    return MatrixOut(
        framework=definition.framework,
        version=definition.version,
        price_list=prices.price_list,
        invented=prices.invented,
        selected_by_providers=prices.selected_by_providers,
        lines=[_to_line_out(each) for each in prices.matrix],
    )


def _to_line_out(line: MatrixLine) -> MatrixLineOut:
    return MatrixLineOut(service_type=line.service_type, unit=line.unit, rates=[line.rate, *line.further_rates])
