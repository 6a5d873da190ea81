"""Repository of purchase orders on PostgreSQL."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import text

from contracts.events.orders import OrderLine
from contracts.ids import CouncilKey, FrameworkKey, LotKey, OrderId, PackageId, PlacementId, ProviderId, ReasonKey
from pricing.domain.orders import Cancellation, PurchaseOrder
from service_runtime.postgres.database import Database
from service_runtime.unit_of_work.rounds import Rounds
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

TABLES: Final = """
CREATE TABLE purchase_orders (
    order_id uuid PRIMARY KEY,
    council text NOT NULL,
    reference text NOT NULL,
    package_id uuid NOT NULL,
    placement_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    framework text NOT NULL,
    price_list text NOT NULL,
    starts_on date NOT NULL,
    lines jsonb NOT NULL,
    weekly_cost numeric(12, 2) NOT NULL,
    issued_at timestamptz NOT NULL,
    issued_on date NOT NULL,
    cancelled_at timestamptz,
    cancelled_for text,
    lot text NOT NULL,
    fixed_cost numeric(12, 2) NOT NULL,
    CONSTRAINT one_order_of_a_placement UNIQUE (placement_id),
    CONSTRAINT one_order_of_a_reference UNIQUE (council, reference),
    CHECK ((cancelled_at IS NULL) = (cancelled_for IS NULL))
);
CREATE UNIQUE INDEX one_standing_order_of_a_package ON purchase_orders (package_id) WHERE cancelled_at IS NULL;
CREATE INDEX orders_of_a_package ON purchase_orders (package_id, issued_at);
CREATE INDEX orders_of_a_council ON purchase_orders (council, issued_at DESC, order_id DESC);

CREATE FUNCTION next_order_number(of_council text, of_year integer) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    numbers text := format('%I', 'order_numbers_' || of_council || '_' || of_year);
BEGIN
    IF to_regclass(numbers) IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(numbers, 0));
        EXECUTE 'CREATE SEQUENCE IF NOT EXISTS ' || numbers;
    END IF;
    RETURN nextval(to_regclass(numbers));
END $$;
"""
"""Order numbers come from a sequence for each council and year, created with the first order. A sequence does not block
concurrent transactions and is not rolled back: numbers are unique and can have gaps. The function creates it as the
owner of the tables, because the role of the service may create nothing."""

_ORDER_COLUMNS: Final = """
    order_id, reference, package_id, placement_id, provider_id, framework, lot, price_list, starts_on,
    CAST(lines AS text) AS lines, weekly_cost, fixed_cost, issued_at, cancelled_at, cancelled_for
"""
_NEXT_NUMBERS: Final = """
    SELECT next_order_number(council, year) AS order_number
    FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY AS sought(council, year, position) ORDER BY position
"""
_ORDER_OF_PLACEMENT = text(
    f"SELECT {_ORDER_COLUMNS} FROM purchase_orders WHERE placement_id = :placement_id"  # noqa: S608  our own columns
)
SAVE_ORDERS: Final = """
    added_orders AS (
        INSERT INTO purchase_orders (order_id, council, reference, package_id, placement_id, provider_id, framework,
                                     lot, price_list, starts_on, lines, weekly_cost, fixed_cost, issued_at, issued_on)
        SELECT order_id, council, reference, package_id, placement_id, provider_id, framework, lot, price_list,
               starts_on, lines, weekly_cost, fixed_cost, issued_at, issued_on
        FROM jsonb_to_recordset(:rows -> 'purchase_orders') AS added(
            order_id uuid, council text, reference text, package_id uuid, placement_id uuid, provider_id uuid,
            framework text, lot text, price_list text, starts_on date, lines jsonb, weekly_cost numeric,
            fixed_cost numeric, issued_at timestamptz, issued_on date)
    )
"""
_CANCEL_ORDER = text(
    """
    UPDATE purchase_orders SET cancelled_at = :cancelled_at, cancelled_for = :cancelled_for
    WHERE order_id = :order_id AND cancelled_at IS NULL
    """
)
ORDERS_OF_PACKAGE = text(
    f"""
    SELECT {_ORDER_COLUMNS} FROM purchase_orders
    WHERE package_id = :package_id AND council = :council ORDER BY issued_at DESC, order_id DESC
    """  # noqa: S608  our own columns
)
ORDERS_OF_COUNCIL = text(
    f"""
    SELECT {_ORDER_COLUMNS} FROM purchase_orders
    WHERE council = :council
      AND issued_on BETWEEN coalesce(CAST(:first AS date), '-infinity') AND coalesce(CAST(:last AS date), 'infinity')
      AND (issued_at, order_id) < (coalesce(CAST(:after_at AS timestamptz), 'infinity'),
          coalesce(CAST(:after_id AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    ORDER BY issued_at DESC, order_id DESC LIMIT :limit
    """  # noqa: S608  our own columns
)

_LINES: Final = TypeAdapter(tuple[OrderLine, ...])


class OrderNumbers:
    """Draws order numbers, in one statement for all orders that wait."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rounds = Rounds[tuple[CouncilKey, int], int](self._draw)

    async def draw(self, council: CouncilKey, year: int) -> int:
        """Returns the next number of the sequence for the council and year; it is never drawn again."""
        return await self._rounds.submit((council, year))

    async def _draw(self, sought: Sequence[tuple[CouncilKey, int]]) -> list[int]:
        rows = await self._database.fetch(_NEXT_NUMBERS, *zip(*sought, strict=True))
        return [row.order_number for row in rows]


class PostgresOrders:
    """Repository of a council's purchase orders."""

    def __init__(self, work: PostgresUnitOfWork, numbers: OrderNumbers) -> None:
        self._work = work
        self._numbers = numbers
        self._council = CouncilKey(work.cause.council)

    async def draw_number(self, year: int) -> int:
        return await self._numbers.draw(self._council, year)

    async def find_by_placement(self, placement_id: PlacementId) -> PurchaseOrder | None:
        row = (await self._work.execute(_ORDER_OF_PLACEMENT, {"placement_id": placement_id})).one_or_none()
        return None if row is None else to_order(row)

    async def add(self, order: PurchaseOrder) -> None:
        self._work.put_row(
            "purchase_orders",
            order.order_id,
            {
                "order_id": order.order_id,
                "council": self._council,
                "reference": order.reference,
                "package_id": order.package_id,
                "placement_id": order.placement_id,
                "provider_id": order.provider_id,
                "framework": order.framework,
                "lot": order.lot,
                "price_list": order.price_list,
                "starts_on": order.starts_on,
                "lines": order.lines,
                "weekly_cost": order.weekly_cost,
                "fixed_cost": order.fixed_cost,
                "issued_at": order.issued_at,
                "issued_on": order.issued_on,
            },
        )

    async def save(self, order: PurchaseOrder) -> None:
        if order.cancelled is None:
            return
        arguments = {
            "order_id": order.order_id,
            "cancelled_at": order.cancelled.at,
            "cancelled_for": order.cancelled.reason,
        }
        self._work.write(_CANCEL_ORDER, arguments, rows=1)


def to_order(row: Any) -> PurchaseOrder:  # a row's attributes are its columns
    return PurchaseOrder(
        order_id=OrderId(row.order_id),
        reference=row.reference,
        package_id=PackageId(row.package_id),
        placement_id=PlacementId(row.placement_id),
        provider_id=ProviderId(row.provider_id),
        framework=FrameworkKey(row.framework),
        lot=LotKey(row.lot),
        price_list=row.price_list,
        starts_on=row.starts_on,
        lines=_LINES.validate_json(row.lines),
        weekly_cost=row.weekly_cost,
        fixed_cost=row.fixed_cost,
        issued_at=row.issued_at,
        cancelled=_to_cancellation(row),
    )


def _to_cancellation(row: Any) -> Cancellation | None:  # a row's attributes are its columns
    return None if row.cancelled_at is None else Cancellation(row.cancelled_at, ReasonKey(row.cancelled_for))
