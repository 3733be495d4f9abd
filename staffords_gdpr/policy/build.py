"""Make the frozen models of a document in which `checks` has found nothing wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from staffords_gdpr.policy.models import (
    Condition,
    DatabaseOptions,
    DateRule,
    Hop,
    Keep,
    Link,
    LookUp,
    OtherColumn,
    OwnColumn,
    Plus,
    Policy,
    Record,
    Ref,
    Roles,
    RowDate,
    Scalar,
    Schedule,
    Step,
    SubjectDate,
    Values,
)
from staffords_gdpr.policy.outline import Document, links


def build(document: Document, *, path: str, sha256: str) -> Policy:
    """Return the policy. The document is the outcome of `read` and has passed `check`."""
    dates = document.get("dates", {})
    defaulted = {name: document[name] for name in ("erase_at_most", "reclaim") if name in document}
    return Policy(
        version=1,
        title=document["title"],
        timezone=document["timezone"],
        schedule=Schedule(**document["schedule"]),
        roles=Roles(**document["roles"]),
        database=DatabaseOptions(**document.get("database", {})),
        subject=document["subject"],
        dates={name: _date(name, rule) for name, rule in dates.items()},
        records={name: _record(name, record, dates) for name, record in document["records"].items()},
        review_questions=document.get("questions", ()),
        backups_kept=document.get("backups_kept"),
        path=path,
        sha256=sha256,
        **defaulted,
    )


def reference(text: str, dates: Collection[str]) -> Ref:
    """Return what a name in a keep rule stands for: `record.column`, one of `dates`, or an own column."""
    if "." in text:
        return _other(text)
    return SubjectDate(date=text) if text in dates else OwnColumn(column=text)


def _other(text: str) -> OtherColumn:
    record, _, column = text.partition(".")
    return OtherColumn(record=record, column=column)


def _date(name: str, rule: Document) -> DateRule:
    return DateRule(
        name=name,
        latest_of=tuple(_other(text) for text in rule["latest_of"]),
        or_else=_other(rule["or_else"]) if "or_else" in rule else None,
        future=rule.get("future", False),
    )


def _record(name: str, record: Document, dates: Collection[str]) -> Record:
    erase = record.get("erase", "delete")
    values, generated = replacements(erase["anonymise"]) if isinstance(erase, Mapping) else (None, ())
    return Record(
        name=name,
        table=record.get("table", ""),
        title=record.get("title", ""),
        where=_condition(record.get("where")),
        values_of=tuple(_other(text) for text in record.get("values_of", ())),
        key=record.get("key", ()),
        dates={date: _row_date(date, rule) for date, rule in record.get("dates", {}).items()},
        belongs_to=_owner(record),
        refers_to=tuple(Link(record=other, on=(on,) if on else ()) for other, on in links(record).items()),
        personal=record.get("personal", ()),
        not_personal=record.get("not_personal", ()),
        keep=_keep(record["keep"], dates) if "keep" in record else None,
        orphans=_keep(record["orphans"], ()) if "orphans" in record else None,
        anonymise=values,
        generated=generated,
        sooner=tuple(_step(step, rule, dates) for step, rule in record.get("sooner", {}).items()),
        triggers=record.get("triggers", {}),
        leave=record.get("leave"),
    )


def replacements(listed: Any) -> tuple[Mapping[str, Scalar], tuple[str, ...]]:
    """Return what `anonymise` says: the columns with their replacements, and those that the tool chooses for."""
    return (listed, ()) if isinstance(listed, Mapping) else ({}, tuple(listed))


def _owner(record: Document) -> Link | None:
    if "belongs_to" not in record:
        return None
    return Link(record=record["belongs_to"], on=record.get("on", ()), through=_hops(record))


def _hops(document: Document) -> tuple[Hop, ...]:
    return tuple(
        Hop(table=hop["table"], on=hop["on"], where=_condition(hop.get("where")))
        for hop in document.get("through", ())
    )


def _row_date(name: str, rule: Document) -> RowDate:
    return RowDate(
        name=name,
        column="" if "sql" in rule else rule.get("column", name),
        stored_as=rule.get("stored_as"),
        timestamps_in=rule.get("timestamps_in"),
        plus=_plus(rule["plus"]) if "plus" in rule else None,
        through=_hops(rule),
        sql=rule.get("sql"),
    )


def _plus(added: Document) -> Plus:
    ((units, amount),) = added.items()
    unit: Any = units.removesuffix("s")
    return Plus(unit=unit, column=amount) if isinstance(amount, str) else Plus(unit=unit, number=amount)


def _keep(rule: Document, dates: Collection[str]) -> Keep:
    return Keep(
        for_=rule["for"],
        after=reference(rule["after"], dates),
        or_until=tuple(reference(text, dates) for text in rule.get("or_until", ())),
        or_else=reference(rule["or_else"], dates) if "or_else" in rule else None,
        while_=_condition(rule.get("while")),
        future=rule.get("future", False),
    )


def _condition(written: Document | None) -> Condition | None:
    if written is None:
        return None
    if isinstance(written.get("sql"), str):
        return Condition(sql=written["sql"])
    return Condition(columns={column: _test(value) for column, value in written.items()})


def _test(value: Any) -> Values | LookUp:
    if not isinstance(value, Mapping):
        return Values(values=_many(value))
    if "not" in value:
        return Values(values=_many(value["not"]), negated=True)
    found = value["in"]
    where = _condition(found["where"]) or Condition()
    return LookUp(table=found["table"], column=found["column"], where=where)


def _many(value: Any) -> tuple[Scalar, ...]:
    return value if isinstance(value, tuple) else (value,)


def _step(name: str, rule: Document, dates: Collection[str]) -> Step:
    keep = None if "with" in rule else _keep(rule, dates)
    values, generated = replacements(rule["anonymise"])
    return Step(name=name, anonymise=values, generated=generated, keep=keep, with_=rule.get("with"))
