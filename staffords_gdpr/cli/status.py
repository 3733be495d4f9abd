"""`gdpr status`"""

from __future__ import annotations

from contextlib import nullcontext

from staffords_gdpr.cli import options, output
from staffords_gdpr.cli.clock import now
from staffords_gdpr.cli.opening import database as opened
from staffords_gdpr.cli.opening import log_of, read_settings


def status(
    format: options.Formatted = options.Format.TABLE,
    database: options.Database = None,
    policy: options.PolicyFile = None,
    home: options.HomeFolder = None,
) -> int:
    """Show how things stand: the last purge, what is due next, what waits for a person.

    Exits 3 when a purge is late or the next one is certain to refuse, for
    monitoring. Without a database it tells what policy and log tell.
    """
    settings = read_settings(database=database, policy=policy, home=home)
    from staffords_gdpr.operations.status import status as look
    from staffords_gdpr.policy import load_policy
    from staffords_gdpr.render import status as view

    rules = load_policy(settings.policy)
    log = log_of(settings)
    with opened(settings, write=False) if settings.database_url else nullcontext() as engine:
        result = look(rules, engine, log, now=now(), rehearsal=settings.rehearsal)
    output.show(format, page=lambda: view.page(result, rules), data=lambda: view.data(result))
    return result.exit_code
