"""The benchmark's hand-written SQL finds the rows that the policy means, or its ratios would mean nothing."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from engines import talk
from engines.servers import Servers

from benchmarks import check, floor
from benchmarks.data import Size, contents, write_server, write_sqlite
from benchmarks.floor import promised
from staffords_gdpr.auditlog import Home, create
from staffords_gdpr.auditlog.verify import verify
from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import connect
from staffords_gdpr.operations.scan import scan
from staffords_gdpr.policy import load_policy
from staffords_gdpr.retention.pure import judge
from staffords_gdpr.retention.pure.loader import load_everything
from staffords_gdpr.retention.states import State

SIZE = Size(customers=1200, today=dt.date(2026, 11, 23), seed=5)
NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
TABLES = {
    "customer": "customers",
    "product": "products",
    "call": "calls",
    "repair": "repairs",
    "consignment": "consignments",
    "payment": "payments",
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mariadb"])
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def database(engine_name: str, servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The measured database, small. Its tests leave it as it is."""
    url = written(engine_name, servers, tmp_path_factory.mktemp("rows"))
    yield url
    servers.drop(url)


def written(engine: str, servers: Servers, scratch: Path) -> str:
    url = servers.fresh(engine)
    if engine == "sqlite":
        path = Path(sa.make_url(url).database or "")
        path.unlink()
        write_sqlite(path, SIZE)
    else:
        with talk.speaking(url) as connection, connection.begin():
            write_server(connection, SIZE, scratch)
    return url


@pytest.mark.parametrize(
    "as_of",
    [
        NOON,
        dt.datetime(2026, 7, 3, 22, 59, tzinfo=dt.UTC),
        dt.datetime(2026, 7, 3, 23, tzinfo=dt.UTC),  # the next day in London
        dt.datetime(2028, 2, 29, 9, tzinfo=dt.UTC),
    ],
)
def test_the_floor_finds_the_rows_that_slow_python_finds(database: str, as_of: dt.datetime) -> None:
    expected = check.due(database, as_of)
    assert floor.find(database, as_of) == expected
    assert all(expected.values())
    assert floor.count(database, as_of) == {record: len(keys) for record, keys in expected.items()}


def test_the_floor_erases_what_it_finds_and_nothing_else(
    engine_name: str, database: str, servers: Servers, tmp_path: Path
) -> None:
    copy = written(engine_name, servers, tmp_path)
    due = floor.find(copy, NOON)
    with talk.speaking(database) as before, talk.speaking(copy) as after:
        assert contents(before) == contents(after)

    erased = floor.erase(copy, NOON)

    for record, table in TABLES.items():
        keys = [{row[0] for row in talk.rows(url, f"SELECT id FROM {table}")} for url in (database, copy)]
        assert keys[0] - keys[1] == due[record]
        assert erased[record] == len(due[record])
    stripped = talk.rows(copy, "SELECT id, card_number, card_expiry, card_holder, repair_id FROM payments")
    nothing = [(None, None)]
    assert {key for key, *card, _, _ in stripped if [tuple(card)] == nothing} >= due["payment.card"] - due[
        "payment"
    ]
    assert {key for key, _, _, *who in stripped if [tuple(who)] == nothing} >= (
        due["payment.identity"] - due["payment"]
    )
    if engine_name == "sqlite":  # servers do not let a row be without what it refers to
        orphans = [set(talk.rows(url, "PRAGMA foreign_key_check")) for url in (database, copy)]
        assert orphans[1] <= orphans[0]
    servers.drop(copy)


def test_with_what_a_purge_promises_it_erases_the_same(
    engine_name: str, servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promised, "CUSTOMERS", 100)
    copies = [written(engine_name, servers, tmp_path) for _ in range(2)]
    log = create(Home(tmp_path / "home"), name="example.org/bench", now=NOON)

    erased = floor.erase(copies[0], NOON)
    promised_too = promised.erase(copies[1], NOON, tmp_path / "home")

    with talk.speaking(copies[0]) as plain, talk.speaking(copies[1]) as kept:
        assert contents(plain) == contents(kept)
    deleted = {name for name in TABLES if name != "payment"}
    assert {name: promised_too[name] for name in deleted} == {name: erased[name] for name in deleted}
    done = [entry.fields["rows"] for entry in log.entries() if entry.type == "purge.done"]
    assert len(done) > 5
    assert sum((Counter(rows) for rows in done), Counter()) == Counter(promised_too)
    assert verify(log.home).ok
    for copy in copies:
        servers.drop(copy)


def test_scan_and_the_pure_rules_find_the_rows_that_the_floor_finds(database: str) -> None:
    policy = load_policy(Path(__file__).parents[2] / "policies" / "retention.yaml")
    engine = connect(database, write=False)

    scanned = scan(policy, engine, as_of=NOON, details=True, states={State.DUE}).rows
    with engine.connect() as connection:
        catalogue = bind(policy, connection)
        judged = judge(catalogue, load_everything(connection, catalogue), NOON, frozenset())
    engine.dispose()

    by_hand = {(record, (key,)) for record, keys in floor.find(database, NOON).items() for key in keys}
    assert {(row.record, row.key) for row in scanned or ()} == by_hand
    assert {(row.record, row.key) for row in judged if row.state is State.DUE} == by_hand
