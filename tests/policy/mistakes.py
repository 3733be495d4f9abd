# ruff: noqa: E501 - a message stands in one piece, as a person sees it
"""Every class of mistake in a policy, by name: what to change in a sound policy, and what the loader says then."""

from __future__ import annotations

from typing import NamedTuple

SOUND = """\
version: 1
title: Data protection policy
timezone: Europe/London
schedule: {purge: 1 day, audit: 6 months, review: 12 months}
roles: {audit: [manager, director], review: [director]}
database: {timestamps_in: UTC, empty_dates: ["1970-01-01"]}
subject: customer
dates:
  last_contact: {latest_of: [call.received_at, repair.completed_at], or_else: customer.registered_at}
records:
  customer:
    table: customers
    personal: [name, address]
    keep: {for: 3 years, after: registered_at}
  product:
    table: products
    belongs_to: customer
  call:
    table: calls
    belongs_to: customer
    personal: [reason]
    keep: {for: 3 years, after: last_contact}
    orphans: {for: 3 years, after: received_at}
  repair:
    table: repairs
    belongs_to: customer
    refers_to: product
    personal: [fault]
    keep: {for: 2 years, after: completed_at, or_until: product.warranty_until, while: {completed_at: null}}
    erase: {anonymise: {fault: null, customer_id: null}}
  payment:
    table: payments
    belongs_to: repair
    keep: {for: 6 years, after: taken_at}
    sooner:
      card: {for: 13 months, after: taken_at, anonymise: {card_number: null}}
      identity: {with: repair, anonymise: {card_holder: null, repair_id: null}}
  newsletter: {table: newsletters, leave: the mailing system deletes these}
"""


class Mistake(NamedTuple):
    """Replace `old` by `new` in a sound policy; `said` is every message, without the file's name."""

    name: str
    old: str
    new: str
    said: tuple[str, ...]
    sound: str = SOUND

    @property
    def text(self) -> str:
        """The policy with the mistake in it."""
        return self.sound.replace(self.old, self.new, 1)


MISTAKES = (
    Mistake(
        "unknown key, near a known one",
        "title:",
        "tilte:",
        ("2:1: unknown key 'tilte' in the policy. Did you mean 'title'?",),
    ),
    Mistake(
        "unknown key, near none",
        "subject:",
        "zzz: 1\nsubject:",
        (
            "7:1: unknown key 'zzz' in the policy. Known here: version, title, timezone, schedule, roles, database, subject, dates, records, questions, backups_kept, erase_at_most, reclaim.",
        ),
    ),
    Mistake(
        "unknown key in a record type",
        "    table: calls",
        "    tabel: calls",
        ("19:5: unknown key 'tabel' in record type 'call'. Did you mean 'table'?",),
    ),
    Mistake(
        "key that belongs inside another",
        "    table: calls",
        "    table: calls\n    after: x",
        ("20:5: unknown key 'after' in record type 'call'. Write it inside 'keep:'.",),
    ),
    Mistake(
        "keys that the language does not have",
        "belongs_to: customer\n  call",
        "belongs_to: customer\n    via: x\n    filter: {a: b}\n  call",
        (
            "18:5: unknown key 'via' in record type 'product'. Known here: title, table, where, values_of, key, dates, belongs_to, through, on, refers_to, personal, not_personal, keep, orphans, erase, sooner, triggers, leave.",
            "19:5: unknown key 'filter' in record type 'product'. Known here: title, table, where, values_of, key, dates, belongs_to, through, on, refers_to, personal, not_personal, keep, orphans, erase, sooner, triggers, leave.",
        ),
    ),
    Mistake(
        "a mapping where a column should be",
        "after: registered_at}",
        "after: {sql: 'x + 1'}}",
        ("14:26: 'customer.keep.after' must be one value, not a mapping. Write 'received_at'.",),
    ),
    Mistake(
        "on stays a word, and so does yes",
        "    belongs_to: customer\n  call",
        "    belongs_to: customer\n    on: {customer_id: id}\n    yes: no\n  call",
        (
            "19:5: unknown key 'yes' in record type 'product'. Known here: title, table, where, values_of, key, dates, belongs_to, through, on, refers_to, personal, not_personal, keep, orphans, erase, sooner, triggers, leave.",
        ),
    ),
    Mistake(
        "duplicate key",
        "title: Data protection policy",
        "title: Data protection policy\ntitle: another",
        ("3:1: the key 'title' stands on line 2 already. Keep one.",),
    ),
    Mistake(
        "duplicate record type",
        "  payment:",
        "  call:\n    table: calls2\n  payment:",
        ("31:3: the key 'call' stands on line 18 already. Keep one.",),
    ),
    Mistake(
        "duplicate key in braces",
        "{for: 13 months,",
        "{for: 13 months, for: 14 months,",
        ("36:30: the key 'for' stands on line 36 already. Keep one.",),
    ),
    Mistake(
        "no title",
        "title: Data protection policy\n",
        "",
        ("1:1: the policy has no 'title'. Write 'title: Data protection policy'.",),
    ),
    Mistake(
        "no table",
        "    table: calls\n",
        "",
        ("18:3: record type 'call' has no 'table'. Write 'table: <table>'.",),
    ),
    Mistake(
        "no period",
        "keep: {for: 3 years, after: last_contact}",
        "keep: {after: last_contact}",
        ("22:5: 'call.keep' has no 'for'. Write 'for: 3 years'.",),
    ),
    Mistake(
        "part of a schedule",
        ", review: 12 months",
        "",
        ("4:1: 'schedule' has no 'review'. Write 'review: 12 months'.",),
    ),
    Mistake(
        "a version that is not known",
        "version: 1",
        "version: 2",
        ("1:10: 'version': '2' is not known here. Write '1'.",),
    ),
    Mistake(
        "version as text",
        "version: 1",
        "version: '1'",
        ("1:10: 'version': '1' is not known here. Write '1'.",),
    ),
    Mistake(
        "version as a truth value",
        "version: 1",
        "version: true",
        ("1:10: 'version': 'true' is not known here. Write '1'.",),
    ),
    Mistake(
        "nothing after a key",
        "title: Data protection policy",
        "title:",
        ("2:7: 'title': there is nothing here. Write 'Data protection policy'.",),
    ),
    Mistake(
        "a number as a title",
        "title: Data protection policy",
        "title: 2024",
        ("2:8: 'title': 2024 is read as a number. Write '2024' in quotes.",),
    ),
    Mistake(
        "misspelt unit",
        "for: 2 years",
        "for: 2 yeers",
        ("29:17: 'repair.keep.for': '2 yeers' is no period. Did you mean '2 years'?",),
    ),
    Mistake(
        "negative period",
        "for: 2 years",
        "for: -1 days",
        (
            "29:17: 'repair.keep.for': '-1 days' is no period. A period cannot be negative; write a whole number above 0.",
        ),
    ),
    Mistake(
        "no time at all",
        "for: 2 years",
        "for: 0 days",
        ("29:17: 'repair.keep.for': '0 days' is no time at all. Write at least '1 day'.",),
    ),
    Mistake(
        "half a year",
        "for: 2 years",
        "for: 1.5 years",
        (
            "29:17: 'repair.keep.for': '1.5 years' is no period. Write a whole number, in a smaller unit where needed: '18 months', not '1.5 years'.",
        ),
    ),
    Mistake(
        "period without a unit",
        "for: 2 years",
        "for: 2",
        (
            "29:17: 'repair.keep.for': 2 has no unit. Write days, weeks, months or years after it, as in '3 years'.",
        ),
    ),
    Mistake(
        "half a number without a unit",
        "for: 2 years",
        "for: 1.5",
        (
            "29:17: 'repair.keep.for': 1.5 has no unit. Write days, weeks, months or years after it, as in '3 years'.",
        ),
    ),
    Mistake(
        "nothing where a period should be",
        "for: 2 years",
        "for: ",
        ("29:16: 'repair.keep.for': there is nothing here. Write a period, as in '3 years'.",),
    ),
    Mistake(
        "a list where a period should be",
        "for: 2 years",
        "for: [2 years]",
        ("29:12: 'repair.keep.for' must be one value, not a list. Write '3 years'.",),
    ),
    Mistake(
        "a period of centuries",
        "for: 2 years",
        "for: 500 years",
        ("29:17: 'repair.keep.for': '500 years' is longer than 200 years. Write a shorter period.",),
    ),
    Mistake(
        "misspelt time zone",
        "timezone: Europe/London",
        "timezone: Europe/Londn",
        ("3:11: 'timezone': there is no time zone 'Europe/Londn'. Did you mean 'Europe/London'?",),
    ),
    Mistake(
        "time zone that is a path",
        "timezone: Europe/London",
        "timezone: ../../etc/passwd",
        (
            "3:11: 'timezone': there is no time zone '../../etc/passwd'. Write a name from the IANA list, as in 'Europe/London'.",
        ),
    ),
    Mistake(
        "time zone that is a folder",
        "timezone: Europe/London",
        "timezone: Europe",
        ("3:11: 'timezone': there is no time zone 'Europe'. Did you mean 'Europe/Rome'?",),
    ),
    Mistake(
        "time zone of the timestamps",
        "timestamps_in: UTC",
        "timestamps_in: UCT0",
        ("6:27: 'database.timestamps_in': there is no time zone 'UCT0'. Did you mean 'UCT'?",),
    ),
    Mistake(
        "no roles",
        "review: [director]",
        "review: []",
        ("5:37: 'roles.review' is an empty list. Write at least one entry.",),
    ),
    Mistake(
        "one role without brackets",
        "review: [director]",
        "review: director",
        ("5:45: 'roles.review' must be a list, not 'director'. Write '[director]'.",),
    ),
    Mistake(
        "the same role twice",
        "audit: [manager, director]",
        "audit: [director, director]",
        ("5:27: 'director' stands twice in 'roles.audit'. Remove one.",),
    ),
    Mistake(
        "a role with a space",
        "audit: [manager, director]",
        "audit: [the manager]",
        (
            "5:17: 'roles.audit': 'the manager' cannot name a role. Begin with a letter, and use letters, digits, '_' and '-' only.",
        ),
    ),
    Mistake(
        "a role that is a number",
        "audit: [manager, director]",
        "audit: [1]",
        ("5:17: 'roles.audit': 1 is read as a number. Write '1' in quotes.",),
    ),
    Mistake(
        "an empty date that is a number",
        '["1970-01-01"]',
        "[0]",
        ("6:46: 'database.empty_dates': 0 is read as a number. Write '0' in quotes.",),
    ),
    Mistake(
        "subject that is not there",
        "subject: customer",
        "subject: custommer",
        ("7:10: there is no record type 'custommer'. Did you mean 'customer'?",),
    ),
    Mistake(
        "subject that is left alone",
        "subject: customer",
        "subject: newsletter",
        ("38:43: 'newsletter' is the subject and cannot be left alone. Give it a 'keep' rule.",),
    ),
    Mistake(
        "subject without keep",
        "    keep: {for: 3 years, after: registered_at}\n",
        "",
        (
            "11:3: 'customer' is the subject and has no 'keep'. Write 'keep: {for: 3 years, after: <column>}'.",
        ),
    ),
    Mistake(
        "subject that belongs to something",
        "    table: customers\n",
        "    table: customers\n    belongs_to: call\n",
        ("13:17: 'customer' is the subject and belongs to nothing. Remove 'belongs_to'.",),
    ),
    Mistake(
        "subject with orphans",
        "    table: customers\n",
        "    table: customers\n    orphans: {for: 1 day, after: x}\n",
        ("13:5: 'customer' is the subject and has no orphans. Remove 'orphans'.",),
    ),
    Mistake(
        "no records",
        SOUND[SOUND.index("records:") :],
        "records: {}\n",
        ("10:1: 'records' is empty. Write at least one entry.",),
    ),
    Mistake(
        "record type that is no mapping",
        "  newsletter: {table: newsletters, leave: the mailing system deletes these}",
        "  newsletter: newsletters",
        (
            "38:15: record type 'newsletter' must be a mapping, not 'newsletters'. Write keys under it, as in 'table: ...'.",
        ),
    ),
    Mistake(
        "record type with a space",
        "  newsletter:",
        "  news letter:",
        (
            "38:3: 'news letter' cannot name a record type. Begin with a letter, and use letters, digits, '_' and '-' only.",
        ),
    ),
    Mistake(
        "owner that is not there",
        "    belongs_to: customer\n    personal: [reason]",
        "    belongs_to: costumer\n    personal: [reason]",
        ("20:17: there is no record type 'costumer'. Did you mean 'customer'?",),
    ),
    Mistake(
        "owner that is left alone",
        "    belongs_to: customer\n    personal: [reason]",
        "    belongs_to: newsletter\n    personal: [reason]",
        (
            "20:17: 'newsletter' is left alone and owns nothing here. Known here: customer, product, call, repair, payment.",
        ),
    ),
    Mistake(
        "no way to the subject",
        "    belongs_to: customer\n    personal: [reason]",
        "    personal: [reason]",
        ("18:3: 'call' does not belong to the subject. Write 'belongs_to: customer', or 'leave: <why>'.",),
    ),
    Mistake(
        "on without belongs_to",
        "    belongs_to: customer\n    personal: [reason]",
        "    on: {a: b}\n    personal: [reason]",
        ("18:3: 'call' does not belong to the subject. Write 'belongs_to: customer', or 'leave: <why>'.",),
    ),
    Mistake(
        "owners in a circle",
        "    belongs_to: customer\n    refers_to: product",
        "    belongs_to: payment",
        (
            "26:17: these belong to each other in a circle: repair -> payment -> repair. Let one of them belong to 'customer'.",
        ),
    ),
    Mistake(
        "owner of itself",
        "    belongs_to: customer\n    personal: [reason]",
        "    belongs_to: call\n    personal: [reason]",
        (
            "20:17: these belong to each other in a circle: call -> call. Let one of them belong to 'customer'.",
        ),
    ),
    Mistake(
        "refers to what is not there",
        "refers_to: product",
        "refers_to: produkt",
        ("27:16: there is no record type 'produkt'. Did you mean 'product'?",),
    ),
    Mistake(
        "refers to what is not there, in a list",
        "refers_to: product",
        "refers_to: [product, produkt]",
        ("27:26: there is no record type 'produkt'. Did you mean 'product'?",),
    ),
    Mistake(
        "refers to what is not there, in a mapping",
        "refers_to: product",
        "refers_to: {product: {product_id: id}, produkt: {a: b}}",
        (
            "27:44: there is no record type 'produkt'. Did you mean 'product'?",
            "30:13: the link to 'product', which may be deleted, stays (R10). Add 'product_id: null'.",
        ),
    ),
    Mistake(
        "refers to what is left alone",
        "refers_to: product",
        "refers_to: [product, newsletter]",
        ("27:26: 'newsletter' is left alone, so nothing needs to hold it. Remove it here.",),
    ),
    Mistake(
        "refers to its owner",
        "refers_to: product",
        "refers_to: [product, customer]",
        (
            (
                "27:26: 'repair' belongs to 'customer' already. Remove it here; if a row refers to yet another 'customer', "
                "say by which columns, as in 'refers_to: {customer: {other_id: id}}'."
            ),
        ),
    ),
    Mistake(
        "refers to the same twice",
        "refers_to: product",
        "refers_to: [product, product]",
        ("27:26: 'product' stands twice in 'repair.refers_to'. Remove one.",),
    ),
    Mistake(
        "columns of a reference as a word",
        "refers_to: product",
        "refers_to: {product: product_id}",
        (
            "27:26: 'repair.refers_to.product' must be a mapping, not 'product_id'. Write '{<column>: <column>}'.",
        ),
    ),
    Mistake(
        "two record types with one table",
        "table: repairs",
        "table: calls",
        ("25:12: table 'calls' is record type 'call' already. Give each of them a 'where' of its own.",),
    ),
    Mistake(
        "date of a record type that is not there",
        "or_until: product.warranty_until",
        "or_until: produkt.warranty_until",
        ("29:57: there is no record type 'produkt'. Did you mean 'product'?",),
    ),
    Mistake(
        "date of a record type out of reach",
        "or_until: product.warranty_until",
        "or_until: call.received_at",
        ("29:57: 'repair' neither belongs nor refers to 'call'. Write 'refers_to: call' if it does.",),
    ),
    Mistake(
        "date of a table that is left alone",
        "or_until: product.warranty_until",
        "or_until: newsletter.sent_at",
        ("29:57: 'newsletter' is left alone, so no rule can count from it. Known here: customer, product.",),
    ),
    Mistake(
        "own column spelt with its record type",
        "after: completed_at",
        "after: repair.completed_at",
        ("29:33: 'repair.completed_at' is a column of this record type. Write 'completed_at'.",),
    ),
    Mistake(
        "half a name",
        "or_until: product.warranty_until",
        "or_until: product.",
        ("29:57: 'repair.keep.or_until': 'product.' is half a name. Write 'record.column'.",),
    ),
    Mistake(
        "the same or_until twice",
        "or_until: product.warranty_until",
        "or_until: [completed_at, completed_at]",
        ("29:72: 'completed_at' stands twice in 'repair.keep.or_until'. Remove one.",),
    ),
    Mistake(
        "after as a list",
        "after: completed_at,",
        "after: [completed_at],",
        ("29:26: 'repair.keep.after' must be one value, not a list. Write 'received_at'.",),
    ),
    Mistake(
        "latest_of without a record type",
        "call.received_at,",
        "received_at,",
        (
            "9:30: 'last_contact.latest_of': 'received_at' names no record type. Write 'record.column', as in 'call.received_at'.",
        ),
    ),
    Mistake(
        "latest_of an unknown record type",
        "call.received_at,",
        "cal.received_at,",
        ("9:30: there is no record type 'cal'. Did you mean 'call'?",),
    ),
    Mistake(
        "latest_of a table that is left alone",
        "call.received_at,",
        "newsletter.sent_at,",
        (
            "9:30: 'newsletter' is left alone, so no date can come from it. Known here: customer, product, call, repair, payment.",
        ),
    ),
    Mistake(
        "latest_of the same twice",
        "[call.received_at, repair.completed_at]",
        "[call.received_at, call.received_at]",
        ("9:48: 'call.received_at' stands twice in 'last_contact.latest_of'. Remove one.",),
    ),
    Mistake(
        "latest_of nothing",
        "[call.received_at, repair.completed_at]",
        "[]",
        ("9:18: 'last_contact.latest_of' is an empty list. Write at least one entry.",),
    ),
    Mistake(
        "or_else of a date that is not the subject's",
        "or_else: customer.registered_at",
        "or_else: call.received_at",
        ("9:79: 'or_else' of a date must be a column of the subject. Write 'customer.received_at'.",),
    ),
    Mistake(
        "future that is yes",
        "or_else: customer.registered_at",
        "future: yes",
        ("9:78: 'last_contact.future': 'yes' is neither true nor false. Write 'true' or 'false'.",),
    ),
    Mistake(
        "while nothing",
        "while: {completed_at: null}",
        "while: {}",
        ("29:81: 'repair.keep.while' is empty. Write at least one entry.",),
    ),
    Mistake(
        "while one of no values",
        "while: {completed_at: null}",
        "while: {completed_at: []}",
        ("29:89: 'repair.keep.while.completed_at' is an empty list. Write at least one entry.",),
    ),
    Mistake(
        "while without a value",
        "while: {completed_at: null}",
        "while: completed_at",
        ("29:88: 'repair.keep.while' must be a mapping, not 'completed_at'. Write '{<column>: null}'.",),
    ),
    Mistake(
        "while of another record type",
        "while: {completed_at: null}",
        "while: {product.state: sold}",
        ("29:89: 'while' of 'repair' can look at its own columns only. Write one without a record type.",),
    ),
    Mistake(
        "while not a number",
        "while: {completed_at: null}",
        "while: {completed_at: .nan}",
        (
            "29:103: 'repair.keep.while.completed_at': .nan is no value for a column. Write a number, a word or null.",
        ),
    ),
    Mistake(
        "orphans that count from their owner",
        "orphans: {for: 3 years, after: received_at}",
        "orphans: {for: 3 years, after: customer.registered_at}",
        (
            "23:36: an orphan of 'call' has lost its owner, so 'customer.registered_at' leads nowhere. Name a column of its own.",
        ),
    ),
    Mistake(
        "orphans that count from a subject's date",
        "orphans: {for: 3 years, after: received_at}",
        "orphans: {for: 3 years, after: last_contact}",
        ("23:36: an orphan of 'call' has no subject, so no 'last_contact'. Name a column of its own.",),
    ),
    Mistake(
        "orphans with open work",
        "orphans: {for: 3 years, after: received_at}",
        "orphans: {for: 3 years, after: received_at, while: {a: b}}",
        ("23:49: unknown key 'while' in 'call.orphans'. Known here: for, after, or_else.",),
    ),
    Mistake(
        "erase with an unknown word",
        "erase: {anonymise: {fault: null, customer_id: null}}",
        "erase: destroy",
        ("30:12: 'repair.erase': 'destroy' is not known here. Write 'delete'.",),
    ),
    Mistake(
        "erase as a list",
        "erase: {anonymise: {fault: null, customer_id: null}}",
        "erase: [delete]",
        ("30:5: 'repair.erase' must be one value, not a list. Write 'delete'.",),
    ),
    Mistake(
        "anonymise that leaves personal data",
        "{fault: null, customer_id: null}",
        "{customer_id: null}",
        ("30:13: personal data stays in 'fault' of 'repair' (R10). Add 'fault: null'.",),
    ),
    Mistake(
        "anonymise nothing",
        "{fault: null, customer_id: null}",
        "{}",
        ("30:13: 'repair.erase.anonymise' is empty. Write at least one entry.",),
    ),
    Mistake(
        "anonymise a date that tells open work",
        "{fault: null, customer_id: null}",
        "{fault: null, completed_at: null}",
        ("30:38: 'completed_at' cannot be replaced: it tells open work (R10). Remove it from this list.",),
    ),
    Mistake(
        "anonymise that leaves a link",
        "    refers_to: product\n",
        "    refers_to: {product: {product_id: id}}\n",
        ("30:13: the link to 'product', which may be deleted, stays (R10). Add 'product_id: null'.",),
    ),
    Mistake(
        "anonymise with a mapping as replacement",
        "{fault: null, customer_id: null}",
        "{fault: {a: b}, customer_id: null}",
        ("30:25: 'repair.erase.anonymise.fault' must be one value, not a mapping. Write 'null'.",),
    ),
    Mistake(
        "step with a misspelt owner",
        "with: repair",
        "with: repiar",
        ("37:24: 'payment' does not belong to 'repiar'. Did you mean 'repair'?",),
    ),
    Mistake(
        "step with another than an owner",
        "with: repair",
        "with: call",
        ("37:24: 'payment' does not belong to 'call'. Known here: repair, customer.",),
    ),
    Mistake(
        "step with both a time and an owner",
        "with: repair",
        "with: repair, for: 3 years",
        ("37:32: 'for' and 'with' exclude each other in a step. Keep one of them.",),
    ),
    Mistake(
        "step that does not say when",
        "with: repair, ",
        "",
        ("37:7: step 'identity' does not say when. Write 'for' and 'after', or 'with: <owner>'.",),
    ),
    Mistake(
        "step without after",
        "for: 13 months, after: taken_at, ",
        "for: 13 months, ",
        ("36:7: step 'card' does not say when. Write 'for' and 'after', or 'with: <owner>'.",),
    ),
    Mistake(
        "step that replaces nothing",
        ", anonymise: {card_number: null}",
        "",
        ("36:7: 'payment.sooner.card' has no 'anonymise'. Write 'anonymise: [<column>]'.",),
    ),
    Mistake(
        "step with a dot",
        "      card:",
        "      payment.card:",
        (
            "36:7: 'payment.card' cannot name a step. Begin with a letter, and use letters, digits, '_' and '-' only.",
        ),
    ),
    Mistake(
        "step with another replacement than elsewhere",
        "{card_holder: null, repair_id: null}",
        "{card_holder: null, repair_id: null, card_number: x}",
        ("37:93: 'card_number' has another replacement elsewhere in 'payment'. Write the same in both.",),
    ),
    Mistake(
        "step that replaces its own date",
        "{card_number: null}",
        "{card_number: null, taken_at: null}",
        ("36:78: 'taken_at' cannot be replaced: 'card' counts from it (R10). Remove it from this list.",),
    ),
    Mistake(
        "step with its owner, of a record without keep",
        "    keep: {for: 6 years, after: taken_at}\n",
        "",
        ("36:24: 'payment' has no 'keep', so it goes with its owner. Give it 'keep', or remove the step.",),
    ),
    Mistake(
        "leave and more",
        "{table: newsletters, leave:",
        "{table: newsletters, belongs_to: customer, leave:",
        (
            "38:36: 'newsletter' is left alone, so 'belongs_to' has no effect. Remove 'belongs_to' or 'leave'.",
        ),
    ),
    Mistake(
        "leave without a reason",
        "leave: the mailing system deletes these",
        "leave: ''",
        ("38:43: 'newsletter.leave': there is nothing here. Write 'the mailing system deletes these rows'.",),
    ),
    Mistake(
        "personal and not personal",
        "    personal: [reason]",
        "    personal: [reason]\n    not_personal: [reason]",
        ("22:20: 'reason' is under 'personal' too. Keep it in one of the two.",),
    ),
    Mistake(
        "personal twice",
        "personal: [name, address]",
        "personal: [name, name]",
        ("13:22: 'name' stands twice in 'customer.personal'. Remove one.",),
    ),
    Mistake(
        "personal without brackets",
        "personal: [name, address]",
        "personal: name",
        ("13:15: 'customer.personal' must be a list, not 'name'. Write '[name]'.",),
    ),
    Mistake(
        "personal numbers, nothing and empty text",
        "personal: [name, address]",
        "personal: [name, 7, null, '']",
        (
            "13:22: 'customer.personal': 7 is read as a number. Write '7' in quotes.",
            "13:25: 'customer.personal': there is nothing here. Write '<column>'.",
            "13:31: 'customer.personal': there is nothing here. Write '<column>'.",
        ),
    ),
    Mistake(
        "share without a percent sign",
        "subject:",
        "erase_at_most: 5\nsubject:",
        ("7:16: 'erase_at_most': '5' is no share. Write a percentage above 0 and up to 100, as in '5 %'.",),
    ),
    Mistake(
        "share of nothing",
        "subject:",
        "erase_at_most: 0 %\nsubject:",
        ("7:16: 'erase_at_most': '0 %' is no share. Write a percentage above 0 and up to 100, as in '5 %'.",),
    ),
    Mistake(
        "reclaim said as a truth value",
        "subject:",
        "reclaim: false\nsubject:",
        ("7:10: 'reclaim': 'false' is not known here. Known here: no, vacuum, full.",),
    ),
    Mistake(
        "backups kept for ever",
        "subject:",
        "backups_kept: forever\nsubject:",
        (
            "7:15: 'backups_kept': 'forever' is no period. Write a whole number of days, weeks, months or years, as in '3 years'.",
        ),
    ),
    Mistake(
        "questions without brackets",
        "subject:",
        "questions: Is it well?\nsubject:",
        ("7:12: 'questions' must be a list, not 'Is it well?'. Write '[Is it well?]'.",),
    ),
    Mistake(
        "table with a space before it",
        "table: calls",
        "table: ' calls'",
        ("19:12: 'call.table': ' calls' begins or ends with a space. Write 'calls'.",),
    ),
    Mistake(
        "a tag",
        "title: Data",
        "title: !!str Data",
        ("2:8: the tag '!!str' is not allowed. Write the plain value.",),
    ),
    Mistake(
        "a tag that names code",
        "title: Data protection policy",
        "title: !!python/object/apply:os.system [ls]",
        ("2:8: the tag '!!python/object/apply:os.system' is not allowed. Write the plain value.",),
    ),
    Mistake(
        "indented with a tab",
        "    table: calls",
        "\ttable: calls",
        ("19:1: indented with a tab. Indent with spaces.",),
    ),
    Mistake(
        "a tab after a colon",
        "table: calls",
        "table:\tcalls",
        ("19:11: a tab stands here. Write a space.",),
    ),
    Mistake(
        "indented by one too many",
        "    table: calls",
        "     table: calls",
        ("20:5: this line is indented differently from its neighbours. Align it with them.",),
    ),
    Mistake(
        "a colon in a title",
        "title: Data protection policy",
        "title: Data: protection",
        ("2:12: a ':' is not allowed here. Check the indentation, or quote the value.",),
    ),
    Mistake(
        "a comma left out",
        "purge: 1 day, audit",
        "purge: 1 day audit",
        ("4:30: a ',' or '}' is missing. Close the mapping, or quote the value.",),
    ),
    Mistake(
        "a bracket not closed",
        "roles: {audit: [manager, director], review: [director]}",
        "roles: {audit: [manager, director, review: [director]}",
        ("5:54: a ',' or ']' is missing. Close the list, or quote the value.",),
    ),
    Mistake(
        "a quote not closed",
        "title: Data",
        "title: 'Data",
        ("2:8: a quote is not closed. Close it.",),
    ),
    Mistake(
        "a word that begins with an at sign",
        "title: Data",
        "title: @Data",
        ("2:8: a value cannot begin with this character. Put the value in quotes.",),
    ),
    Mistake(
        "an alias of nothing",
        "title: Data protection policy",
        "title: *data",
        ("2:8: this '*' names an anchor that does not exist. Write the value out, or quote it.",),
    ),
    Mistake(
        "two documents",
        "subject:",
        "---\nsubject:",
        ("7:1: a second document begins here. Keep one policy in one file, without '---'.",),
    ),
    Mistake(
        "a control character",
        "title: Data",
        "title: \0Data",
        ("2:8: a control character stands here. Remove it.",),
    ),
    Mistake(
        "a list as a key",
        "title: Data",
        "? [a, b]\n: c\ntitle: Data",
        ("2:3: a key must be one word. Write 'key: value'.",),
    ),
    Mistake(
        "an empty key",
        "title: Data",
        ": c\ntitle: Data",
        ("2:1: this line is indented differently from its neighbours. Align it with them.",),
    ),
    Mistake(
        "a merge key",
        "title: Data",
        "<<: {a: b}\ntitle: Data",
        (
            "2:1: unknown key '<<' in the policy. Known here: version, title, timezone, schedule, roles, database, subject, dates, records, questions, backups_kept, erase_at_most, reclaim.",
        ),
    ),
    Mistake(
        "an alias inside itself",
        "title: Data protection policy",
        "title: &a [*a]",
        ("2:8: the policy is too large once its aliases ('*') are followed. Write it out.",),
    ),
)
