"""A policy proposed for databases that nobody has described: on every engine, and without keeping a value."""

from __future__ import annotations

import datetime as dt
import json
import re
import runpy
from pathlib import Path

import pytest
import sqlalchemy as sa
import strangers

from staffords_gdpr.database.binding import bind
from staffords_gdpr.database.connection import connect, connected
from staffords_gdpr.database.schema import read_schema
from staffords_gdpr.errors import PolicyError, UsageError
from staffords_gdpr.operations.check.columns import undecided_columns, unnamed_tables
from staffords_gdpr.operations.demo import packaged_policy
from staffords_gdpr.operations.propose import propose, write_policy
from staffords_gdpr.operations.propose.guesses import Proposal, RecordGuess
from staffords_gdpr.policy import Policy, read_policy
from staffords_gdpr.render.proposal import policy_text, todos

ROOT = Path(__file__).parents[2]
TODAY = dt.date(2026, 11, 23)
SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


def proposed(url: str) -> Proposal:
    engine = connect(url, write=False)
    try:
        return propose(engine, today=TODAY)
    finally:
        engine.dispose()


def decided(text: str) -> Policy:
    """The policy after a person has taken every TODO away: guesses accepted, the rest filled in."""
    text = text.replace("timezone: TODO", "timezone: Europe/London")
    text = re.sub(
        r"leave: TODO$|leave: TODO(?=  +#)", "leave: nothing to do with customers", text, flags=re.MULTILINE
    )
    text = re.sub(r"for: TODO(?=$|  +#)", "for: 1 year", text, flags=re.MULTILINE)
    text = re.sub(
        r"^(        \S+): TODO(?=$|  +#)", r"\1: [open]", text, flags=re.MULTILINE
    )  # while: {status: TODO}
    return read_policy(re.sub(r"\bTODO (?=[^\s#])", "", text).encode(), "proposed.yaml")


def bound(policy: Policy, url: str) -> set[str]:
    engine = connect(url, write=False)
    with connected(engine) as connection:
        return set(bind(policy, connection).records)


def unsettled(policy: Policy, url: str) -> list[str]:
    """What `gdpr check` says of columns and tables of which the policy does not speak."""
    engine = connect(url, write=False)
    with connected(engine) as connection:
        schema, known = read_schema(connection), bind(policy, connection).policy
    return [
        finding.message for finding in (*undecided_columns(known, schema), *unnamed_tables(known, schema))
    ]


def record(proposal: Proposal, name: str) -> RecordGuess:
    return next(record for record in proposal.records if record.name == name)


# -- the firm's own database -------------------------------------------------------------------------------------


@pytest.mark.parametrize("foreign_keys", [True, False], ids=["declared", "undeclared"])
def test_for_the_firms_tables_the_firms_policy_is_proposed(engine_url: str, *, foreign_keys: bool) -> None:
    strangers.demo(engine_url, foreign_keys=foreign_keys)
    policy = decided(policy_text(proposed(engine_url)))
    firms = read_policy(packaged_policy(), "firm.yaml")
    assert policy.subject == firms.subject
    assert policy.dates == firms.dates
    assert set(policy.records) == set(firms.records)
    for name, wanted in firms.records.items():
        found = policy.records[name]
        assert (found.personal, found.keep, found.sooner) == (wanted.personal, wanted.keep, wanted.sooner), (
            name
        )
        assert set(found.not_personal) == set(wanted.not_personal), name
        assert policy.owner(name) == firms.owner(name)
        assert [link.record for link in found.refers_to] == [link.record for link in wanted.refers_to]
    assert bound(policy, engine_url) == set(firms.ours)
    assert unsettled(policy, engine_url) == []


@SQLITE
def test_a_proposal_does_not_load_before_a_person_has_decided(engine_url: str) -> None:
    strangers.demo(engine_url)
    text = policy_text(proposed(engine_url))
    with pytest.raises(PolicyError) as caught:
        read_policy(text.encode(), "proposed.yaml")
    lines = caught.value.message.split("\n")
    assert len(lines) == todos(text) == 5
    assert all("a person must decide here" in line for line in lines)


@SQLITE
def test_the_page_on_proposals_shows_what_is_proposed(engine_url: str) -> None:
    strangers.demo(engine_url)
    text = policy_text(proposed(engine_url))
    with pytest.raises(PolicyError) as caught:
        read_policy(text.encode(), "retention.yaml")
    page = (ROOT / "docs/propose.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (said,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    assert shown in text
    assert said.partition(": '")[2].strip() in caught.value.message


# -- other people's databases ------------------------------------------------------------------------------------


def test_german_names_with_capitals_spaces_and_umlauts_are_understood_and_bound(engine_url: str) -> None:
    strangers.workshop(engine_url)
    proposal = proposed(engine_url)
    policy = decided(policy_text(proposal))
    assert bound(policy, engine_url) == {"kunde", "geraet", "anruf", "reparaturauftrag", "order"}
    assert unsettled(policy, engine_url) == []
    assert proposal.subject.value == "kunde"
    assert policy.records["kunde"].personal == ("Vorname", "Nachname", "Straße", "PLZ", "Ort", "Telefon")
    assert policy.records["anruf"].personal == ("Betreff", "Lösung")
    repair = policy.records["reparaturauftrag"]
    assert repair.keep is not None
    assert str(repair.keep.for_) == "2 years"
    assert str(repair.keep.after) == "Fertig am"
    assert [str(until) for until in repair.keep.or_until] == ["geraet.Garantie bis"]
    assert repair.belongs_to is not None
    assert repair.belongs_to.on == ({"Kunden Nr": "KundenNr"},)


def test_a_help_desk_with_epochs_text_dates_link_tables_and_links_of_several_kinds_is_understood(
    engine_url: str,
) -> None:
    strangers.help_desk(engine_url)
    proposal = proposed(engine_url)
    policy = decided(policy_text(proposal))
    assert bound(policy, engine_url) == {"user", "ticket", "order", "order_user", "payment"}
    assert unsettled(policy, engine_url) == []
    ticket = policy.records["ticket"]
    assert {name: date.stored_as for name, date in ticket.dates.items()} == {
        "create_time": "epoch seconds",
        "closed_time": "epoch seconds",
    }
    assert "1970-01-01 00:00:00" in policy.database.empty_dates
    assert "ip_address" in ticket.personal
    order = policy.records["order"]
    assert order.dates["completed_at"].stored_as == "text"
    assert order.belongs_to is not None
    assert [(hop.table, hop.on) for hop in order.belongs_to.through] == [
        ("hd_order_users", {"order_id": "id"})
    ]
    assert order.belongs_to.on == ({"user_id": "id"},)
    assert [step.name for step in policy.records["payment"].sooner] == ["card", "identity"]
    assert proposal.subject.open
    entry = record(proposal, "thread_entry")
    assert entry.leave is not None
    assert "object_type" in entry.note
    assert record(proposal, "staff").leave is not None
    assert proposal.unnamed == ("hd_ticket_status",)


EXAMPLES = {
    "workshop": {"customer", "device", "order", "order_line", "call", "payment"},
    "helpdesk": {"customer_user", "ticket", "article", "article_data_mime", "ticket_history"},
    "threads": {"user", "user_email", "ticket", "collaborator"},
}


@SQLITE
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_databases_are_understood(engine_url: str, name: str) -> None:
    folder = ROOT / "docs/examples" / name
    with strangers.engine_of(engine_url).begin() as connection:
        for statement in (folder / "schema.sql").read_text().split(";"):
            if statement.strip():
                connection.exec_driver_sql(statement)
        runpy.run_path(str(folder / "load.py"))["load"](connection)
    policy = decided(policy_text(proposed(engine_url)))
    assert bound(policy, engine_url) == EXAMPLES[name]
    assert unsettled(policy, engine_url) == []


@SQLITE
def test_a_row_that_leads_to_two_subjects_belongs_to_each(engine_url: str) -> None:
    strangers.demo(engine_url)
    with strangers.engine_of(engine_url).begin() as connection:
        connection.exec_driver_sql(
            "ALTER TABLE calls ADD COLUMN reporter_id INTEGER REFERENCES customers (id)"
        )
    policy = decided(policy_text(proposed(engine_url)))
    link = policy.records["call"].belongs_to
    assert link is not None
    assert sorted(own for way in link.on for own in way) == ["customer_id", "reporter_id"]
    assert bound(policy, engine_url)


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_a_table_that_the_user_may_not_read_is_guessed_by_its_names_and_named(engine_url: str) -> None:
    strangers.demo(engine_url)
    role = f"reader_{sa.make_url(engine_url).database}"
    with strangers.engine_of(engine_url).begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        connection.exec_driver_sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
        connection.exec_driver_sql(f"REVOKE SELECT ON calls FROM {role}")
    reader = sa.make_url(engine_url).set(username=role).render_as_string(hide_password=False)
    try:
        proposal = proposed(reader)
    finally:
        with strangers.engine_of(engine_url).begin() as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {role}")
            connection.exec_driver_sql(f"DROP ROLE {role}")
    assert proposal.unread == ("calls",)
    assert [guess.value for guess in record(proposal, "call").personal] == ["reason", "resolution"]


@SQLITE
def test_a_warranty_of_so_many_months_is_computed(engine_url: str) -> None:
    strangers.demo(engine_url)
    with strangers.engine_of(engine_url).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE products DROP COLUMN warranty_until")
        connection.exec_driver_sql("ALTER TABLE products ADD COLUMN warranty_months INTEGER")
    policy = decided(policy_text(proposed(engine_url)))
    plus = policy.records["product"].dates["warranty_until"].plus
    assert plus is not None
    assert (plus.unit, plus.column) == ("month", "warranty_months")
    assert [str(ref) for ref in policy.dates["warranty_end"].latest_of] == ["product.warranty_until"]


@SQLITE
def test_names_that_yaml_would_misread_are_written_so_that_it_does_not(engine_url: str) -> None:
    odd = ["null", "on", "TODO", "a, b", "c: d", "#e", "{f}", "it's", 'say "g"', "1st", "- h", "i.j", "k\nl"]
    metadata = sa.MetaData()
    texts = [sa.Column(name, sa.String(30)) for name in ("name", "e-mail: private", "telephone", *odd)]
    sa.Table("customers: all #1", metadata, sa.Column("key: #", sa.Integer, primary_key=True), *texts)
    metadata.create_all(strangers.engine_of(engine_url))
    text = policy_text(proposed(engine_url))
    with pytest.raises(PolicyError) as caught:
        read_policy(text.encode(), "proposed.yaml")
    assert all("a person must decide here" in line for line in caught.value.message.split("\n"))
    # a TODO cannot stand before a name in quotes: its comment has the name
    settled = re.sub(r"# unsure: (.*?): neither.*\n( *- )TODO", lambda m: f"\n{m[2]}{json.dumps(m[1])}", text)
    (customer,) = decided(settled.replace("after: TODO", "after: telephone")).records.values()
    assert customer.table == "customers: all #1"
    written = {*customer.personal, *customer.not_personal}
    assert written == {"name", "e-mail: private", "telephone", *odd} - {"k\nl"} | {"k l"}


@SQLITE
def test_what_is_no_link_by_its_values_is_not_proposed_as_one(engine_url: str) -> None:
    strangers.demo(engine_url, foreign_keys=False)
    with strangers.engine_of(engine_url).begin() as connection:
        connection.exec_driver_sql("UPDATE calls SET customer_id = id + 100000")
    assert "calls" not in {r.table for r in proposed(engine_url).records if r.owner}


@SQLITE
@pytest.mark.parametrize(("lost", "sure"), [(2, "likely"), (3, "unsure")])
def test_a_guessed_link_is_sure_enough_while_95_percent_of_its_values_exist(
    engine_url: str, lost: int, sure: str
) -> None:
    strangers.demo(engine_url, foreign_keys=False)
    with strangers.engine_of(engine_url).begin() as connection:
        connection.exec_driver_sql(f"UPDATE calls SET customer_id = id + 100000 WHERE id <= {lost}")
    owner = record(proposed(engine_url), "call").owner
    assert owner is not None
    assert owner.sure == sure


@SQLITE
def test_a_date_of_the_end_that_is_hardly_ever_filled_is_for_a_person_to_judge(engine_url: str) -> None:
    strangers.demo(engine_url)
    with strangers.engine_of(engine_url).begin() as connection:
        connection.exec_driver_sql("UPDATE repairs SET completed_at = NULL WHERE id > 5")
    keep = record(proposed(engine_url), "repair").keep
    assert keep is not None
    assert keep.while_empty is not None
    assert keep.while_empty.open


@SQLITE
def test_triggers_of_a_table_are_put_before_a_person(engine_url: str) -> None:
    strangers.demo(engine_url)
    with strangers.engine_of(engine_url).begin() as connection:
        connection.exec_driver_sql("CREATE TRIGGER kept AFTER DELETE ON calls BEGIN SELECT 1; END")
    assert "      kept: TODO\n" in policy_text(proposed(engine_url))


@SQLITE
def test_a_key_that_nobody_declared_is_found_where_all_values_differ(engine_url: str) -> None:
    strangers.demo(engine_url)
    with strangers.engine_of(engine_url).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE notes (id INTEGER, call_id INTEGER NOT NULL, body TEXT)")
        connection.exec_driver_sql("INSERT INTO notes SELECT id, id, reason FROM calls")
    guess = record(proposed(engine_url), "note")
    assert [(key.value, key.open) for key in guess.key] == [("id", True)]
    assert guess.owner is not None
    assert guess.owner.value == "call"


@SQLITE
def test_a_table_is_looked_at_from_both_ends_and_no_further(engine_url: str) -> None:
    strangers.demo(engine_url)
    with strangers.engine_of(engine_url).begin() as connection:
        for n in range(1000, 1400):
            connection.execute(
                sa.text("INSERT INTO customers (id, name, address, email) VALUES (:n, 'a', 'b', :email)"),
                {"n": n, "email": f"late.{n}@example.org" if n >= 1300 else None},
            )
    email = next(g for g in record(proposed(engine_url), "customer").personal if g.value == "email")
    assert "100 % of 140 values" in email.reason  # 40 of the first hundred rows, and the last hundred


@SQLITE
def test_a_database_without_tables_or_without_people_is_said_to_be_so(engine_url: str) -> None:
    with pytest.raises(UsageError, match="no tables"):
        proposed(engine_url)
    with strangers.engine_of(engine_url).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE parts (id INTEGER PRIMARY KEY, weight INTEGER)")
    with pytest.raises(UsageError, match="seems to hold people"):
        proposed(engine_url)


def test_a_policy_that_is_there_is_never_overwritten(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("policy") / "policies" / "retention.yaml"
    write_policy(path, "first")
    with pytest.raises(UsageError, match="cannot be written"):
        write_policy(path, "second")
    assert path.read_text() == "first"
