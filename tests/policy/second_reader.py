"""Reads a policy's YAML without the loader, for tests that hold one against the other."""

from __future__ import annotations

import re

import yaml


class Yaml(yaml.SafeLoader):
    """A second reader, which shares nothing with the loader: YAML 1.1 without its `on` and `no`."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in found if not tag.endswith((":bool", ":timestamp"))]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


Yaml.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("(true|false)$"), list("tf"))
