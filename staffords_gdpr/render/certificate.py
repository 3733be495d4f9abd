"""The certificate of an audit and the report of a review, as Markdown. Both are hashed into the log."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

    from staffords_gdpr.operations.audit.findings import AuditFindings
    from staffords_gdpr.operations.review import ReviewReport


def certificate(findings: AuditFindings) -> bytes:
    """The certificate of an audit: Markdown in UTF-8, the same bytes for the same findings."""
    return _render("certificate.md.jinja2", audit=findings)


def review_report(report: ReviewReport) -> bytes:
    """The report of a review: Markdown in UTF-8, the same bytes for the same review."""
    return _render("review.md.jinja2", report=report, review=report.material)


def _render(template: str, **values: object) -> bytes:
    return _environment().get_template(template).render(**values).encode()


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - heavy

    environment = Environment(
        loader=PackageLoader("staffords_gdpr.render"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters.update(text=_text, quoted=_quoted, moment=_moment, number=_number)
    return environment


def _text(value: object) -> str:
    """One line in which nothing is read as markup, also in the cell of a table."""
    line = " ".join(str(value).split())
    for sign in ("\\", "|", "*", "_", "`", "<", "[", "#"):
        line = line.replace(sign, "\\" + sign)
    return line


def _quoted(value: object) -> str:
    """Free text as a block quote: its lines cannot pass for lines of the report."""
    return "\n".join(f"> {line}".rstrip() for line in str(value).splitlines())


def _moment(value: dt.datetime) -> str:
    return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _number(value: int) -> str:
    return f"{value:,}"
