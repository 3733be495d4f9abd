"""What must hold between the parts of a policy: owners, subject, tables, columns, erasure.

Names inside keep rules are checked in `references`. A part whose shape is wrong already is not judged again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from staffords_gdpr.policy import references
from staffords_gdpr.policy.build import links
from staffords_gdpr.policy.positions import Mistakes
from staffords_gdpr.policy.suggest import advice

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Outline:
    """A document that may have mistakes still, seen as record types and their owners."""

    document: Document
    mistakes: Mistakes

    @property
    def records(self) -> Mapping[str, Document]:
        return self.document.get("records") or {}

    @property
    def ours(self) -> dict[str, Document]:
        return {name: record for name, record in self.records.items() if not self.left(name)}

    @property
    def dates(self) -> Mapping[str, Document]:
        return self.document.get("dates") or {}

    @property
    def subject(self) -> str | None:
        return self.document.get("subject")

    def left(self, name: str) -> bool:
        """Whether the record type is one to leave alone, also where its reason is misspelt."""
        return "leave" in self.records[name] or self.mistakes.under("records", name, "leave")

    def ancestors(self, name: str) -> list[str]:
        """The owner, its owner and so on; ends where the chain breaks or closes."""
        found: list[str] = []
        owner = self.records.get(name, {}).get("belongs_to")
        while owner is not None and owner in self.records and owner not in found:
            found.append(owner)
            owner = self.records[owner].get("belongs_to")
        return found

    def chain_is_sound(self, name: str) -> bool:
        """Whether nothing on the way from this record type to the subject has been found wrong."""
        chain = [("records", link) for link in (name, *self.ancestors(name))]
        return not any(self.mistakes.at(*link) or self.mistakes.under(*link, "belongs_to") for link in chain)


def check(document: Document, mistakes: Mistakes) -> None:
    """Note every mistake that only shows when the parts are seen together."""
    outline = Outline(document, mistakes)
    if not outline.records:
        return
    _subject(outline)
    _tables(outline)
    for name, record in outline.records.items():
        if outline.left(name):
            _left_alone(outline, name, record)
    for name, record in outline.ours.items():
        _owner(outline, name, record)
        _refers(outline, name, record)
        _columns(outline, name, record)
    for name in outline.ours:
        _reaches_subject(outline, name)
    references.check(outline)
    for name, record in outline.ours.items():
        _erasure(outline, name, record)
        _steps(outline, name, record)


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
    if "belongs_to" in record:
        wrong.add(
            (*place, "belongs_to"), f"'{subject}' is the subject and belongs to nothing. Remove 'belongs_to'."
        )
    if "orphans" in record:
        wrong.add(
            (*place, "orphans"), f"'{subject}' is the subject and has no orphans. Remove 'orphans'.", key=True
        )
    if "keep" not in record and not wrong.under(*place, "keep"):
        what = (
            f"'{subject}' is the subject and has no 'keep'. Write 'keep: {{for: 3 years, after: <column>}}'."
        )
        wrong.missing((*place, "keep"), what)


def _tables(outline: Outline) -> None:
    owners: dict[str, str] = {}
    for name, record in outline.records.items():
        table = record.get("table")
        if table in owners:
            what = f"table '{table}' is record type '{owners[table]}' already. Describe each table once."
            outline.mistakes.add(("records", name, "table"), what)
        elif table is not None:
            owners[table] = name


def _left_alone(outline: Outline, name: str, record: Document) -> None:
    for key in record:
        if key not in ("leave", "table", "title"):
            what = f"'{name}' is left alone, so '{key}' has no effect. Remove '{key}' or 'leave'."
            outline.mistakes.add(("records", name, key), what, key=True)


def _owner(outline: Outline, name: str, record: Document) -> None:
    wrong, place = outline.mistakes, ("records", name, "belongs_to")
    owner = record.get("belongs_to")
    if "on" in record and owner is None and name == outline.subject:
        what = f"'{name}' is the subject and belongs to nothing. Remove 'on'."
        wrong.add((*place[:2], "on"), what, key=True)
    if owner is None:
        return
    if owner not in outline.records:
        wrong.add(place, f"there is no record type '{owner}'. {advice(owner, outline.ours)}")
    elif outline.left(owner):
        wrong.add(place, f"'{owner}' is left alone and owns nothing here. {advice('', outline.ours)}")


def _refers(outline: Outline, name: str, record: Document) -> None:
    wrong, place = outline.mistakes, ("records", name, "refers_to")
    for position, other in _with_positions(record.get("refers_to", ())):
        spot = (*place, *position)
        in_mapping = isinstance(record["refers_to"], Mapping)
        if other not in outline.records:
            wrong.add(
                spot, f"there is no record type '{other}'. {advice(other, outline.ours)}", key=in_mapping
            )
        elif outline.left(other):
            what = f"'{other}' is left alone, so nothing needs to hold it. Remove it here."
            wrong.add(spot, what, key=in_mapping)
        elif other in outline.ancestors(name):
            wrong.add(spot, f"'{name}' belongs to '{other}' already. Remove it here.", key=in_mapping)


def _with_positions(refers: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """The names under `refers_to`, each with the rest of its path."""
    if isinstance(refers, str):
        yield (), refers
    elif isinstance(refers, Mapping):
        yield from (((name,), name) for name in refers)
    else:
        yield from (((str(number),), name) for number, name in enumerate(refers))


def _columns(outline: Outline, name: str, record: Document) -> None:
    personal = record.get("personal", ())
    for number, column in enumerate(record.get("not_personal", ())):
        if column in personal:
            what = f"'{column}' is under 'personal' too. Keep it in one of the two."
            outline.mistakes.add(("records", name, "not_personal", str(number)), what)


def _reaches_subject(outline: Outline, name: str) -> None:
    subject, wrong = outline.subject, outline.mistakes
    if subject not in outline.ours or name == subject or not outline.chain_is_sound(name):
        return
    ancestors = outline.ancestors(name)
    place = ("records", name, "belongs_to")
    if name in ancestors:
        circle = " -> ".join([name, *ancestors[: ancestors.index(name) + 1]])
        wrong.add(
            place, f"these belong to each other in a circle: {circle}. Let one of them belong to '{subject}'."
        )
    elif not ancestors:
        what = f"'{name}' does not belong to the subject. Write 'belongs_to: {subject}', or 'leave: <why>'."
        wrong.missing(place, what)


def _erasure(outline: Outline, name: str, record: Document) -> None:
    """R10: the list covers every personal column and every reference to a row that may be deleted."""
    erase, wrong = record.get("erase"), outline.mistakes
    if not isinstance(erase, Mapping) or "anonymise" not in erase:
        return
    replacements, place = erase["anonymise"], ("records", name, "erase", "anonymise")
    uncovered = [column for column in record.get("personal", ()) if column not in replacements]
    if uncovered and not wrong.under(*place):
        add = ", ".join(f"{column}: null" for column in uncovered)
        wrong.add(
            place, f"personal data stays in {_list(uncovered)} of '{name}' (R10). Add '{add}'.", key=True
        )
    targets = dict(links(record)) | (
        {record["belongs_to"]: record.get("on", {})} if "belongs_to" in record else {}
    )
    for other, on in targets.items():
        if other not in outline.records or "anonymise" in (outline.records[other].get("erase") or {}):
            continue
        if on and not any(column in replacements and replacements[column] is None for column in on):
            what = f"the link to '{other}', which may be deleted, stays (R10). Add '{next(iter(on))}: null'."
            wrong.add(place, what, key=True)


def _steps(outline: Outline, name: str, record: Document) -> None:
    erase = record.get("erase")
    replaced: dict[str, object] = dict(erase.get("anonymise", {})) if isinstance(erase, Mapping) else {}
    for step, rule in record.get("sooner", {}).items():
        place = ("records", name, "sooner", step)
        _step_is_timed_or_with(outline, name, record, place, rule)
        for column, value in rule.get("anonymise", {}).items():
            if column in replaced and (
                replaced[column] != value or type(replaced[column]) is not type(value)
            ):
                what = f"'{column}' has another replacement elsewhere in '{name}'. Write the same in both."
                outline.mistakes.add((*place, "anonymise", column), what)
            replaced.setdefault(column, value)


def _step_is_timed_or_with(
    outline: Outline, name: str, record: Document, place: tuple[str, ...], rule: Document
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
    elif "keep" not in record and not wrong.under("records", name, "keep"):
        what = f"'{name}' has no 'keep', so it goes with its owner. Give it 'keep', or remove the step."
        wrong.add((*place, "with"), what)


def _list(columns: list[str]) -> str:
    return ", ".join(f"'{column}'" for column in columns)
