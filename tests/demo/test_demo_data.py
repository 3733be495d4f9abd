"""The demonstration: the same for everybody, realistic, dirty where it says so, and nobody real in it."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from staffords_gdpr.errors import UsageError
from staffords_gdpr.operations.demo.data import DemoCounts, write_database
from staffords_gdpr.operations.demo.life import lives
from staffords_gdpr.operations.demo.schema import metadata

TODAY = dt.date(2026, 11, 23)
CUSTOMERS = 2000
MOMENTS = [
    (table.name, column.name)
    for table in metadata.sorted_tables
    for column in table.columns
    if isinstance(column.type, sa.DateTime)
]


@pytest.fixture(scope="module")
def counts_and_path(tmp_path_factory: pytest.TempPathFactory) -> tuple[DemoCounts, Path]:
    path = tmp_path_factory.mktemp("demo") / "calls.db"
    return write_database(path, customers=CUSTOMERS, seed=1, today=TODAY), path


@pytest.fixture(scope="module")
def database(counts_and_path: tuple[DemoCounts, Path]) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(counts_and_path[1])) as connection:
        yield connection


def one(database: sqlite3.Connection, query: str) -> int:
    value: int = database.execute(query).fetchone()[0]
    return value


def dump_hash(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()


def test_the_same_arguments_give_the_same_rows(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        write_database(tmp_path / name, customers=150, seed=seed, today=TODAY)

    assert dump_hash(tmp_path / "a") == dump_hash(tmp_path / "b")
    assert dump_hash(tmp_path / "a") != dump_hash(tmp_path / "c")


def test_rows_do_not_depend_on_the_size_of_a_chunk() -> None:
    def all_rows(chunk: int) -> dict[str, list[tuple[object, ...]]]:
        rows: dict[str, list[tuple[object, ...]]] = {}
        for part in lives(customers=100, seed=3, today=TODAY, chunk=chunk):
            for table, some in part.items():
                rows.setdefault(table, []).extend(some)
        return rows

    assert all_rows(7) == all_rows(2000)


def test_the_counts_are_those_of_the_tables(
    counts_and_path: tuple[DemoCounts, Path], database: sqlite3.Connection
) -> None:
    counts, _ = counts_and_path
    assert set(counts.rows) == set(metadata.tables)
    for table, rows in counts.rows.items():
        assert one(database, f"SELECT count(*) FROM {table}") == rows
    assert counts.rows["customers"] == CUSTOMERS


def test_a_customer_has_about_five_records(counts_and_path: tuple[DemoCounts, Path]) -> None:
    counts, _ = counts_and_path
    assert 5 <= counts.total / CUSTOMERS <= 11


def test_about_three_of_five_customers_have_expired(database: sqlite3.Connection) -> None:
    expired = one(
        database,
        """SELECT count(*) FROM customers c WHERE registered_at < '2023-11-23'
        AND NOT EXISTS (SELECT 1 FROM products p
                        WHERE p.customer_id = c.id AND warranty_until >= '2026-11-23')
        AND NOT EXISTS (SELECT 1 FROM calls k WHERE k.customer_id = c.id AND received_at >= '2023-11-23')
        AND NOT EXISTS (SELECT 1 FROM repairs r WHERE r.customer_id = c.id
                        AND (completed_at >= '2023-11-23' OR completed_at IS NULL))""",
    )
    assert 0.5 < expired / CUSTOMERS < 0.7


def test_the_history_spans_eight_years_and_ends_before_today(database: sqlite3.Connection) -> None:
    clean = "FROM calls WHERE received_at > '1970-01-02' AND received_at < '2026-11-23'"
    assert one(database, f"SELECT min(received_at) {clean}") < "2019-01-31"  # type: ignore[operator]
    assert one(database, f"SELECT max(received_at) {clean}") > "2026-11-15"  # type: ignore[operator]


@pytest.mark.parametrize(("table", "column"), MOMENTS)
def test_moments_are_text_to_the_second(database: sqlite3.Connection, table: str, column: str) -> None:
    pattern = re.compile(r"\d{4}-\d\d-\d\d [012]\d:[0-5]\d:[0-5]\d")
    values = [row[0] for row in database.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")]
    assert values
    assert all(pattern.fullmatch(value) for value in values)


def test_some_contacts_fall_on_the_next_day_in_london(database: sqlite3.Connection) -> None:
    late = "SELECT count(*) FROM calls WHERE received_at LIKE '____-07-__ 23:30:00'"
    assert one(database, late) > 0


@pytest.mark.parametrize(
    "condition",
    [
        "customers WHERE registered_at IS NULL",
        "customers WHERE registered_at = '1970-01-01 00:00:00'",
        "customers WHERE registered_at >= '2026-11-24'",
        "calls WHERE received_at IS NULL",
        "calls WHERE received_at = '1970-01-01 00:00:00'",
        "calls WHERE received_at >= '2026-11-24'",
        "calls WHERE customer_id IS NULL",
        "calls WHERE customer_id NOT IN (SELECT id FROM customers)",
        "repairs WHERE product_id NOT IN (SELECT id FROM products)",
        "repairs WHERE completed_at >= '2026-11-24'",
        "repairs WHERE booked_in_at = '1970-01-01 00:00:00'",
        "payments WHERE taken_at IS NULL",
        "payments WHERE taken_at = '1970-01-01 00:00:00'",
    ],
)
def test_every_kind_of_dirty_row_is_there_and_rare(database: sqlite3.Connection, condition: str) -> None:
    rows = one(database, f"SELECT count(*) FROM {condition}")
    assert 0 < rows <= one(database, f"SELECT count(*) FROM {condition.partition(' ')[0]}") / 200


def test_references_hold_except_for_the_planted_orphans(database: sqlite3.Connection) -> None:
    broken = database.execute("PRAGMA foreign_key_check").fetchall()
    kinds = {(table, parent) for table, _, parent, _ in broken}
    assert kinds == {("calls", "customers"), ("repairs", "products")}


def test_a_repair_is_of_a_product_of_the_same_customer(database: sqlite3.Connection) -> None:
    others = """SELECT count(*) FROM repairs r JOIN products p ON p.id = r.product_id
        WHERE p.customer_id IS NOT r.customer_id"""
    assert one(database, others) == 0


def test_open_repairs_have_no_end_and_completed_ones_have(database: sqlite3.Connection) -> None:
    assert one(database, "SELECT count(*) FROM repairs WHERE completed_at IS NULL") > 0
    assert (
        one(database, "SELECT count(*) FROM repairs WHERE (completed_at IS NULL) = (status = 'completed')")
        == 0
    )


def test_a_foreign_key_is_declared_wherever_a_column_names_a_row(database: sqlite3.Connection) -> None:
    for table in metadata.tables:
        links = {row[1] for row in database.execute(f"PRAGMA table_info({table})") if row[1].endswith("_id")}
        declared = {row[3] for row in database.execute(f"PRAGMA foreign_key_list({table})")}
        assert links == declared


def test_every_link_and_every_date_has_an_index(database: sqlite3.Connection) -> None:
    for table in metadata.sorted_tables:
        indexed = {
            database.execute(f"PRAGMA index_info({row[1]})").fetchone()[2]
            for row in database.execute(f"PRAGMA index_list({table.name})")
        }
        wanted = {
            column.name
            for column in table.columns
            if column.foreign_keys or isinstance(column.type, sa.Date | sa.DateTime)
        }
        assert wanted <= indexed, table.name


def test_cards_are_well_formed_and_none_is_real(database: sqlite3.Connection) -> None:
    published = {"4111", "4242", "4012", "4000", "5555", "5105", "5200", "2223", "3782", "6011"}
    numbers = [row[0] for row in database.execute("SELECT DISTINCT card_number FROM payments")]
    assert numbers
    for number in numbers:
        digits = [int(digit) for digit in reversed(number)]
        doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
        assert (sum(digits[::2]) + sum(doubled)) % 10 == 0
        assert number[:4] in published


@pytest.mark.parametrize("table", ["customers", "consignments", "operators"])
def test_mail_to_anybody_in_it_goes_nowhere(database: sqlite3.Connection, table: str) -> None:
    safe = re.compile(r"[a-z0-9.\-]+@example\.(com|org|net)")
    emails = [row[0] for row in database.execute(f"SELECT email FROM {table}")]
    assert emails
    assert all(safe.fullmatch(email) for email in emails)


@pytest.mark.parametrize("table", ["customers", "consignments"])
def test_telephone_numbers_are_those_kept_for_drama(database: sqlite3.Connection, table: str) -> None:
    safe = re.compile(r"(01632 960|07700 900)\d{3}")
    assert all(safe.fullmatch(row[0]) for row in database.execute(f"SELECT telephone FROM {table}"))


def test_an_existing_file_is_refused_and_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    path.write_text("somebody's own work")
    with pytest.raises(UsageError, match="exists already") as refused:
        write_database(path, customers=10, seed=1, today=TODAY)
    assert refused.value.hint
    assert path.read_text() == "somebody's own work"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        write_database(tmp_path / "nowhere" / "calls.db", customers=10, seed=1, today=TODAY)


def test_nothing_is_left_behind_when_writing_is_interrupted(tmp_path: Path) -> None:
    class Interrupted:
        def start(self, label: str, total: int | None) -> None:
            pass

        def advance(self, amount: int = 1) -> None:
            raise KeyboardInterrupt

        def finish(self) -> None:
            pass

    with pytest.raises(KeyboardInterrupt):
        write_database(tmp_path / "calls.db", customers=10, seed=1, today=TODAY, progress=Interrupted())
    assert list(tmp_path.iterdir()) == []


def test_a_leap_day_is_no_obstacle(tmp_path: Path) -> None:
    write_database(tmp_path / "calls.db", customers=200, seed=1, today=dt.date(2028, 2, 29))
