"""Check what erasing does (R10): the lists of replacements, and the steps that come sooner."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from staffords_gdpr.policy.outline import Document, Outline, columns_of, links, own_columns
from staffords_gdpr.policy.positions import Path
from staffords_gdpr.policy.references import names, rules
from staffords_gdpr.policy.suggest import advice

_BRACES = re.compile(r"\{\s*(\w+)\s*\}")


class _Chosen:
    """The replacement that the tool will choose for a column."""


CHOSEN = _Chosen()


def check(outline: Outline) -> None:
    """Note what a list of replacements leaves or destroys, and steps that do not fit their owners."""
    read = _columns_read(outline)
    for name, record in outline.ours.items():
        for place, columns in _lists(name, record):
            for column, value in columns.items():
                _replacement(outline, name, (*place, column), value)
                if (name, column) in read:
                    why = read[name, column]
                    what = f"'{column}' cannot be replaced: {why} (R10). Remove it from this list."
                    outline.mistakes.add((*place, column), what, key=True)
        _erase(outline, name, record)
        _steps(outline, name, record)


def _listed(written: Any) -> Mapping[str, object]:
    """The columns of a list or a mapping, each with its replacement."""
    return written if isinstance(written, Mapping) else dict.fromkeys(written, CHOSEN)


def _lists(name: str, record: Document) -> Iterator[tuple[Path, Mapping[str, object]]]:
    """The lists of replacements of a record type, each with its path."""
    for step, rule in record.get("sooner", {}).items():
        yield ("records", name, "sooner", step, "anonymise"), _listed(rule.get("anonymise", ()))
    if isinstance(record.get("erase"), Mapping):
        yield ("records", name, "erase", "anonymise"), _listed(record["erase"].get("anonymise", ()))


def _replacement(outline: Outline, name: str, place: Path, value: object) -> None:
    column = place[-1]
    for braces in _BRACES.finditer(value) if isinstance(value, str) else ():
        if braces[0] != "{key}":
            meant = _BRACES.sub("{key}", str(value))
            what = f"'{value}': only '{{key}}' is filled in, with the row's key. Did you mean '{meant}'?"
            outline.mistakes.add(place, what)
            return
    subject = outline.subject
    if value is None or value is CHOSEN or subject is None or not outline.rowless(subject):
        return
    record = outline.records[name]
    known_by = set(outline.records[subject].get("values_of", ()))
    direct = record.get("belongs_to") == subject and "through" not in record
    if f"{name}.{column}" in known_by or (direct and any(column in way for way in record.get("on", ()))):
        what = f"'{column}' tells which '{subject}' it is, and its replacement would be another one. Write 'null'."
        outline.mistakes.add(place, what)


def _erase(outline: Outline, name: str, record: Document) -> None:
    """The list covers every personal column and every reference to a row that may be deleted."""
    erase, wrong = record.get("erase"), outline.mistakes
    if not isinstance(erase, Mapping) or "anonymise" not in erase:
        return
    columns, place = _listed(erase["anonymise"]), ("records", name, "erase", "anonymise")
    uncovered = [column for column in record.get("personal", ()) if column not in columns]
    if uncovered and not wrong.under(*place):
        chosen = not isinstance(erase["anonymise"], Mapping)
        add = ", ".join(column if chosen else f"{column}: null" for column in uncovered)
        wrong.add(
            place, f"personal data stays in {_list(uncovered)} of '{name}' (R10). Add '{add}'.", key=True
        )
    ways = () if wrong.under("records", name, "through") else _own_links(record)
    for other, on in ways:
        if other not in outline.records or "anonymise" in (outline.records[other].get("erase") or {}):
            continue
        if outline.rowless(other) or any(columns.get(column, "") in (None, CHOSEN) for column in on):
            continue
        what = f"the link to '{other}', which may be deleted, stays (R10). Add '{next(iter(on))}: null'."
        wrong.add(place, what, key=True)


def _own_links(record: Document) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The links that own columns hold and the policy spells; the others are known only to the database."""
    if "belongs_to" in record and "through" not in record:  # over other tables: what the binding can see
        yield from ((record["belongs_to"], way) for way in record.get("on", ()) if way)
    yield from ((other, on) for other, on in links(record).items() if on)


def _steps(outline: Outline, name: str, record: Document) -> None:
    erase = record.get("erase")
    written = erase.get("anonymise", ()) if isinstance(erase, Mapping) else ()
    replaced: dict[str, object] = dict(_listed(written))
    for step, rule in record.get("sooner", {}).items():
        place = ("records", name, "sooner", step)
        _step_is_timed_or_with(outline, name, record, place, rule)
        for column, value in _listed(rule.get("anonymise", ())).items():
            if column in replaced and (
                replaced[column] != value or type(replaced[column]) is not type(value)
            ):
                what = f"'{column}' has another replacement elsewhere in '{name}'. Write the same in both."
                outline.mistakes.add((*place, "anonymise", column), what)
            replaced.setdefault(column, value)


def _step_is_timed_or_with(
    outline: Outline, name: str, record: Document, place: Path, rule: Document
) -> None:
    wrong = outline.mistakes
    if "with" not in rule:
        for key in ("for", "after"):
            if key not in rule and not wrong.under(*place):
                what = f"step '{place[-1]}' does not say when. Write 'for' and 'after', or 'with: <owner>'."
                wrong.missing((*place, key), what)
                return
        return
    for key in ("for", "after", "or_until", "or_else"):
        if key in rule:
            wrong.add(
                (*place, key), f"'{key}' and 'with' exclude each other in a step. Keep one of them.", key=True
            )
    owners = outline.ancestors(name)
    if not outline.chain_is_sound(name) or wrong.under(*place, "with"):
        return
    if rule["with"] not in owners:
        what = f"'{name}' does not belong to '{rule['with']}'. {advice(rule['with'], owners)}"
        wrong.add((*place, "with"), what)
    elif outline.rowless(rule["with"]):
        what = f"'{rule['with']}' has no row whose erasure a step could come with. Write 'for' and 'after'."
        wrong.add((*place, "with"), what)
    elif "keep" not in record and not wrong.under("records", name, "keep"):
        what = f"'{name}' has no 'keep', so it goes with its owner. Give it 'keep', or remove the step."
        wrong.add((*place, "with"), what)


def _columns_read(outline: Outline) -> dict[tuple[str, str], str]:
    """Every (record type, column) that must outlive anonymising, with the reason."""
    found: dict[tuple[str, str], str] = {}

    def date(record: str, column: str, why: str) -> None:
        for own in own_columns(outline.records.get(record, {}), column):
            found[record, own] = why

    for name, rule in outline.dates.items():
        for text in (*rule.get("latest_of", ()), *filter(None, [rule.get("or_else")])):
            date(*_pair(text), f"'dates.{name}' counts from it")
    for name, record in outline.ours.items():
        for path, rule in [*rules(name, record), (("records", name, "orphans"), record.get("orphans", {}))]:
            for _, text in names(path, rule):
                if "." in text:
                    date(*_pair(text), f"'{name}' counts from it")
                elif text not in outline.dates:
                    date(name, text, f"'{path[-1]}' counts from it")
            for column in columns_of(rule.get("while", {})):
                date(name, column, "it tells open work")
        for column in columns_of(record.get("where", {})):
            found[name, column] = f"it tells that the row is of '{name}'"
        for column in record.get("key", ()):
            found[name, column] = "it names the row"
    return found


def _pair(text: str) -> tuple[str, str]:
    record, _, column = text.partition(".")
    return record, column


def _list(columns: list[str]) -> str:
    return ", ".join(f"'{column}'" for column in columns)
