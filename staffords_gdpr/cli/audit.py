"""`gdpr audit`"""

from __future__ import annotations

from staffords_gdpr.cli import options, output
from staffords_gdpr.cli.clock import now
from staffords_gdpr.cli.opening import database as opened
from staffords_gdpr.cli.opening import log_of, read_moment, read_settings
from staffords_gdpr.cli.progress import reporter
from staffords_gdpr.errors import FindingsError


def audit(
    as_of: options.AsOf = None,
    format: options.Formatted = options.Format.TABLE,
    database: options.Database = None,
    policy: options.PolicyFile = None,
    home: options.HomeFolder = None,
) -> int:
    """Find out whether the purge did its work, and write a certificate for two people to sign.

    Changes nothing in the database. Exits 3 where the verdict is "fail". With
    --as-of it is a rehearsal, which writes neither certificate nor log.
    """
    settings = read_settings(database=database, policy=policy, home=home)
    from staffords_gdpr.operations.audit import audit as examine
    from staffords_gdpr.policy import load_policy
    from staffords_gdpr.render import audit as view
    from staffords_gdpr.render.certificate import certificate

    rules = load_policy(settings.policy)
    log = log_of(settings)
    with opened(settings, write=False) as engine, reporter() as progress:
        result = examine(
            rules,
            engine,
            log,
            now=now(),
            write_report=certificate,
            as_of=None if as_of is None else read_moment(as_of, rules.zone),
            progress=progress,
        )
    output.show(format, page=lambda: view.page(result), data=lambda: view.data(result))
    return 0 if result.verdict == "pass" else FindingsError.exit_code
