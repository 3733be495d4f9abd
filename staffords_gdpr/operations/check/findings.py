"""What `gdpr check` may find: the codes, what is true without each, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]

REFUSALS: Mapping[str, str] = {
    "unknown-table": "every table that the policy names is there",
    "unknown-column": "every column that the policy names is there",
    "view": "record types are tables, not views",
    "no-key": "every row can be told from every other by a key",
    "key-type": "keys are numbers, texts, dates and the like, not sets, ranges, arrays, JSON, INET or MariaDB's FLOAT",
    "key-not-unique": "no two rows hold the same undeclared key",
    "key-empty": "no row has an empty undeclared key",
    "no-link": "every link says which columns join the tables, or a foreign key does",
    "several-links": "a link without `on` has one foreign key, not several",
    "link": "every way of a link leads to the same columns",
    "link-not-unique": "a link leads to one row of the other table",
    "link-types": "the columns of a link have one type",
    "link-spelling": "the columns of a link tell spellings apart, or hold them alike",
    "unindexed-link": "on MariaDB every link has the index that locks are set by",
    "expression": "every `sql` is one expression over one row, which the database understands",
    "date-zone": "no date is read in another zone than the one that the database knows",
    "replacement": "a replacement is known for every column that is listed without one",
    "replacement-key": "no key and no computed column is replaced",
    "replacement-date": "no date that the policy counts from is replaced",
    "replacement-condition": "no column is replaced that decides what the rules make of the row",
    "replacement-link": "a link is replaced by null or not at all",
    "replacement-null": "null stands in no column that is NOT NULL",
    "replacement-type": "a replacement is of its column's type",
    "replacement-length": "a replacement fits its column's length, with the longest key in it",
    "replacement-unique": "a replacement in a UNIQUE column holds the row's key",
    "replacement-check": "replacements keep the CHECK constraints of the table",
    "leftover-link": "anonymised rows refer to nothing that is deleted",
    "goes-too-soon": "rows that a rule reads on its way stay as long as the row that it decides for",
    "replaced-too-soon": "no column that a rule reads on its way is replaced",
    "table-kind": "rows are erased from plain tables only",
    "not-transactional": "every table that is read or erased keeps transactions",
    "row-security": "the database user sees every row",
    "not-readable": "the database user may read every table that can hold what a purge would erase (R5)",
    "outside-reference": "no other schema, no partition alone and no table hidden from the user refers to the tables",
    "hidden-references": "on MariaDB the user is shown whatever refers to the tables (to approve and to purge)",
    "cycle": "rows that refer to each other can be erased",
}
"""Without these the policy cannot be used: every command refuses it, with the same words."""

REMARKS: Mapping[str, str] = {
    "undecided-columns": "every text of a named table is `personal` or `not_personal`",
    "unnamed-table": "every table that refers to a named one is named",
    "passed-table": "every table that a link or a date passes through is named, so that its rows go too",
    "trigger": "no trigger keeps a copy of what is erased, unless the policy says why",
    "writing-trigger": "no trigger writes to other tables whenever a row is erased",
    "stored-view": "no materialized view keeps a copy of what is erased",
    "not-durable": "the server keeps what it has committed, also through a power cut",
    "missing-index": "every link by which a purge looks rows up has an index",
    "missing-privilege": "the database user may do what the policy asks",
    "excessive-privilege": "the database user may do no more than that",
}
"""These leave the policy in use; a person decides about each."""

CHECKS: Mapping[str, str] = {**REFUSALS, **REMARKS}


@dataclass(frozen=True)
class Finding:
    """One thing that a person must look at. `error`: the policy cannot be used as it is.

    `place` is file:line:column. `paste` is YAML for the policy, or SQL for whoever looks after the database.
    """

    code: str
    severity: Severity
    place: str
    message: str
    advice: str = ""
    paste: str = ""
