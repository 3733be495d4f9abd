"""What could be written in a place: the end of many a message."""

from __future__ import annotations

from staffords_gdpr.policy import kinds as la


def example(kind: la.Kind) -> str:
    """Return what could stand here, with <...> for names that only the writer knows."""
    match kind:
        case la.Text():
            return kind.example
        case la.Only():
            return str(kind.value)
        case la.PeriodText():
            return kind.example
        case la.Zone():
            return "Europe/London"
        case la.Percent():
            return "5 %"
        case la.OneOf():
            return kind.words[0]
        case la.Amount():
            return "6"
        case la.Sql():
            return "<expression>"
        case la.Test():
            return "{<column>: null}"
        case la.Flag():
            return "true"
        case la.Reference():
            return "call.received_at" if kind.dotted else "received_at"
        case la.Name():
            return f"<{kind.of}>"
        case la.Column():
            return f"<{kind.of}>"
        case la.ListOf():
            return f"[{example(kind.item)}]"
        case la.MapOf():
            return f"{{{example(kind.name)}: {example(kind.value)}}}"
        case la.Fields():
            keys = (f"{name}: {example(key.kind)}" for name, key in kind.keys.items() if key.required)
            return f"{{{', '.join(keys) or '...'}}}"
        case la.ByShape():
            return example(kind.plain)
        case la.Value():
            return "null"
