"""`gdpr check`"""

from __future__ import annotations

from staffords_gdpr.cli import options, output
from staffords_gdpr.cli.opening import database as opened
from staffords_gdpr.cli.opening import read_moment, read_settings
from staffords_gdpr.cli.progress import reporter
from staffords_gdpr.errors import FindingsError


def check(
    as_of: options.AsOf = None,
    format: options.Formatted = options.Format.TABLE,
    database: options.Database = None,
    policy: options.PolicyFile = None,
    home: options.HomeFolder = None,
) -> int:
    """Hold the policy against the database: names, columns nobody has decided about, indexes.

    Prints what to paste into the policy, and how many rows each rule sees. Reads
    the database and writes nothing anywhere. Exits 3 where there are findings.
    """
    settings = read_settings(database=database, policy=policy, home=home)
    from staffords_gdpr.operations.check import check as examine
    from staffords_gdpr.policy import load_policy
    from staffords_gdpr.render import check as view

    rules = load_policy(settings.policy)
    with opened(settings, write=False) as engine, reporter() as progress:
        result = examine(rules, engine, as_of=read_moment(as_of, rules.zone), progress=progress)
    output.show(format, page=lambda: view.page(result, rules), data=lambda: view.data(result))
    return FindingsError.exit_code if result.findings else 0
