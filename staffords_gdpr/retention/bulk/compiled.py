"""A statement that is executed many times: written out as text once, which takes longer than many a batch."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa


class Compiled:
    """The text of a statement for one engine, with its values but those that are given each time."""

    def __init__(self, statement: sa.Select[Any], dialect: sa.Dialect) -> None:
        self._compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})

    def execute(self, connection: sa.Connection, **values: object) -> sa.CursorResult[Any]:
        parameters = self._compiled.construct_params(values)
        order = self._compiled.positiontup
        given = parameters if order is None else tuple(parameters[name] for name in order)
        return connection.exec_driver_sql(str(self._compiled), given)
