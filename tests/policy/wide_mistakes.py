# ruff: noqa: E501 - a message stands in one piece, as a person sees it
"""Every class of mistake in the keys for databases of any shape, made in two sound policies that use them all."""

from __future__ import annotations

from mistakes import Mistake

WIDE = """\
version: 1
title: Data protection policy
timezone: Europe/London
schedule: {purge: 1 day, audit: 6 months, review: 12 months}
roles: {audit: [manager, director], review: [director]}
subject: customer
dates:
  last_contact: {latest_of: call.opened}
records:
  customer:
    table: people
    where: {role: {not: [staff, system]}}
    keep: {for: 3 years, after: registered_at}
  call:
    table: tickets
    where: {kind: call}
    key: nr
    dates:
      opened: {column: create_time, stored_as: epoch seconds}
      booked: {timestamps_in: Europe/Berlin}
      warranty: {column: bought_on, plus: {months: warranty_months}}
      closed: {column: value, through: {table: field_values, on: {object_id: nr}, where: {field: closed}}}
      moved: {sql: "coalesce(moved_at, closed_at)"}
    belongs_to: customer
    through: {table: participants, on: {ticket: nr}, where: {role: caller}}
    on: {person: id}
    keep: {for: 3 years, after: last_contact, or_until: warranty, while: {closed: null}}
    erase: {anonymise: [subject, body]}
    triggers: {tickets_history: keeps the state only}
  repair:
    table: tickets
    where: {sql: "kind = 'repair'"}
    belongs_to: customer
    on: [{customer: id}, {reporter: id}]
    keep: {for: 2 years, after: done, while: {state: {in: {table: states, column: id, where: {name: [open, new]}}}}}
    erase: {anonymise: {email: "erased-{key}", customer: null, reporter: null}}
  log: {table: tickets, where: {kind: log}, leave: the operators' own notes}
"""

ROWLESS = """\
version: 1
title: Data protection policy
timezone: Europe/London
schedule: {purge: 1 day, audit: 6 months, review: 12 months}
roles: {audit: [manager, director], review: [director]}
subject: caller
dates:
  last_contact: {latest_of: call.received_at}
records:
  caller:
    title: Caller
    values_of: [call.email, repair.contact]
  call:
    table: calls
    belongs_to: caller
    on: {email: value}
    keep: {for: 3 years, after: last_contact}
    erase: {anonymise: {email: null, reason: null}}
  repair:
    table: repairs
    belongs_to: caller
    on: {contact: value}
    keep: {for: 2 years, after: done}
    sooner:
      names: {for: 1 year, after: done, anonymise: [signature]}
  log: {table: log, leave: the operators' own notes}
"""

WIDE_MISTAKES = (
    Mistake(
        "unknown form in a condition",
        "{role: {not: [staff, system]}}",
        "{role: {like: 'a%'}}",
        ("12:20: unknown key 'like' in 'customer.where.role'. Known here: not, in.",),
        sound=WIDE,
    ),
    Mistake(
        "misspelt form in a condition",
        "{role: {not: [staff",
        "{role: {nott: [staff",
        ("12:20: unknown key 'nott' in 'customer.where.role'. Did you mean 'not'?",),
        sound=WIDE,
    ),
    Mistake(
        "two forms in one condition",
        "{role: {not: [staff, system]}}",
        "{role: {not: staff, in: {table: t, column: c, where: {d: e}}}}",
        ("12:32: 'customer.where.role' has 'not' already. Keep one of them.",),
        sound=WIDE,
    ),
    Mistake(
        "a form without anything in it",
        "{role: {not: [staff, system]}}",
        "{role: {}}",
        ("12:13: 'customer.where.role' is empty. Write one of: not, in.",),
        sound=WIDE,
    ),
    Mistake(
        "expression for one column",
        "where: {kind: call}",
        "where: {kind: {sql: \"kind = 'call'\"}}",
        (
            "16:20: unknown key 'sql' in 'call.where.kind'. An expression is a whole condition. Write '{sql: ...}' in place of all columns.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "expression and columns in one condition",
        "where: {sql: \"kind = 'repair'\"}",
        "where: {sql: \"kind = 'repair'\", kind: x}",
        (
            "32:13: 'repair.where' has an expression and columns. Write all of it in the expression. A column of this name is written 'sql: [value]'.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "expression that is empty",
        "where: {sql: \"kind = 'repair'\"}",
        "where: {sql: ' '}",
        ("32:18: 'repair.where.sql': there is nothing here. Write an expression.",),
        sound=WIDE,
    ),
    Mistake(
        "expression in a table between",
        "where: {role: caller}",
        "where: {sql: \"role = 'caller'\"}",
        (
            "25:62: 'call.through.where' cannot be an expression: only 'where', 'while' and 'dates' of a record type can. A column of this name is written 'sql: [value]'.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "expression in a look-up table",
        "where: {name: [open, new]}",
        "where: {sql: \"name = 'open'\"}",
        (
            "35:95: 'repair.keep.while.state.in.where' cannot be an expression: only 'where', 'while' and 'dates' of a record type can. A column of this name is written 'sql: [value]'.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "a condition in a list",
        "[staff, system]",
        "[staff, {not: system}]",
        ("12:33: 'customer.where.role.not' must be one value, not a mapping. Write 'null'.",),
        sound=WIDE,
    ),
    Mistake(
        "a form in a list of values",
        "where: {kind: call}",
        "where: {kind: [call, {not: x}]}",
        ("16:26: 'call.where.kind': a list has values only. Write '{not: [...]}' around the list.",),
        sound=WIDE,
    ),
    Mistake(
        "not what is found in a look-up table",
        "{role: {not: [staff, system]}}",
        "{role: {not: {in: {table: t, column: c, where: {d: e}}}}}",
        (
            "12:20: 'customer.where.role.not': a look-up cannot be turned round. Write 'not' in its own 'where'.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "look-up without its column",
        "{table: states, column: id, where: {name: [open, new]}}",
        "{table: states, where: {name: [open, new]}}",
        ("35:55: 'repair.keep.while.state.in' has no 'column'. Write 'column: <column>'.",),
        sound=WIDE,
    ),
    Mistake(
        "look-up without a condition",
        ", where: {name: [open, new]}",
        "",
        ("35:55: 'repair.keep.while.state.in' has no 'where'. Write 'where: {<column>: null}'.",),
        sound=WIDE,
    ),
    Mistake(
        "misspelt where",
        "    where: {kind: call}",
        "    wher: {kind: call}",
        ("16:5: unknown key 'wher' in record type 'call'. Did you mean 'where'?",),
        sound=WIDE,
    ),
    Mistake(
        "a date's key outside a date",
        "    key: nr\n",
        "    key: nr\n    stored_as: text\n",
        (
            "18:5: unknown key 'stored_as' in record type 'call'. Write it inside 'dates:', under a name of yours.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "expression of several lines that is empty",
        "where: {sql: \"kind = 'repair'\"}",
        "where:\n      sql: >\n        \n",
        ("33:12: 'repair.where.sql': there is nothing here. Write an expression.",),
        sound=WIDE,
    ),
    Mistake(
        "condition without a value",
        "where: {kind: call}",
        "where: kind",
        ("16:12: 'call.where' must be a mapping, not 'kind'. Write '{<column>: null}'.",),
        sound=WIDE,
    ),
    Mistake(
        "where of another record type",
        "where: {kind: call}",
        "where: {customer.kind: call}",
        ("16:13: 'where' of 'call' can look at its own columns only. Write one without a record type.",),
        sound=WIDE,
    ),
    Mistake(
        "where on a date that is no column",
        "where: {kind: call}",
        "where: {kind: call, closed: null}",
        ("16:25: 'closed' is a date of 'call', and 'where' can look at columns only. Name another one.",),
        sound=WIDE,
    ),
    Mistake(
        "while on a date with a value",
        "while: {closed: null}",
        "while: {closed: [open, null]}",
        (
            "27:75: 'closed' is a date of 'call', of which a condition can only ask whether it is empty. Write 'null' or '{not: null}'.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "while on a date with not a value",
        "while: {closed: null}",
        "while: {closed: {not: open}}",
        (
            "27:75: 'closed' is a date of 'call', of which a condition can only ask whether it is empty. Write 'null' or '{not: null}'.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "values of what is not the subject",
        "    table: tickets\n    where: {kind: call}\n    key: nr\n",
        "    values_of: repair.caller\n",
        ("15:5: only the subject can be known by its values, and 'call' is not. Give it a 'table'.",),
        sound=WIDE,
    ),
    Mistake(
        "two record types with one table, one without where",
        "    where: {kind: call}\n",
        "",
        (
            "30:12: table 'tickets' is record type 'call' already. Give each of them a 'where' of its own.",
            "36:16: table 'tickets' is record type 'call' already. Give each of them a 'where' of its own.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "two record types with one table and the same where",
        "where: {sql: \"kind = 'repair'\"}",
        "where: {kind: call}",
        ("31:12: table 'tickets' is record type 'call' already. Give each of them a 'where' of its own.",),
        sound=WIDE,
    ),
    Mistake(
        "table left alone in part and in whole",
        ", where: {kind: log}",
        "",
        ("37:16: table 'tickets' is record type 'call' already. Give each of them a 'where' of its own.",),
        sound=WIDE,
    ),
    Mistake(
        "leave with a key that has no effect",
        ", where: {kind: log}",
        ", where: {kind: log}, triggers: {a: b}",
        ("37:45: 'log' is left alone, so 'triggers' has no effect. Remove 'triggers' or 'leave'.",),
        sound=WIDE,
    ),
    Mistake(
        "through without belongs_to",
        "    belongs_to: customer\n    through",
        "    through",
        ("14:3: 'call' does not belong to the subject. Write 'belongs_to: customer', or 'leave: <why>'.",),
        sound=WIDE,
    ),
    Mistake(
        "through without on",
        "    on: {person: id}\n",
        "",
        (
            "25:5: 'through' does not say how its last table leads to 'customer'. Write 'on: {<column of the last table>: <column of customer>}'.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "through of the subject",
        "    where: {role: {not: [staff, system]}}\n",
        "    through: {table: a, on: {b: c}}\n",
        ("12:5: 'customer' is the subject and belongs to nothing. Remove 'through'.",),
        sound=WIDE,
    ),
    Mistake(
        "through without its own columns",
        "through: {table: participants, on: {ticket: nr}, where: {role: caller}}",
        "through: {table: participants}",
        ("25:5: 'call.through' has no 'on'. Write 'on: {<column>: <column>}'.",),
        sound=WIDE,
    ),
    Mistake(
        "through as a word",
        "through: {table: participants, on: {ticket: nr}, where: {role: caller}}",
        "through: participants",
        (
            "25:14: 'call.through' must be a mapping, not 'participants'. Write keys under it, as in 'table: ...'.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "through with a misspelt key in a list",
        "{table: participants, on: {ticket: nr}, where: {role: caller}}",
        "[{table: participants, on: {ticket: nr}}, {tabel: people, on: {id: person}}]",
        ("25:57: unknown key 'tabel' in 'call.through'. Did you mean 'table'?",),
        sound=WIDE,
    ),
    Mistake(
        "on with the same way twice",
        "[{customer: id}, {reporter: id}]",
        "[{customer: id}, {customer: id}]",
        ("34:26: the same stands twice in 'repair.on'. Remove one.",),
        sound=WIDE,
    ),
    Mistake(
        "on as a word",
        "on: {person: id}",
        "on: person",
        ("26:9: 'call.on' must be a mapping, not 'person'. Write '{<column>: <column>}'.",),
        sound=WIDE,
    ),
    Mistake(
        "refers to something through a table",
        "    on: {person: id}\n",
        "    on: {person: id}\n    refers_to: {repair: {through: {table: a, on: {b: c}}, on: {d: e}}}\n",
        (
            "27:26: 'call.refers_to.repair': 'refers_to' has no 'through'. Make the table between a record type of its own, which belongs to this one and refers to that one; or, for a date over there, write 'through' under 'dates'.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "refers to some rows only",
        "    on: {person: id}\n",
        "    on: {person: id}\n    refers_to: {repair: {where: {kind: repair}}}\n",
        (
            "27:26: 'call.refers_to.repair': 'refers_to' has no 'where'. Divide this table into record types by 'where', each with its own 'refers_to'.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "date with a column and an expression",
        "moved: {sql:",
        "moved: {column: moved_at, sql:",
        ("23:33: the date 'moved' has a column and an expression. Keep one of them.",),
        sound=WIDE,
    ),
    Mistake(
        "date with an expression through a table",
        'moved: {sql: "coalesce(moved_at, closed_at)"}',
        "moved: {sql: value, through: {table: field_values, on: {object_id: nr}}}",
        (
            "23:15: the date 'moved' has an expression, which sees its own row only. Write 'column' in place of 'sql'.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "date of which nothing is said",
        "booked: {timestamps_in: Europe/Berlin}",
        "booked: {}",
        (
            "20:7: nothing is said of the date 'booked'. Write 'column' or 'sql', or how the column stores it.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "date as a word",
        "booked: {timestamps_in: Europe/Berlin}",
        "booked: booked_at",
        (
            "20:15: 'call.dates.booked' must be a mapping, not 'booked_at'. Write keys under it, as in 'column: ...'.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "date called as one of the policy's",
        "      booked:",
        "      last_contact:",
        (
            "20:7: 'last_contact' is a date of the policy already, so no rule could mean this one. Name it differently.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "date with a space in its name",
        "      booked:",
        "      booked in:",
        (
            "20:7: 'booked in' cannot name a date. Begin with a letter, and use letters, digits, '_' and '-' only.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "date stored in an unknown way",
        "stored_as: epoch seconds",
        "stored_as: epoch second",
        (
            "19:48: 'call.dates.opened.stored_as': 'epoch second' is not known here. Did you mean 'epoch seconds'?",
        ),
        sound=WIDE,
    ),
    Mistake(
        "zone of epoch seconds",
        "stored_as: epoch seconds",
        "stored_as: epoch seconds, timestamps_in: UTC",
        ("19:63: epoch seconds count from a moment in UTC. Remove 'timestamps_in'.",),
        sound=WIDE,
    ),
    Mistake(
        "plus in two units",
        "{months: warranty_months}",
        "{months: warranty_months, days: 3}",
        ("21:69: 'call.dates.warranty.plus' has 'months' already. Keep one of them.",),
        sound=WIDE,
    ),
    Mistake(
        "plus a negative number",
        "{months: warranty_months}",
        "{months: -6}",
        (
            "21:52: 'call.dates.warranty.plus.months': '-6 months' is no period. A period cannot be negative; write a whole number above 0.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "plus nothing",
        "{months: warranty_months}",
        "{months: 0}",
        (
            "21:52: 'call.dates.warranty.plus.months': '0 months' is no time at all. Write at least '1 month'.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "plus half a month",
        "{months: warranty_months}",
        "{months: 2.5}",
        (
            "21:52: 'call.dates.warranty.plus.months': '2.5 months' is no period. Write a whole number, in a smaller unit where needed: '18 months', not '1.5 years'.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "plus centuries",
        "{months: warranty_months}",
        "{years: 1200}",
        (
            "21:51: 'call.dates.warranty.plus.years': '1200 years' is longer than 200 years. Write a shorter period.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "plus an unknown unit",
        "{months: warranty_months}",
        "{month: 6}",
        ("21:44: unknown key 'month' in 'call.dates.warranty.plus'. Did you mean 'months'?",),
        sound=WIDE,
    ),
    Mistake(
        "plus without a unit",
        "plus: {months: warranty_months}",
        "plus: 6",
        (
            "21:43: 'call.dates.warranty.plus' must be a mapping, not '6'. Write keys under it, as in 'days: ...'.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "plus no unit at all",
        "{months: warranty_months}",
        "{}",
        ("21:37: 'call.dates.warranty.plus' is empty. Write one of: days, weeks, months, years.",),
        sound=WIDE,
    ),
    Mistake(
        "latest_of a date with a misspelt record type",
        "latest_of: call.opened",
        "latest_of: calls.opened",
        ("8:29: there is no record type 'calls'. Did you mean 'call'?",),
        sound=WIDE,
    ),
    Mistake(
        "list and mapping of replacements mixed",
        "[subject, body]",
        "[subject, {body: null}]",
        (
            "28:34: 'call.erase.anonymise': a list has columns only. Give each its replacement, as in '{subject: null, body: null}'.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "anonymise as a word",
        "[subject, body]",
        "subject",
        ("28:24: 'call.erase.anonymise' must be a list, not 'subject'. Write '[subject]'.",),
        sound=WIDE,
    ),
    Mistake(
        "anonymise an empty list",
        "[subject, body]",
        "[]",
        ("28:13: 'call.erase.anonymise' is an empty list. Write at least one entry.",),
        sound=WIDE,
    ),
    Mistake(
        "anonymise the same column twice",
        "[subject, body]",
        "[subject, subject]",
        ("28:34: 'subject' stands twice in 'call.erase.anonymise'. Remove one.",),
        sound=WIDE,
    ),
    Mistake(
        "list that leaves personal data",
        "    erase: {anonymise: [subject, body]}",
        "    personal: [subject, caller_name]\n    erase: {anonymise: [subject, body]}",
        ("29:13: personal data stays in 'caller_name' of 'call' (R10). Add 'caller_name'.",),
        sound=WIDE,
    ),
    Mistake(
        "list with the column of a date that is used",
        "[subject, body]",
        "[subject, create_time]",
        (
            "28:34: 'create_time' cannot be replaced: 'dates.last_contact' counts from it (R10). Remove it from this list.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "list with the column of a sum that is used",
        "[subject, body]",
        "[subject, warranty_months]",
        (
            "28:34: 'warranty_months' cannot be replaced: 'keep' counts from it (R10). Remove it from this list.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "list with the column that leads to a date",
        "[subject, body]",
        "[subject, nr]",
        ("28:34: 'nr' cannot be replaced: it names the row (R10). Remove it from this list.",),
        sound=WIDE,
    ),
    Mistake(
        "list with the column that tells the record type",
        "[subject, body]",
        "[subject, kind]",
        (
            "28:34: 'kind' cannot be replaced: it tells that the row is of 'call' (R10). Remove it from this list.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "template with another column",
        "erased-{key}",
        "erased-{id}",
        (
            "36:32: 'erased-{id}': only '{key}' is filled in, with the row's key. Did you mean 'erased-{key}'?",
        ),
        sound=WIDE,
    ),
    Mistake(
        "template without quotes",
        '"erased-{key}"',
        "{key}",
        (
            "36:25: 'repair.erase.anonymise.email': braces without quotes are a mapping. Write \"{key}\" in quotes.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "template that is cut off by its brackets",
        '"erased-{key}"',
        "erased-{key}",
        ("36:39: a ',' or '}' is missing. Close the mapping, or quote the value.",),
        sound=WIDE,
    ),
    Mistake(
        "one of several links stays",
        ", reporter: null}",
        "}",
        ("36:13: the link to 'customer', which may be deleted, stays (R10). Add 'reporter: null'.",),
        sound=WIDE,
    ),
    Mistake(
        "step with a replacement that the tool chooses elsewhere",
        "    triggers:",
        "    sooner:\n      early: {for: 1 year, after: opened, anonymise: {subject: null}}\n    triggers:",
        ("30:64: 'subject' has another replacement elsewhere in 'call'. Write the same in both.",),
        sound=WIDE,
    ),
    Mistake(
        "trigger without a reason",
        "{tickets_history: keeps the state only}",
        "[tickets_history]",
        (
            "29:5: 'call.triggers' must be a mapping, not a list. Write '{<trigger>: keeps no personal columns}'.",
        ),
        sound=WIDE,
    ),
    Mistake(
        "subject of values with a table",
        "    title: Caller\n",
        "    title: Caller\n    table: callers\n",
        ("12:5: 'caller' has no rows of its own, so 'table' has no effect. Remove 'table' or 'values_of'.",),
        sound=ROWLESS,
    ),
    Mistake(
        "subject of values with keep",
        "    title: Caller\n",
        "    title: Caller\n    keep: {for: 1 year, after: x}\n",
        ("12:5: 'caller' has no rows of its own, so 'keep' has no effect. Remove 'keep' or 'values_of'.",),
        sound=ROWLESS,
    ),
    Mistake(
        "values of an unknown record type",
        "call.email,",
        "calls.email,",
        ("12:17: there is no record type 'calls'. Did you mean 'call'?",),
        sound=ROWLESS,
    ),
    Mistake(
        "values of the subject",
        "call.email,",
        "caller.email,",
        ("12:17: 'caller' has no rows of its own. Name a column of a record type that has a table.",),
        sound=ROWLESS,
    ),
    Mistake(
        "values of nothing",
        "[call.email, repair.contact]",
        "[]",
        ("12:5: 'caller.values_of' is an empty list. Write at least one entry.",),
        sound=ROWLESS,
    ),
    Mistake(
        "values of a column without its record type",
        "call.email,",
        "email,",
        (
            "12:17: 'caller.values_of': 'email' names no record type. Write 'record.column', as in 'call.email'.",
        ),
        sound=ROWLESS,
    ),
    Mistake(
        "values of what is left alone",
        "repair.contact]",
        "log.email]",
        ("12:29: 'log' is left alone, so no subject can come from it. Remove it here.",),
        sound=ROWLESS,
    ),
    Mistake(
        "no columns to a subject of values",
        "[call.email, repair.contact]\n  call:\n    table: calls\n    belongs_to: caller\n    on: {email: value}\n",
        "[repair.contact]\n  call:\n    table: calls\n    belongs_to: caller\n",
        ("15:17: nothing says which column of 'call' holds the 'caller'. Write 'on: {<column>: value}'.",),
        sound=ROWLESS,
    ),
    Mistake(
        "columns of a subject of values",
        "on: {email: value}",
        "on: {email: address}",
        (
            "16:17: 'caller' is known by its values, so its only column is 'value'. Write 'on: {email: value}'.",
        ),
        sound=ROWLESS,
    ),
    Mistake(
        "no rule below a subject of values",
        "    keep: {for: 3 years, after: last_contact}\n",
        "",
        (
            "13:3: 'call' has no 'keep' and 'caller' no rows to go with. Write 'keep: {for: 3 years, after: <column>}'.",
        ),
        sound=ROWLESS,
    ),
    Mistake(
        "date of a subject of values",
        "after: last_contact",
        "after: caller.since",
        ("17:33: 'caller' has no rows, so no rule can count from it. Name a column of 'call'.",),
        sound=ROWLESS,
    ),
    Mistake(
        "latest_of a subject of values",
        "latest_of: call.received_at",
        "latest_of: caller.since",
        ("8:29: 'caller' has no rows, so no date can come from it. Name another record type.",),
        sound=ROWLESS,
    ),
    Mistake(
        "or_else of a subject of values",
        "latest_of: call.received_at",
        "latest_of: call.received_at, or_else: caller.since",
        (
            "8:47: 'or_else' of a date is a column of the subject, and 'caller' has no rows. Remove 'or_else'.",
        ),
        sound=ROWLESS,
    ),
    Mistake(
        "step with a subject of values",
        "names: {for: 1 year, after: done, anonymise",
        "names: {with: caller, anonymise",
        ("25:21: 'caller' has no row whose erasure a step could come with. Write 'for' and 'after'.",),
        sound=ROWLESS,
    ),
    Mistake(
        "replacement that makes another subject",
        "{email: null, reason: null}",
        "{email: gone, reason: null}",
        (
            "18:32: 'email' tells which 'caller' it is, and its replacement would be another one. Write 'null'.",
        ),
        sound=ROWLESS,
    ),
    Mistake(
        "neither a table nor values",
        "    values_of: [call.email, repair.contact]\n",
        "",
        (
            "10:3: 'caller' is the subject and has no 'keep'. Write 'keep: {for: 3 years, after: <column>}'.",
            "10:3: record type 'caller' has no 'table'. Write 'table: <table>'.",
        ),
        sound=ROWLESS,
    ),
)
