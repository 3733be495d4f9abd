"""Check who the subject is, which table holds what, and what is left alone."""

from __future__ import annotations

from staffords_gdpr.policy.outline import Document, Outline
from staffords_gdpr.policy.suggest import advice


def check(outline: Outline) -> None:
    """Note what is wrong with the subject, with tables of several record types, and with those left alone."""
    _subject(outline)
    _tables(outline)
    for name, record in outline.records.items():
        if outline.left(name):
            _alone(outline, name, record, "is left alone", "leave", ("leave", "table", "where", "title"))
        elif "values_of" in record and name != outline.subject and outline.subject in outline.records:
            what = f"only the subject can be known by its values, and '{name}' is not. Give it a 'table'."
            outline.mistakes.add(("records", name, "values_of"), what, key=True)


def _subject(outline: Outline) -> None:
    subject, wrong = outline.subject, outline.mistakes
    if subject is None:
        return
    if subject not in outline.records:
        wrong.add(("subject",), f"there is no record type '{subject}'. {advice(subject, outline.records)}")
        return
    place, record = ("records", subject), outline.records[subject]
    if outline.left(subject):
        wrong.add(
            (*place, "leave"), f"'{subject}' is the subject and cannot be left alone. Give it a 'keep' rule."
        )
        return
    if outline.rowless(subject):
        _rowless_subject(outline, subject, record)
        return
    if "belongs_to" in record:
        wrong.add(
            (*place, "belongs_to"), f"'{subject}' is the subject and belongs to nothing. Remove 'belongs_to'."
        )
    for key in ("on", "through"):
        if key in record and "belongs_to" not in record:
            what = f"'{subject}' is the subject and belongs to nothing. Remove '{key}'."
            wrong.add((*place, key), what, key=True)
    if "orphans" in record:
        wrong.add(
            (*place, "orphans"), f"'{subject}' is the subject and has no orphans. Remove 'orphans'.", key=True
        )
    if "keep" not in record and not wrong.under(*place, "keep"):
        what = (
            f"'{subject}' is the subject and has no 'keep'. Write 'keep: {{for: 3 years, after: <column>}}'."
        )
        wrong.missing((*place, "keep"), what)


def _rowless_subject(outline: Outline, subject: str, record: Document) -> None:
    """A subject that is known only by a value: it has no rows, and everything else needs a rule and a link."""
    wrong = outline.mistakes
    _alone(outline, subject, record, "has no rows of its own", "values_of", ("values_of", "title"))
    for number, text in enumerate(record.get("values_of", ())):
        place, other = ("records", subject, "values_of", str(number)), text.partition(".")[0]
        if other not in outline.records:
            wrong.add(place, f"there is no record type '{other}'. {advice(other, outline.ours)}")
        elif outline.left(other):
            wrong.add(place, f"'{other}' is left alone, so no subject can come from it. Remove it here.")
        elif other == subject:
            what = f"'{subject}' has no rows of its own. Name a column of a record type that has a table."
            wrong.add(place, what)
    for name, child in outline.ours.items():
        if child.get("belongs_to") == subject and name != subject:
            _child_of_values(outline, subject, name, child)


def _child_of_values(outline: Outline, subject: str, name: str, child: Document) -> None:
    wrong, place = outline.mistakes, ("records", name)
    named = (text.partition(".") for text in outline.records[subject].get("values_of", ()))
    columns = [column for record, _, column in named if record == name]
    write = f"Write 'on: {{{columns[0] if columns else '<column>'}: value}}'."
    if "on" not in child and ("through" in child or len(columns) != 1) and not wrong.under(*place, "on"):
        what = f"nothing says which column of '{name}' holds the '{subject}'. {write}"
        wrong.add((*place, "belongs_to"), what)
    for number, way in enumerate(child.get("on", ())):
        for own, theirs in way.items():
            if theirs != "value":
                what = f"'{subject}' is known by its values, so its only column is 'value'. {write}"
                wrong.add((*place, "on", str(number), own), what)
    if "keep" not in child and not wrong.under(*place, "keep"):
        what = f"'{name}' has no 'keep' and '{subject}' no rows to go with."
        wrong.missing((*place, "keep"), f"{what} Write 'keep: {{for: 3 years, after: <column>}}'.")


def _alone(
    outline: Outline, name: str, record: Document, why: str, marker: str, allowed: tuple[str, ...]
) -> None:
    for key in record:
        if key not in allowed:
            what = f"'{name}' {why}, so '{key}' has no effect. Remove '{key}' or '{marker}'."
            outline.mistakes.add(("records", name, key), what, key=True)


def _tables(outline: Outline) -> None:
    earlier: dict[str, list[str]] = {}
    for name, record in outline.records.items():
        table = record.get("table")
        if table is None:
            continue
        others = earlier.setdefault(table, [])
        same = next((other for other in others if not _told_apart(outline, other, name)), None)
        if same is not None:
            what = f"table '{table}' is record type '{same}' already. Give each of them a 'where' of its own."
            outline.mistakes.add(("records", name, "table"), what)
        others.append(name)


def _told_apart(outline: Outline, one: str, other: str) -> bool:
    """Two record types over one table: by `where`, or as things that hang below two kinds of one other table."""
    for name in (one, other):  # a misspelt 'where' is not a missing one too
        if "where" not in outline.records[name] and outline.mistakes.under("records", name):
            return True
    records = outline.records
    wheres = [records[name].get("where") for name in (one, other)]
    owners = [records[name].get("belongs_to") for name in (one, other)]
    if None not in wheres and wheres[0] != wheres[1]:
        return True
    tables = [records.get(owner or "", {}).get("table") for owner in owners]
    return owners[0] != owners[1] and tables[0] is not None and tables[0] == tables[1]
