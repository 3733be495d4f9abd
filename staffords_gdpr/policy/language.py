"""The policy language as data: every key, what may stand under it, and one sentence on what it is for.

The loader, the JSON Schema and the test of docs/policy.md all read this.
"""

from __future__ import annotations

from staffords_gdpr.policy.kinds import (
    Amount,
    ByShape,
    Column,
    Fields,
    Flag,
    Key,
    ListOf,
    MapOf,
    Name,
    OneOf,
    Only,
    Percent,
    PeriodText,
    Reference,
    Sql,
    Test,
    Text,
    Value,
    Zone,
)

_COLUMNS = ListOf(Column(), empty=True)
_ON = MapOf(Column(), Column())
_REFERENCE = MapOf(
    Column(),
    Column(),
    elsewhere={
        "through": "'refers_to' has no 'through'. Make the table between a record type of its own, which belongs to"
        " this one and refers to that one; or, for a date over there, write 'through' under 'dates'",
        "where": "'refers_to' has no 'where'. Divide this table into record types by 'where', each with its own"
        " 'refers_to'",
        "on": "the columns stand here without 'on'. Write '{<column>: <column>}'",
    },
)
_LISTED = ListOf(
    Column(),
    instead="a list has columns only. Give each its replacement, as in '{subject: null, body: null}'",
)
_ANONYMISE = ByShape(_LISTED, listing=_LISTED, mapping=MapOf(Column(), Value()))

_WHOLE = "An expression is a whole condition. Write '{sql: ...}' in place of all columns"
LOOK_UP = Fields(
    "look-up",
    {
        "table": Key(Column("table"), "The look-up table.", required=True),
        "column": Key(Column(), "The column of it that holds the value.", required=True),
        "where": Key(Test(), "What must be true of the row of the look-up table.", required=True),
    },
)
CONDITION = MapOf(
    Column(),
    ByShape(
        Value(),
        listing=ListOf(Value(), instead="a list has values only. Write '{not: [...]}' around the list"),
        mapping=Fields(
            "test",
            {
                "not": Key(
                    ByShape(Value(), listing=ListOf(Value())),
                    "The value, or the values, that it must not hold.",
                ),
                "in": Key(LOOK_UP, "The look-up table in which its value must be found."),
            },
            one=True,
            elsewhere={"sql": _WHOLE},
        ),
    ),
)
EXPRESSION = Fields(
    "expression",
    {"sql": Key(Sql(), "An expression in the database's own SQL, over this row.", required=True)},
)

_FOR = Key(PeriodText(), "How long: a whole number of days, weeks, months or years.", required=True)
_AFTER = Key(Reference(), "The date from which `for` is counted.", required=True)
_OR_UNTIL = Key(
    ListOf(Reference(), alone=True),
    "Dates until which the row is kept at least; the latest of all clauses wins.",
)
_OR_ELSE = Key(Reference(), "The date that stands in where nothing else contributes one.")
_WHILE = Key(
    Test(hatch=True),
    "Open work: while all of these columns hold one of these values, the row is kept whatever its dates.",
)
_FUTURE = Key(Flag(), "`true` where the date is no event and may lie in the future.")

KEEP = Fields(
    "keep",
    {
        "for": _FOR,
        "after": _AFTER,
        "or_until": _OR_UNTIL,
        "or_else": _OR_ELSE,
        "while": _WHILE,
        "future": _FUTURE,
    },
)
ORPHANS = Fields("orphans", {"for": _FOR, "after": _AFTER, "or_else": _OR_ELSE})

STEP = Fields(
    "step",
    {
        "for": Key(PeriodText(), _FOR.says),
        "after": Key(Reference(), _AFTER.says),
        "or_until": _OR_UNTIL,
        "or_else": _OR_ELSE,
        "with": Key(
            Name("record type"), "The owner with whose erasure this step comes, in place of a period."
        ),
        "anonymise": Key(
            _ANONYMISE, "The columns that this step replaces, each with its replacement.", required=True
        ),
    },
)

_HOP = Fields(
    "table between",
    {
        "table": Key(Column("table"), "The table between.", required=True),
        "on": Key(_ON, "Its columns, and the columns they equal of the table before it.", required=True),
        "where": Key(Test(), "Which of its rows are on the way."),
    },
)
_THROUGH = ListOf(_HOP, alone=True)

ROW_DATE = Fields(
    "date of a row",
    {
        "column": Key(Column(), "The column that holds the date; without it, the one of the date's name."),
        "stored_as": Key(
            OneOf(("day", "timestamp", "timestamp with zone", "text", "epoch seconds", "epoch milliseconds")),
            "How the column stores it; without it, as its declared type says.",
        ),
        "timestamps_in": Key(Zone(), "The zone of this column; without it, that of the whole database."),
        "plus": Key(
            Fields(
                "plus",
                {
                    "days": Key(Amount("day"), "So many days, or the column that says how many."),
                    "weeks": Key(Amount("week"), "So many weeks, or the column that says how many."),
                    "months": Key(Amount("month"), "So many months, or the column that says how many."),
                    "years": Key(Amount("year"), "So many years, or the column that says how many."),
                },
                one=True,
            ),
            "Calendar time that is added.",
        ),
        "through": Key(_THROUGH, "The tables on the way to the one that holds the date."),
        "sql": Key(Sql(), "An expression that gives the date, in the database's own SQL, over this row."),
    },
)

RECORD = Fields(
    "record type",
    {
        "title": Key(Text("Technical helpline call"), "The name that people use."),
        "table": Key(Column("table"), "The table that holds these rows.", required=True, unless="values_of"),
        "where": Key(
            Test(hatch=True), "Which rows of the table these are, where it holds rows of several kinds."
        ),
        "values_of": Key(
            ListOf(Reference(dotted=True), alone=True),
            "For a subject without a table: the columns whose every value is one subject.",
        ),
        "key": Key(
            ListOf(Column(), alone=True),
            "The columns that name a row, where the table declares no primary key.",
        ),
        "dates": Key(
            MapOf(Name("date"), ROW_DATE),
            "Dates of a row that are more than a column, or stored in an unusual way.",
        ),
        "belongs_to": Key(
            Name("record type"), "The owner of these rows: the subject, or a record type on the way to it."
        ),
        "through": Key(_THROUGH, "The tables on the way from a row to its owner, from the row outwards."),
        "on": Key(
            ListOf(_ON, alone=True),
            "Own columns, or with `through` those of its last table, and the owner's columns they equal.",
        ),
        "refers_to": Key(
            ByShape(
                Name("record type"),
                listing=ListOf(Name("record type")),
                mapping=MapOf(Name("record type"), ByShape(_REFERENCE, mapping=_REFERENCE, nothing=True)),
            ),
            "Record types whose rows stay while a row of this one refers to them.",
        ),
        "personal": Key(_COLUMNS, "The columns that hold personal data."),
        "not_personal": Key(
            _COLUMNS, "Columns that look personal and are not; `gdpr check` stops asking for them."
        ),
        "keep": Key(KEEP, "How long a row is kept. Without it a row goes with its owner."),
        "orphans": Key(ORPHANS, "How long a row is kept whose subject is gone; own columns only."),
        "erase": Key(
            ByShape(
                Only("delete"),
                mapping=Fields(
                    "erase",
                    {
                        "anonymise": Key(
                            _ANONYMISE,
                            "The columns replaced, in place of deleting the row.",
                            required=True,
                        )
                    },
                ),
            ),
            "What erasing means here: `delete`, or `anonymise` with a replacement for every personal column.",
        ),
        "sooner": Key(MapOf(Name("step"), STEP), "Named steps that come before the row goes."),
        "triggers": Key(
            MapOf(Column("trigger"), Text("keeps no personal columns")),
            "Triggers and history tables that may keep a copy of what is erased, each with why that is right.",
        ),
        "leave": Key(
            Text("the mailing system deletes these rows"),
            "Why these rows are left alone. Only `table`, `where` and `title` are given then.",
        ),
    },
)

DATE = Fields(
    "date",
    {
        "latest_of": Key(
            ListOf(Reference(dotted=True), alone=True),
            "The columns whose latest day it is, over all rows.",
            required=True,
        ),
        "or_else": Key(
            Reference(dotted=True), "A column of the subject that stands in where there is no other."
        ),
        "future": Key(Flag(), "`true` where the date is no event and may lie in the future."),
    },
)

SHARED = {
    "condition": CONDITION
}  # kinds that stand within themselves; the JSON Schema refers to them by name

POLICY = Fields(
    "policy",
    {
        "version": Key(Only(1), "The version of the language: 1.", required=True),
        "title": Key(
            Text("Data protection policy"), "The policy's name, as it stands on certificates.", required=True
        ),
        "timezone": Key(Zone(), "The zone in whose calendar periods are counted.", required=True),
        "schedule": Key(
            Fields(
                "schedule",
                {
                    "purge": Key(PeriodText("1 day"), "How often data that is due is erased.", required=True),
                    "audit": Key(PeriodText("6 months"), "How often the purge is audited.", required=True),
                    "review": Key(
                        PeriodText("12 months"), "How often the policy is reviewed.", required=True
                    ),
                },
            ),
            "How often each duty comes round.",
            required=True,
        ),
        "roles": Key(
            Fields(
                "roles",
                {
                    "audit": Key(ListOf(Name("role")), "The roles that sign an audit off.", required=True),
                    "review": Key(
                        ListOf(Name("role")), "The roles that review and approve the policy.", required=True
                    ),
                },
            ),
            "Who signs what.",
            required=True,
        ),
        "database": Key(
            Fields(
                "database",
                {
                    "timestamps_in": Key(
                        Zone(), "The zone of columns that store none; UTC where nothing is said."
                    ),
                    "empty_dates": Key(
                        ListOf(Text("1970-01-01 00:00:00"), empty=True),
                        "Dates that mean 'no date', in whatever spelling.",
                    ),
                },
            ),
            "How this database stores dates.",
        ),
        "subject": Key(
            Name("record type"), "The record type that is the person whose data it is.", required=True
        ),
        "dates": Key(MapOf(Name("date"), DATE, empty=True), "Dates with one value for each subject."),
        "records": Key(
            MapOf(Name("record type"), RECORD),
            "Every kind of record, each bound to a table, or to some of its rows.",
            required=True,
        ),
        "questions": Key(
            ListOf(Text("Is the policy still adequate?"), empty=True), "What `gdpr review` asks."
        ),
        "backups_kept": Key(PeriodText("35 days"), "How long backups of the database exist."),
        "erase_at_most": Key(
            Percent(), "The share of all subjects that one purge may erase; 5 % where nothing is said."
        ),
        "reclaim": Key(
            OneOf(("no", "vacuum", "full")),
            "What a purge does in the end about traces in the database's files; `no` where nothing is said.",
        ),
    },
)
