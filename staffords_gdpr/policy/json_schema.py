"""The JSON Schema of the policy language, for editors that complete and check while a person types.

It says what `language` says, and no more: what only the whole policy shows (an owner that is not there, a
circle) is left to the loader.
"""

from __future__ import annotations

from typing import Any

from staffords_gdpr.policy import kinds as la
from staffords_gdpr.policy import language

Schema = dict[str, Any]

_NAME = r"^[^\s\d.\-][^\s.]*$"
_PERIOD = r"^\s*0*[1-9][0-9]*\s+(day|week|month|year)s?\s*$"
_PERCENT = r"^[0-9]{1,3}(\.[0-9]{1,4})?\s*%$"
_FILLED = r"^\S(.*\S)?$"


def json_schema() -> Schema:
    """Return the schema as plain data; docs/policy.schema.json is this, as JSON."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Data protection policy",
        **_schema(language.POLICY),
        "$defs": {name: _schema(kind) for name, kind in language.SHARED.items()},
    }


def _schema(kind: la.Kind) -> Schema:
    match kind:
        case la.Fields():
            return _fields(kind)
        case la.Test():
            columns: Schema = {"$ref": "#/$defs/condition"}
            return {"anyOf": [_schema(language.EXPRESSION), columns]} if kind.hatch else columns
        case la.MapOf():
            names: Schema = {"propertyNames": {"pattern": _NAME}} if isinstance(kind.name, la.Name) else {}
            least: Schema = {} if kind.empty else {"minProperties": 1}
            return {"type": "object", "additionalProperties": _schema(kind.value), **names, **least}
        case la.ListOf():
            many = {"type": "array", "items": _schema(kind.item), "uniqueItems": True}
            many |= {} if kind.empty else {"minItems": 1}
            return {"anyOf": [_schema(kind.item), many]} if kind.alone else many
        case la.ByShape():
            shapes = [_schema(shape) for shape in (kind.plain, kind.listing, kind.mapping) if shape]
            return {"anyOf": [*shapes, {"type": "null"}] if kind.nothing else shapes}
        case _:
            return _scalar(kind)


def _fields(kind: la.Fields) -> Schema:
    required = [name for name, key in kind.keys.items() if key.required and not key.unless]
    either = [
        {"anyOf": [{"required": [name]}, {"required": [key.unless]}]}
        for name, key in kind.keys.items()
        if key.unless
    ]
    return {
        "type": "object",
        "properties": {
            name: {"description": key.says, **_schema(key.kind)} for name, key in kind.keys.items()
        },
        "additionalProperties": False,
        **({"required": required} if required else {}),
        **({"allOf": either} if either else {}),
        **({"minProperties": 1, "maxProperties": 1} if kind.one else {}),
    }


def _scalar(kind: la.Kind) -> Schema:
    match kind:
        case la.Only():
            return {"const": kind.value}
        case la.OneOf():
            return {"enum": list(kind.words)}
        case la.Amount():
            return {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": _FILLED}]}
        case la.Sql():
            return {"type": "string", "pattern": r"\S"}
        case la.Flag():
            return {"type": "boolean"}
        case la.Value():
            return {"type": ["string", "number", "boolean", "null"]}
        case la.PeriodText():
            return {"type": "string", "pattern": _PERIOD, "examples": [kind.example]}
        case la.Percent():
            return {"type": "string", "pattern": _PERCENT, "examples": ["5 %"]}
        case la.Name():
            return {"type": "string", "pattern": _NAME}
        case la.Reference(dotted=True):
            return {"type": "string", "pattern": r"^[^.]+\..+$", "examples": ["call.received_at"]}
        case la.Zone():
            return {"type": "string", "pattern": _FILLED, "examples": ["Europe/London"]}
        case _:
            return {"type": "string", "pattern": _FILLED}
