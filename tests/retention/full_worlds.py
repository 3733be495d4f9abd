"""Random policies of the full language over the tables of `full_schema`, and random rows for them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from full_schema import FORMS, Row, Shape, in_form
from hypothesis import strategies as st
from worlds import PERIODS, moments

SHAPES = tuple(
    Shape(key, mode) for mode in ("loose", "declared", "bare") for key in ("int", "composite", "text")
)
FEATURES = (
    "excluded", "values", "visits", "overlap", "guests", "two hops", "several ways", "notes", "devices",
    "payments", "date forms", "fields", "plus", "sql", "while", "look-up", "anonymise", "templates", "lists",
    "steps", "refers", "self", "left", "subject anonymised", "orphans", "future", "or_until", "zones",
)  # fmt: skip
OPEN = {"table": "states", "column": "id", "where": {"type": ["new", "open"]}}
NESTED = {
    "table": "states",
    "column": "id",
    "where": {"type": {"in": {"table": "types", "column": "name", "where": {"open": 1}}}},
}
ZONES = ("Europe/London", "America/New_York", "UTC", "Australia/Sydney")


@dataclass(frozen=True)
class FullWorld:
    """Tables of this shape, a policy as its file would say it, and rows by table."""

    shape: Shape
    policy: dict[str, Any]
    rows: dict[str, list[Row]]
    held: frozenset[tuple[object, ...]]


@st.composite
def full_worlds(draw: st.DrawFn) -> FullWorld:
    shape = draw(st.sampled_from(SHAPES))
    policy = _Policy(draw, shape).whole()
    words = frozenset(re.findall(r"\w+", json.dumps(policy)))
    rows = _Rows(draw, shape, words).all()
    held = frozenset(shape.person_key(n) for n in draw(st.sets(st.integers(1, 3), max_size=1)))
    if "values_of" in words:
        held = frozenset({("a@x",)}) if held else held
    return FullWorld(shape, policy, rows, held)


class _Policy:
    """One policy in the making. `dates` knows by record type the dates that it has of its own."""

    def __init__(self, draw: st.DrawFn, shape: Shape) -> None:
        self.draw = draw
        self.shape = shape
        # one by one: a set would hardly ever have many of them
        self.features = {name for name in FEATURES if draw(st.sampled_from((False, False, True)))}
        self.subject = "caller" if "values" in self.features else "customer"
        self.dates: dict[str, list[str]] = {}

    def has(self, feature: str) -> bool:
        return feature in self.features

    def one(self, *values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def whole(self) -> dict[str, Any]:
        records: dict[str, Any] = {}
        tickets = ["call", "visit"] if self.has("visits") or self.has("overlap") else ["call"]
        if self.has("values"):
            records["caller"] = {"values_of": [f"{name}.contact" for name in tickets]}
            if self.has("several ways"):
                records["caller"]["values_of"].append("call.contact2")
        else:
            records["customer"] = self.customer()
            if self.has("devices"):
                records["device"] = self.device()
        for name in tickets:
            records[name] = self.ticket(name, several=len(tickets) > 1)
        if self.has("notes"):
            records["note"] = self.record("notes", "written", ("text", "moment"))
            records["note"] |= {"belongs_to": "call", "on": {"ticket_id": "id"}, "personal": ["body"]}
        if self.has("payments") and not self.has("values"):
            records["payment"] = self.payment()
        if self.has("left"):
            records["survey"] = {"table": "surveys", "leave": "another system deletes its rows"}
        sources = [f"{name}.{date}" for name in records for date in self.dates.get(name, [])]
        self.dates_of_subject = self.subject_dates(sources)
        for name, record in records.items():
            if name in self.dates:
                self.rules(name, record)
        return {
            "version": 1,
            "title": "A random policy",
            "timezone": self.one(*ZONES[:3]),
            "schedule": {"purge": "1 day", "audit": "6 months", "review": "12 months"},
            "roles": {"audit": ["manager", "director"], "review": ["director"]},
            "database": {
                "timestamps_in": self.one("UTC", "Europe/London", "Australia/Sydney"),
                "empty_dates": ["1970-01-01 00:00:00", "0000-00-00"],
            },
            "subject": self.subject,
            "dates": self.dates_of_subject,
            "records": records,
        }

    # -- record types ------------------------------------------------------------------------------------------

    def record(self, table: str, base: str, forms: tuple[str, ...]) -> dict[str, Any]:
        """The table, its key where it declares none, and a date or two."""
        record: dict[str, Any] = {"table": table}
        if self.shape.mode == "bare":
            record["key"] = list(self.shape.keys()[table])
        name = {"people": "customer", "devices": "device", "notes": "note", "payments": "payment"}.get(table)
        dates = dict([self.date(base, forms)])
        if table == "devices" and self.has("plus"):
            dates["covered"] = self.plus(f"bought_{self.one('day', 'text')}")
        self.put(name or "", record, dates)
        return record

    def put(self, name: str, record: dict[str, Any], dates: dict[str, dict[str, Any] | None]) -> None:
        self.dates[name] = list(dates)
        if given := {key: value for key, value in dates.items() if value is not None}:
            record["dates"] = given

    def date(self, base: str, forms: tuple[str, ...]) -> tuple[str, dict[str, Any] | None]:
        """A date in one of these forms: its name, and what the policy says of it, if it must."""
        form = self.one(*forms) if self.has("date forms") else forms[0]
        column = f"{base}_{form}"
        zone = {"timestamps_in": self.one(*ZONES)} if self.has("zones") and self.one(True, False) else {}
        if form in ("seconds", "spelled"):
            return base, {"column": column, "stored_as": "epoch seconds"}
        if form == "millis":
            return base, {"column": column, "stored_as": "epoch milliseconds"}
        if form == "text" and self.has("date forms"):
            stored = {"column": column, "stored_as": self.one("day", "text", "timestamp")}
            return base, stored if stored["stored_as"] == "day" else stored | zone
        return (column, zone) if zone and form not in ("day", "zoned") else (column, None)

    def plus(self, column: str) -> dict[str, Any]:
        amount = self.one("months_int", "months_text", 3)
        return {"column": column, "plus": {self.one("months", "days", "weeks", "years"): amount}}

    def customer(self) -> dict[str, Any]:
        record = self.record("people", "since", ("text", "day", "moment", "zoned"))
        record["personal"] = ["name", "email"]
        if self.has("excluded"):
            kinds = (
                {"kind": "customer"},
                {"kind": {"not": ["staff", "system"]}},
                {"kind": ["customer", None]},
                {"sql": "kind <> 'staff'"},
            )
            record["where"] = self.one(*kinds)
        if self.has("subject anonymised"):
            both = {"name": self.one(None, "gone", "gone {key}"), "email": self.one("erased-{key}", None)}
            record["erase"] = {"anonymise": ["name", "email"] if self.has("lists") else both}
        return record

    def device(self) -> dict[str, Any]:
        record = self.record("devices", "bought", ("text", "day"))
        return record | {"belongs_to": "customer", "on": self.shape.link("person"), "personal": ["serial"]}

    def ticket(self, name: str, *, several: bool) -> dict[str, Any]:
        record: dict[str, Any] = {"table": "tickets"}
        if self.shape.mode == "bare":
            record["key"] = ["id"]
        dates = dict([self.date("opened", tuple(FORMS))])
        if self.has("fields"):
            through: Any = {
                "table": "field_values",
                "on": {"object_id": "id"},
                "where": {"field": self.one("closed", ["closed", "moved"], {"not": "moved"})},
            }
            dates["ended"] = {"column": "value", "through": through, "stored_as": self.one("text", "day")}
            if self.has("plus"):
                dates["ended"]["plus"] = {"months": 3}
            if self.has("two hops"):
                hops = [
                    {"table": "phone_lines", "on": {"ticket_id": "id"}},
                    {"table": "contracts", "on": {"line_no": "line_no"}, "where": {"kind": {"not": "old"}}},
                ]
                dates["signed"] = {"column": "signed_day", "through": hops}
        if self.has("plus"):
            dates["later"] = self.plus(f"closed_{self.one('text', 'day', 'moment')}")
        if self.has("sql"):
            form = self.one("text", "moment", "day")
            dates["either"] = {"sql": f"coalesce(closed_{form}, opened_{form})"}
        self.put(name, record, dates)
        if several:
            record["where"] = self.where(name)
        return record | self.owner(name) | {"personal": ["subject"]}

    def where(self, name: str) -> dict[str, Any]:
        other = {"call": "visit", "visit": "call"}[name]
        forms: list[dict[str, Any]] = [{"kind": name}, {"kind": name, "state_id": {"not": [3]}}]
        if self.has("overlap"):
            forms += [{"kind": [name, "both"]}, {"kind": {"not": other}}, {"kind": {"not": [other, None]}}]
        if self.has("look-up"):
            forms += [{"kind": name, "state_id": {"in": self.one(OPEN, NESTED)}}]
        if self.has("sql"):
            forms += [{"sql": f"kind = '{name}' AND coalesce(state_id, 0) <> 3"}]
        return {**self.one(*forms)}

    def owner(self, name: str) -> dict[str, Any]:
        """How a ticket finds whose it is."""
        person, rep = self.shape.link("person"), self.shape.link("rep")
        if self.has("values"):
            if self.has("several ways") and name == "call":
                return {"belongs_to": "caller", "on": [{"contact": "value"}, {"contact2": "value"}]}
            return {"belongs_to": "caller", "on": {"contact": "value"}}
        found: dict[str, Any] = {"belongs_to": "customer", "on": person}
        if name == "visit":
            return found
        if self.has("guests"):
            hop = {
                "table": "guests",
                "on": {"ticket_id": "id"},
                "where": {"role": self.one("caller", ["caller", "guest"])},
            }
            return {**found, "through": hop}
        if self.has("two hops"):
            hops: list[dict[str, Any]] = [
                {"table": "phone_lines", "on": {"ticket_id": "id"}},
                {"table": "contracts", "on": {"line_no": "line_no"}},
            ]
            return {**found, "through": hops}
        return {**found, "on": [person, rep]} if self.has("several ways") else found

    def payment(self) -> dict[str, Any]:
        record = self.record("payments", "taken", ("text", "day", "seconds"))
        record["personal"] = ["holder", "card"]
        owner = self.one("customer", "call")
        record |= {"belongs_to": owner}
        record["on"] = self.shape.link("person") if owner == "customer" else {"ticket_id": "id"}
        if self.has("refers") and owner == "customer":
            record["refers_to"] = {"call": {"ticket_id": "id"}}
        return record

    # -- rules -------------------------------------------------------------------------------------------------

    def subject_dates(self, sources: list[str]) -> dict[str, Any]:
        events = [name for name in sources if not name.startswith(("customer.", "device."))]
        rule: dict[str, Any] = {"latest_of": sorted(self.draw(st.sets(st.sampled_from(events), min_size=1)))}
        if "customer" in self.dates and self.one(False, True):
            rule["or_else"] = f"customer.{self.dates['customer'][0]}"
        if self.has("future"):
            rule["future"] = True
        return {"last": rule}

    def keep(self, name: str, *, alone: bool = False, step: bool = False) -> dict[str, Any]:
        own = self.dates[name]
        names = [*own] if alone else [*own, "last"]
        if not alone and self.subject == "customer" and name != "customer":
            names.append(f"customer.{self.dates['customer'][0]}")
        rule = {"for": self.one(*PERIODS), "after": self.one(*names)}
        if self.has("or_until") and not alone:
            rule["or_until"] = self.one(*names)
        if self.one(False, False, True):
            rule["or_else"] = self.one(*names)
            if rule["or_else"] == rule["after"]:
                del rule["or_else"]
        if self.has("future") and not step and not alone:
            rule["future"] = True
        return rule

    def rules(self, name: str, record: dict[str, Any]) -> None:
        needed = name == "customer" or (self.has("values") and record["belongs_to"] == "caller")
        if needed or self.one(True, True, False):
            record["keep"] = self.keep(name)
            if record["table"] == "tickets" and (self.has("while") or self.has("look-up")):
                record["keep"]["while"] = self.open_work(name)
        if name == "customer":
            return
        if self.has("orphans"):
            record["orphans"] = self.keep(name, alone=True)
        links = self.links(name, record)
        if self.has("anonymise") and record["table"] in ("tickets", "notes"):
            column = record["personal"][0]
            text = self.one("gone {key}", "erased-{key}") if self.has("templates") else "gone"
            replaced = {column: text, **dict.fromkeys(links)}
            record["erase"] = {"anonymise": list(replaced) if self.has("lists") else replaced}
        if self.has("steps") and name == "payment":
            self.steps(record, links)
        if self.has("steps") and name == "call" and "erase" not in record and "keep" in record:
            record["sooner"] = {
                "early": {**self.keep(name, step=True), "anonymise": {"subject": "gone {key}"}}
            }
        if self.has("self") and name == "call":
            record["refers_to"] = {"call": {"follows": "id"}}
        if self.has("refers") and name == "call" and self.has("devices") and "device" in self.dates:
            record.setdefault("refers_to", {})["device"] = {"device_id": "id"}

    def links(self, name: str, record: dict[str, Any]) -> list[str]:
        """The columns that hold the record's links, in so far as its own table holds them."""
        if record["table"] == "notes":
            return ["ticket_id"]
        if record["table"] == "payments":
            return [*self.shape.link("person"), "ticket_id"]
        if self.has("values"):
            return ["contact", *(["contact2"] if self.has("several ways") else []), "follows", "device_id"]
        return [*self.shape.link("person"), *self.shape.link("rep"), "follows", "device_id"]

    def steps(self, record: dict[str, Any], links: list[str]) -> None:
        if record["belongs_to"] == "call":
            links = ["ticket_id"]
        elif "refers_to" not in record:
            links = links[:-1]
        steps: dict[str, Any] = {
            "card": {**self.keep("payment", step=True), "anonymise": {"card": None}},
            "early": {
                **self.keep("payment", step=True),
                "anonymise": {"holder": "gone {key}", links[0]: None},
            },
        }
        if "keep" in record:
            replaced = {"holder": "gone {key}", links[0]: None}
            steps["identity"] = {"with": record["belongs_to"], "anonymise": replaced}
            steps["name"] = {"with": "customer", "anonymise": {"holder": "gone {key}"}}
        chosen = self.draw(st.sets(st.sampled_from(sorted(steps)), min_size=1))
        record["sooner"] = {name: steps[name] for name in sorted(chosen)}

    def open_work(self, name: str) -> dict[str, Any]:
        forms: list[dict[str, Any]] = [
            {"state_id": 1},
            {"state_id": [1, None]},
            {"state_id": {"not": [2, 3]}},
            {"state_id": {"not": None}},
            {self.dates[name][-1]: None},
            {self.dates[name][-1]: {"not": None}},
        ]
        if self.has("look-up"):
            forms = [{"state_id": {"in": OPEN}}, {"state_id": {"in": NESTED}, "kind": {"not": "visit"}}]
        elif self.has("sql"):
            forms = [{"sql": "state_id = 1"}, {"sql": "state_id > 1 OR kind IS NULL"}]
        return {**self.one(*forms)}


class _Rows:
    """Rows for a policy that names these words: columns that it does not name are NULL."""

    def __init__(self, draw: st.DrawFn, shape: Shape, words: frozenset[str]) -> None:
        self.draw = draw
        self.shape = shape
        self.words = words

    def one(self, *values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def all(self) -> dict[str, list[Row]]:
        found = {
            table: [self.row(table, number) for number in range(1, self.many(table, most) + 1)]
            for table, most in self.sizes().items()
        }
        found["states"] = [{"id": 1, "type": "new"}, {"id": 2, "type": "done"}, {"id": 3, "type": None}]
        found["types"] = [{"name": "new", "open": 1}, {"name": "done", "open": 0}]
        if self.shape.mode == "declared":
            self.settle(found)
        return found

    def many(self, table: str, most: int) -> int:
        return self.draw(st.integers(most // 2 if table == "people" else 0, most))

    def sizes(self) -> dict[str, int]:
        """By table, the most rows that there may be."""
        most = {"people": 6, "devices": 4, "tickets": 9, "guests": 9, "phone_lines": 6, "contracts": 6}
        most |= {"field_values": 8, "notes": 6, "payments": 7, "surveys": 1}
        return {table: number for table, number in most.items() if table in self.words or table == "surveys"}

    def row(self, table: str, number: int) -> Row:
        row: Row = {}
        links = {*self.shape.link("person"), *self.shape.link("rep")}
        for prefix in ("person", "rep"):
            if {*self.shape.link(prefix)} & {*self.shape.columns()[table]} and (
                {*self.shape.link(prefix)} & self.words or self.shape.mode == "declared"
            ):
                who = self.one(1, 1, 2, 2, 3, 3, 4, 5, 9, None)
                key = self.shape.person_key(who) if who else (None,) * len(self.shape.person)
                if who == 9 and len(key) > 1:
                    key = (key[0], None)
                row |= dict(zip(self.shape.link(prefix), key, strict=True))
        if table == "people":
            row |= dict(zip(self.shape.person, self.shape.person_key(number), strict=True))
        for column, kind in self.shape.columns()[table].items():
            if column not in links and column not in row:
                row[column] = self.value(table, column, kind, number)
        return row

    def value(self, table: str, column: str, kind: str, number: int) -> object:
        base, _, form = column.partition("_")
        if column == "id":
            return number
        if column == "subject":
            return self.one("x", "gone", f"gone {number}", f"erased-{number}", "")
        if column == "email":
            key = "-".join(map(str, self.shape.person_key(number)))
            return self.one(f"p{number}@x", None, f"erased-{key}")
        if column not in self.words and not (table == "field_values" or self.shape.mode == "declared"):
            return None
        if column.startswith("months_"):
            if column not in self.words:
                return None
            numbers = (12, 13, 1, 0, None, -1, 99999)
            return self.one(*numbers if kind == "int" else ("12", "13", "two", None, "2.5", "", "007", "-3"))
        if base in ("opened", "closed", "since", "bought", "written", "taken", "signed") and form in FORMS:
            return in_form(self.draw(moments()), form) if column in self.words else None
        return self.one(*self.choices(table, column))

    def choices(self, table: str, column: str) -> tuple[object, ...]:
        """What may stand in a column that is no date and no link to a person."""
        if (table, column) == ("people", "kind"):
            return ("customer", "customer", "customer", "staff", None)
        if (table, column) == ("contracts", "kind"):
            return ("new", "old", None)
        if (table, column) == ("field_values", "value"):
            return (self.draw(moments().map(lambda moment: in_form(moment, "text"))),)
        return {
            "kind": ("call", "call", "visit", "both", None),
            "contact": ("a@x", "a@x", "b@x", "c@x", None),
            "contact2": ("a@x", "c@x", None),
            "state_id": (1, 2, 2, 2, 3, 9, None),
            "follows": (1, 2, 3, None, None, 9),
            "device_id": (1, 2, None, None, 9),
            "ticket_id": (1, 1, 2, 2, 3, 4, 5, 6, None, 9),
            "object_id": (1, 1, 2, 3, 4, 5, None),
            "line_no": (1, 1, 2, 3, 4, None),
            "role": ("caller", "caller", "guest", None),
            "field": ("closed", "closed", "moved", None),
        }.get(column, ("x", None, "gone", f"gone {1}"))

    def settle(self, found: dict[str, list[Row]]) -> None:
        """Leave out what foreign keys and unique columns would not let in."""
        for table, names in self.shape.unique().items():
            seen, kept = set(), []
            for row in found.get(table, []):
                given = tuple(row[name] for name in names)
                if None in given or given not in seen:
                    kept.append(row)
                seen.add(given)
            found[table] = kept
        for table, on, target in self.shape.references():
            there = {tuple(row[name] for name in on.values()) for row in found.get(target, [])}
            for row in found.get(table, []):
                if tuple(row.get(name) for name in on) not in there:
                    row.update(dict.fromkeys(on))
