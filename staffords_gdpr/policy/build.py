"""Make the frozen models of a document in which `checks` has found nothing wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from staffords_gdpr.policy.models import (
    Condition,
    DatabaseOptions,
    DateRule,
    Keep,
    Link,
    OtherColumn,
    OwnColumn,
    Policy,
    Record,
    Ref,
    Roles,
    Schedule,
    Step,
    SubjectDate,
    Values,
)

Document = Mapping[str, Any]


def build(document: Document, *, path: str, sha256: str) -> Policy:
    """Return the policy. The document is the outcome of `read` and has passed `check`."""
    dates = document.get("dates", {})
    limits = {"erase_at_most": document["erase_at_most"]} if "erase_at_most" in document else {}
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
        **limits,
    )


def reference(text: str, dates: Collection[str]) -> Ref:
    """Return what a name in a keep rule stands for: `record.column`, one of `dates`, or an own column."""
    if "." in text:
        return _other(text)
    return SubjectDate(date=text) if text in dates else OwnColumn(column=text)


def links(record: Document) -> dict[str, Mapping[str, str]]:
    """Return what a record refers to: the other record type, and the columns where they are given."""
    refers = record.get("refers_to", ())
    if isinstance(refers, str):
        refers = (refers,)
    return dict(refers) if isinstance(refers, Mapping) else {name: {} for name in refers}


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
    owner = record.get("belongs_to")
    erase = record.get("erase", "delete")
    return Record(
        name=name,
        table=record["table"],
        title=record.get("title", ""),
        key=record.get("key", ()),
        belongs_to=Link(record=owner, on=_ways(record.get("on", {}))) if owner else None,
        refers_to=tuple(Link(record=other, on=_ways(on)) for other, on in links(record).items()),
        personal=record.get("personal", ()),
        not_personal=record.get("not_personal", ()),
        keep=_keep(record["keep"], dates) if "keep" in record else None,
        orphans=_keep(record["orphans"], ()) if "orphans" in record else None,
        anonymise=erase["anonymise"] if isinstance(erase, Mapping) else None,
        sooner=tuple(_step(step, rule, dates) for step, rule in record.get("sooner", {}).items()),
        leave=record.get("leave"),
    )


def _keep(rule: Document, dates: Collection[str]) -> Keep:
    return Keep(
        for_=rule["for"],
        after=reference(rule["after"], dates),
        or_until=tuple(reference(text, dates) for text in rule.get("or_until", ())),
        or_else=reference(rule["or_else"], dates) if "or_else" in rule else None,
        while_=_condition(rule["while"]) if "while" in rule else None,
        future=rule.get("future", False),
    )


def _condition(columns: Document) -> Condition:
    return Condition(
        columns={c: Values(values=v if isinstance(v, tuple) else (v,)) for c, v in columns.items()}
    )


def _ways(on: Mapping[str, str]) -> tuple[Mapping[str, str], ...]:
    return (on,) if on else ()


def _step(name: str, rule: Document, dates: Collection[str]) -> Step:
    keep = None if "with" in rule else _keep(rule, dates)
    return Step(name=name, anonymise=rule["anonymise"], keep=keep, with_=rule.get("with"))
