"""Check the names in `keep`, `orphans`, `sooner` and `dates`: each leads to a date to count from."""

from __future__ import annotations

from collections.abc import Iterator

from staffords_gdpr.policy.outline import Document, Outline, links
from staffords_gdpr.policy.positions import Path
from staffords_gdpr.policy.suggest import advice


def check(outline: Outline) -> None:
    """Note every name that leads nowhere."""
    for name, rule in outline.dates.items():
        _date(outline, name, rule)
    for name, record in outline.ours.items():
        for path, rule in rules(name, record):
            for place, text in names(path, rule):
                _name(outline, name, text, place)
        for place, text in names(("records", name, "orphans"), record.get("orphans", {})):
            _orphan(outline, name, text, place)


def rules(name: str, record: Document) -> Iterator[tuple[Path, Document]]:
    """The rules that decide for a row or a step of it, with their paths."""
    if "keep" in record:
        yield ("records", name, "keep"), record["keep"]
    for step, rule in record.get("sooner", {}).items():
        yield ("records", name, "sooner", step), rule


def names(path: Path, rule: Document) -> Iterator[tuple[Path, str]]:
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
    elif outline.rowless(other):
        wrong.add(place, f"'{other}' has no rows, so no rule can count from it. Name a column of '{name}'.")
    elif other in outline.ancestors(name) and other in links(record):
        what = f"'{name}' belongs to one '{other}' and refers to another, so '{text}' could be of either. "
        wrong.add(place, f"{what}Name a date in `dates`, or a column of '{name}'.")
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
        elif outline.rowless(other):
            wrong.add(place, f"'{other}' has no rows, so no date can come from it. Name another record type.")
    text = rule.get("or_else")
    subject = outline.subject
    if text is not None and subject in outline.ours and outline.rowless(subject):
        what = (
            f"'or_else' of a date is a column of the subject, and '{subject}' has no rows. Remove 'or_else'."
        )
        wrong.add(("dates", name, "or_else"), what, key=True)
    elif text is not None and subject in outline.ours and text.partition(".")[0] != subject:
        column = text.partition(".")[2]
        what = f"'or_else' of a date must be a column of the subject. Write '{subject}.{column}'."
        wrong.add(("dates", name, "or_else"), what)
