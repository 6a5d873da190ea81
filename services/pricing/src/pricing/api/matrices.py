"""Routes for price matrices: the published rates of each framework from which providers select."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.prices import MatrixLine, RatesSetBy
from contracts.ids import BandKey, ItemKey, ServiceTypeKey, UnitKey
from contracts.values import Money, UnitKind
from pricing.api.callers import AnyCaller, FrameworkPath, Queries
from pricing.domain.errors import FrameworkNotFound
from pricing.domain.titles import Titles
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import FrameworkName

router = APIRouter(tags=["matrices"])

LARGEST_VERSION: Final = 1_000_000


class MatrixLineOut(BaseModel):
    """One line of a matrix. A service type with several lines is paid by all of them."""

    service_type: ServiceTypeKey
    service_type_title: str
    item: ItemKey = Field(description="names the line; the key of the service type if it has one line only")
    item_title: str
    band: BandKey | None = Field(description="the line applies in areas of this price band only; null: in all others")
    unit: UnitKey
    unit_title: str
    unit_kind: UnitKind
    rates: list[Money] = Field(
        description="rates in order, the first is number 1; the lowest rate where providers name their own rates"
    )
    highest: Money | None = Field(description="the highest rate where providers name their own rates")
    each_carer: bool = Field(description="false: a week or an episode costs the same for two carers")


class MatrixOut(BaseModel):
    """One version of a framework's price matrix. A published version never changes."""

    framework: str
    version: int
    price_list: str
    invented: bool = Field(description="true if the prices are invented because the council's matrix is not public")
    rates_set_by: RatesSetBy = Field(
        description="framework: rate 1 applies to every provider; selection: each provider selects a number by area; "
        "provider: each provider names its own rate by area"
    )
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
        rates_set_by=prices.rates_set_by,
        lines=[_to_line_out(each, definition) for each in prices.matrix],
    )


def _to_line_out(line: MatrixLine, definition: FrameworkDefinition) -> MatrixLineOut:
    titles = Titles(definition)
    return MatrixLineOut(
        service_type=line.service_type,
        service_type_title=titles.get_service_type_title(line.service_type),
        item=line.item_key,
        item_title=titles.get_item_title(line.item_key),
        band=line.band,
        unit=line.unit,
        unit_title=titles.get_unit_title(line.unit),
        unit_kind=definition.get_unit_kind(line.unit),
        rates=[line.rate, *line.further_rates],
        highest=line.highest,
        each_carer=line.each_carer,
    )
