"""Check the names in `keep`, `orphans`, `sooner` and `dates`: each leads to a date to count from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from staffords_gdpr.policy.build import links
from staffords_gdpr.policy.positions import Path
from staffords_gdpr.policy.suggest import advice

if TYPE_CHECKING:
    from staffords_gdpr.policy.checks import Outline

Document = Mapping[str, Any]


def check(outline: Outline) -> None:
    """Note every name that leads nowhere, and every replacement that would move a date (R10)."""
    for name, rule in outline.dates.items():
        _date(outline, name, rule)
    for name, record in outline.ours.items():
        for path, rule in _rules(name, record):
            for place, text in _names(path, rule):
                _name(outline, name, text, place)
            for column in rule.get("while", {}):
                _own_column_of_while(outline, name, column, (*path, "while", column))
        for place, text in _names(("records", name, "orphans"), record.get("orphans", {})):
            _orphan(outline, name, text, place)
    _replacements(outline)


def _rules(name: str, record: Document) -> Iterator[tuple[Path, Document]]:
    if "keep" in record:
        yield ("records", name, "keep"), record["keep"]
    for step, rule in record.get("sooner", {}).items():
        yield ("records", name, "sooner", step), rule


def _names(path: Path, rule: Document) -> Iterator[tuple[Path, str]]:
    """The names in a rule with their paths; a single `or_until` stands without brackets."""
    for key in ("after", "or_else"):
        if key in rule:
            yield (*path, key), rule[key]
    for number, text in enumerate(rule.get("or_until", ())):
        yield (*path, "or_until", str(number)), text


def _name(outline: Outline, name: str, text: str, place: Path) -> None:
    """A name in a keep rule or a step of record type `name`."""
    if "." not in text:
        return
    other = text.partition(".")[0]
    record, wrong = outline.records[name], outline.mistakes
    reachable = [*outline.ancestors(name), *links(record)]
    if other not in outline.records:
        wrong.add(place, f"there is no record type '{other}'. {advice(other, reachable)}")
    elif outline.left(other):
        wrong.add(place, f"'{other}' is left alone, so no rule can count from it. {advice(other, reachable)}")
    elif (
        other not in reachable
        and outline.chain_is_sound(name)
        and not wrong.under("records", name, "refers_to")
    ):
        if other == name:
            wrong.add(place, f"'{text}' is a column of this record type. Write '{text.partition('.')[2]}'.")
        else:
            what = f"'{name}' neither belongs nor refers to '{other}'. Write 'refers_to: {other}' if it does."
            wrong.add(place, what)


def _own_column_of_while(outline: Outline, name: str, column: str, place: Path) -> None:
    if "." in column and column.partition(".")[0] in outline.records:
        what = f"'while' of '{name}' can look at its own columns only. Write one without a record type."
        outline.mistakes.add(place, what, key=True)


def _orphan(outline: Outline, name: str, text: str, place: Path) -> None:
    wrong = outline.mistakes
    if "." in text:
        wrong.add(
            place,
            f"an orphan of '{name}' has lost its owner, so '{text}' leads nowhere. Name a column of its own.",
        )
    elif text in outline.dates:
        wrong.add(place, f"an orphan of '{name}' has no subject, so no '{text}'. Name a column of its own.")


def _date(outline: Outline, name: str, rule: Document) -> None:
    wrong = outline.mistakes
    for number, text in enumerate(rule.get("latest_of", ())):
        place, other = ("dates", name, "latest_of", str(number)), text.partition(".")[0]
        if other not in outline.records:
            wrong.add(place, f"there is no record type '{other}'. {advice(other, outline.ours)}")
        elif outline.left(other):
            wrong.add(
                place, f"'{other}' is left alone, so no date can come from it. {advice(other, outline.ours)}"
            )
    text = rule.get("or_else")
    subject = outline.subject
    if text is not None and subject in outline.ours and text.partition(".")[0] != subject:
        column = text.partition(".")[2]
        what = f"'or_else' of a date must be a column of the subject. Write '{subject}.{column}'."
        wrong.add(("dates", name, "or_else"), what)


def _replacements(outline: Outline) -> None:
    """R10: anonymising touches no date of the row, nor what tells open work, nor the row's key."""
    read = _columns_read(outline)
    for name, record in outline.ours.items():
        lists: dict[tuple[str, ...], Document] = {
            ("sooner", step): rule.get("anonymise", {}) for step, rule in record.get("sooner", {}).items()
        }
        if isinstance(record.get("erase"), Mapping):
            lists["erase",] = record["erase"].get("anonymise", {})
        for rest, columns in lists.items():
            for column in columns:
                if (name, column) in read:
                    why = read[name, column]
                    what = f"'{column}' cannot be replaced: {why} (R10). Remove it from this list."
                    outline.mistakes.add(("records", name, *rest, "anonymise", column), what, key=True)


def _columns_read(outline: Outline) -> dict[tuple[str, str], str]:
    """Every (record type, column) that must outlive anonymising, with the reason."""
    found: dict[tuple[str, str], str] = {}
    for name, rule in outline.dates.items():
        for text in (*rule.get("latest_of", ()), *filter(None, [rule.get("or_else")])):
            found[_pair(text)] = f"'dates.{name}' counts from it"
    for name, record in outline.ours.items():
        rules = [*_rules(name, record), (("records", name, "orphans"), record.get("orphans", {}))]
        for path, rule in rules:
            for _, text in _names(path, rule):
                if "." in text:
                    found[_pair(text)] = f"'{name}' counts from it"
                elif text not in outline.dates:
                    found[name, text] = f"'{path[-1]}' counts from it"
            for column in rule.get("while", {}):
                found[name, column] = "it tells open work"
        for column in record.get("key", ()):
            found[name, column] = "it names the row"
    return found


def _pair(text: str) -> tuple[str, str]:
    record, _, column = text.partition(".")
    return record, column
