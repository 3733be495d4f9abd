"""A document that may have mistakes still, seen as record types and their owners."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from staffords_gdpr.policy.positions import Mistakes

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Outline:
    """What `checks` and its neighbours look at, with the list of what is wrong."""

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

    def rowless(self, name: str) -> bool:
        """Whether this is a subject known by `values_of`, which has no rows; also where these are misspelt."""
        if name != self.subject or name not in self.records:
            return False
        return "values_of" in self.records[name] or self.mistakes.under("records", name, "values_of")

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
        wrong = self.mistakes
        return not any(
            wrong.at(*link) or wrong.under(*link, "belongs_to") or wrong.under(*link, "values_of")
            for link in chain
        )


def links(record: Document) -> dict[str, Mapping[str, str]]:
    """Return what a record refers to: the other record type, and the columns where they are given."""
    refers = record.get("refers_to", ())
    if isinstance(refers, str):
        refers = (refers,)
    return dict(refers) if isinstance(refers, Mapping) else {name: {} for name in refers}


def columns_of(condition: Document) -> Document:
    """Return the columns of a condition with what they must hold; nothing for an expression (`{sql: ...}`)."""
    return {} if isinstance(condition.get("sql"), str) else condition


def own_columns(record: Document, name: str) -> tuple[str, ...]:
    """Return the columns of the record's own table that a date of it is read from."""
    rule = record.get("dates", {}).get(name)
    if rule is None:
        return (name,)
    if rule.get("through"):
        return tuple(rule["through"][0].get("on", {}).values())
    amounts = tuple(amount for amount in rule.get("plus", {}).values() if isinstance(amount, str))
    return amounts if "sql" in rule else (rule.get("column", name), *amounts)
