"""The work tables keep their keys, also where an engine gets the index only when they are filled."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from staffords_gdpr.database.connection import connect
from staffords_gdpr.retention.bulk.work_tables import WorkTables


def test_a_key_that_comes_later_is_one_all_the_same(engine_url: str) -> None:
    with connect(engine_url, write=True).connect() as connection:
        tables = WorkTables(connection)
        large, small = (
            tables.table(
                name,
                [
                    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
                    sa.Column("k0", sa.String(20), primary_key=True),
                    sa.Column("s0", sa.Integer),
                ],
                key_later=True,
            )
            for name in ("large", "small")
        )
        tables.make()
        for table, rows in ((large, 1500), (small, 3)):
            new = [{"place": n, "k0": f"key {n}", "s0": 1} for n in range(rows)]
            connection.execute(sa.insert(table), new)
            tables.filled(table, rows)
        connection.commit()
        tables.index_keys()
        tables.index_keys()  # a second decision fills them again
        connection.rollback()
        tables.forget()
        tables.index_keys()
        tables.forget()  # after a rollback that undid nothing of it
        tables.index_keys()
        connection.commit()
        assert connection.execute(sa.select(sa.func.count()).select_from(large)).scalar_one() == 1500
        connection.execute(sa.insert(large), {"place": 7, "k0": "key 8", "s0": 1})
        connection.commit()
        for table in (large, small):
            with pytest.raises(sa.exc.IntegrityError):
                connection.execute(sa.insert(table), {"place": 2, "k0": "key 2", "s0": 2})
            connection.rollback()
        tables.clear([large, small])
        for _ in range(2):
            connection.execute(sa.insert(small), {"place": 1, "k0": "key 1", "s0": 1})
            tables.filled(small, 1)
            tables.index_keys()
            with pytest.raises(sa.exc.IntegrityError), connection.begin_nested():
                connection.execute(sa.insert(small), {"place": 1, "k0": "key 1", "s0": 2})
            tables.clear([small])
