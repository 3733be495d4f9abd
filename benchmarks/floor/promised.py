"""The floor with what a purge promises: what the same protocol takes where it is written by hand for one policy.

Customers in batches, each a transaction; its rows locked before they are erased; a leaf for every row, and intent and
outcome in a signed log, by the product's own writer, while the database is at work. What it leaves out: a second look
at the rules (nobody else may write meanwhile), brakes, holds, settling what was cut off, and telling held and
undecidable rows apart.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.floor import ENGINES, moments, run
from staffords_gdpr.auditlog import Home, open_log
from staffords_gdpr.auditlog.rows import new_batch_id
from staffords_gdpr.operations.purge.announcements import Announcements
from staffords_gdpr.operations.purge.erasure import Erasure, Plan

CUSTOMERS = 2_500
"""So many in a batch: about what a purge takes while nobody else writes."""

_OWN = "SELECT coalesce(t.customer_id, 0) AS owner, t.id FROM ({keys}) f JOIN {table} t ON t.id = f.id"
_OF_REPAIR = """
    SELECT coalesce(r.customer_id, 0) AS owner, t.id FROM ({keys}) f JOIN {table} t ON t.id = f.id
    LEFT JOIN repairs r ON r.id = t.repair_id"""
_STAYS = " WHERE f.id NOT IN (SELECT id FROM list_payment)"  # a step of a row that goes, goes with it

# in an order in which no row is ever without what it refers to: table, owner of each row, and what is replaced
RECORDS: Mapping[str, tuple[str, str, str]] = {
    "payment": ("payments", _OF_REPAIR, ""),
    "payment.card": ("payments", _OF_REPAIR + _STAYS, "card_number = NULL, card_expiry = NULL"),
    "payment.identity": ("payments", _OF_REPAIR + _STAYS, "card_holder = NULL, repair_id = NULL"),
    "consignment": ("consignments", _OF_REPAIR, ""),
    "repair": ("repairs", _OWN, ""),
    "call": ("calls", _OWN, ""),
    "product": ("products", _OWN, ""),
    "customer": ("customers", "SELECT f.id AS owner, f.id FROM ({keys}) f", ""),
}


def erase(url: str, as_of: dt.datetime, home: Path) -> dict[str, int]:
    """Erase what is due, batch by batch. Returns rows per record type and step."""
    parsed = sa.make_url(url)
    engine, parameters = ENGINES[parsed.get_backend_name()], moments(as_of)
    announcements = Announcements(open_log(Home(home)), new_batch_id(as_of), lambda: dt.datetime.now(dt.UTC))
    connection = engine.connect(parsed)
    cursor, erased = connection.cursor(), dict.fromkeys(RECORDS, 0)

    run(cursor, engine.FIND, parameters)
    for name, (table, query, _) in RECORDS.items():
        filled = query.format(keys=engine.KEYS[name], table=table)
        run(cursor, engine.LIST.format(list=_list(name), query=filled), parameters)
    run(cursor, engine.BATCHES, parameters)
    owners = " UNION ".join(f"SELECT owner FROM {_list(name)}" for name in RECORDS)
    cursor.execute(f"SELECT DISTINCT owner FROM ({owners}) AS found ORDER BY owner")
    found = [row[0] for row in cursor.fetchall()]

    def take(first: int, last: int) -> Plan:
        """Lock what is to go, and learn its keys."""
        erasures = []
        for name, (table, _, replaced) in RECORDS.items():
            cursor.execute(engine.LOCK.format(table=table, list=_list(name), first=first, last=last))
            if keys := tuple(map(tuple, cursor.fetchall())):
                erasures.append(Erasure(name, {"": None} if replaced else None, keys))
        return Plan(tuple(erasures), tuple((owner,) for owner in found if first <= owner <= last))

    def carry_out(plan: Plan, first: int, last: int) -> None:
        for erasure in plan.erasures:
            table, _, replaced = RECORDS[erasure.name]
            text = engine.REPLACE if replaced else engine.DELETE
            names = {"table": table, "list": _list(erasure.name), "first": first, "last": last}
            cursor.execute(text.format(**names, replaced=replaced))
            assert cursor.rowcount == len(erasure.keys), (erasure.name, cursor.rowcount)
            erased[erasure.name] += cursor.rowcount

    with ThreadPoolExecutor(1) as beside:
        for first, last in _batches(found):
            run(cursor, engine.BEGIN, parameters)
            plan = take(first, last)
            erasing = beside.submit(carry_out, plan, first, last)
            intent = announcements.draw_up(plan)
            with announcements.turn():
                announcements.announce(intent, plan, ())
                erasing.result()
                cursor.execute("COMMIT")
                announcements.done(intent)
    announcements.finish()
    connection.close()
    return erased


def _list(name: str) -> str:
    return f"list_{name.replace('.', '_')}"


def _batches(found: Sequence[Any]) -> list[tuple[int, int]]:
    return [
        (part[0], part[-1]) for n in range(0, len(found), CUSTOMERS) if (part := found[n : n + CUSTOMERS])
    ]
