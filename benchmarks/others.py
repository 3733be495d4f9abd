"""Two other ways to erase the same rows: Percona's pt-archiver, and a loop over objects."""

from __future__ import annotations

import datetime as dt
import shutil
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, registry, relationship

from benchmarks import floor
from benchmarks.floor import mariadb
from benchmarks.floor.due import DUE_PAYMENT
from benchmarks.measure import Run
from benchmarks.servers import Engine
from benchmarks.site import ROOT, run
from staffords_gdpr.operations.demo import schema

# table -> which of its rows go; the records that the floor deletes, in its order
_DELETES = {
    "payment": ("payments", DUE_PAYMENT),
    "consignment": (
        "consignments",
        "EXISTS (SELECT 1 FROM due_repair d WHERE d.id = consignments.repair_id)",
    ),
    "repair": ("repairs", "EXISTS (SELECT 1 FROM due_repair d WHERE d.id = repairs.id)"),
    "call": ("calls", "EXISTS (SELECT 1 FROM due_call d WHERE d.id = calls.id)"),
    "product": ("products", "EXISTS (SELECT 1 FROM due_customer d WHERE d.id = products.customer_id)"),
    "customer": ("customers", "EXISTS (SELECT 1 FROM due_customer d WHERE d.id = customers.id)"),
}


def has_archiver() -> bool:
    return shutil.which("pt-archiver") is not None


def by_archiver(engine: Engine) -> Run:
    """pt-archiver table by table, in bulk. What it cannot do is done by hand: to say what is due, and to replace."""
    url, now = sa.make_url(engine.url), dt.datetime.now(dt.UTC)
    limits = floor.moments(now)
    server, started = engine.cpu(), time.perf_counter()
    worked, peak = time.process_time(), 0
    rows: dict[str, int] = {}
    connection = mariadb.connect(url)
    with connection, connection.cursor() as cursor:
        for statement in mariadb.FIND.replace("CREATE TEMPORARY TABLE", "CREATE TABLE").split(";\n"):
            cursor.execute(statement, limits)
        for record, statement in mariadb.ERASE.items():
            if record not in _DELETES:
                rows[record] = cursor.execute(statement, limits)
                continue
            table, which = _DELETES[record]
            where = " ".join(cursor.mogrify(which, limits).split())
            source = f"S={url.query['unix_socket']},u={url.username},D={url.database},t={table},A=utf8mb4"
            ended = run(
                [
                    "pt-archiver",
                    *("--source", source, "--where", where, "--limit", "1000"),
                    *("--purge", "--bulk-delete", "--commit-each", "--no-check-charset", "--statistics"),
                ],
                ROOT,
            )
            ended.require("pt-archiver")
            rows[record] = int(
                next(line for line in ended.out.splitlines() if line.startswith("DELETE")).split()[1]
            )
            worked -= ended.cpu
            peak = max(peak, ended.peak)
    seconds = time.perf_counter() - started
    return Run(seconds, time.process_time() - worked, peak, rows, engine.cpu() - server)


def by_objects(engine: Engine, customers: int) -> Run:
    """A loop over a sample of the customers that are due: load them with all that is theirs, delete, commit."""
    due = sorted(floor.find(engine.url, dt.datetime.now(dt.UTC))["customer"])
    sample = due[:: max(len(due) // customers, 1)][:customers]
    mapped = registry(metadata=schema.metadata)
    customer_class = _classes(mapped)
    server, started, worked = engine.cpu(), time.perf_counter(), time.process_time()
    erased = 0
    connecting = sa.create_engine(engine.url)
    with Session(connecting) as session:
        for number in sample:
            customer = session.get_one(customer_class, number)
            erased += 1 + len(customer.calls) + len(customer.products)
            for repair in customer.repairs:
                erased += 1 + len(repair.consignments) + len(repair.payments)
                for payment in repair.payments:
                    payment.card_holder = None
            session.delete(customer)
            session.commit()
    seconds = time.perf_counter() - started
    connecting.dispose()
    mapped.dispose()
    return Run(seconds, time.process_time() - worked, 0, {"sample": erased}, engine.cpu() - server)


def _classes(mapped: registry) -> Any:
    """The customer as an object, with what belongs to it. Payments stay and lose their link."""
    names = ("Customer", "Product", "Call", "Repair", "Consignment", "Payment")
    made: dict[str, Any] = {name: type(name, (), {}) for name in names}
    for name in ("Call", "Consignment", "Payment"):
        mapped.map_imperatively(made[name], getattr(schema, f"{name.lower()}s"))
    own = "all, delete-orphan"
    mapped.map_imperatively(
        made["Repair"],
        schema.repairs,
        properties={
            "consignments": relationship(made["Consignment"], cascade=own),
            "payments": relationship(made["Payment"]),
            "product": relationship(made["Product"]),  # so that repairs go before products
        },
    )
    mapped.map_imperatively(made["Product"], schema.products)
    mapped.map_imperatively(
        made["Customer"],
        schema.customers,
        properties={
            "calls": relationship(made["Call"], cascade=own),
            "products": relationship(made["Product"], cascade=own),
            "repairs": relationship(made["Repair"], cascade=own),
        },
    )
    return made["Customer"]
