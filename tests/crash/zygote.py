"""A process that has imported everything, and from which commands are forked: a `gdpr` that starts in milliseconds.

Reads one request a line from standard input and answers each in one line, both JSON:

    {"start": [ARGUMENT, …], …}   forks a process that is `gdpr ARGUMENT …` to its end; answers {"process": PID}
    {"wait": PID}                 answers {"status": what waitpid said, "out": text, "err": text, "steps": text}, the
                                  first alone where the process has only stopped

Meant to be run with the shim in LD_PRELOAD; see shim.py for who talks to it.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import pkgutil
import resource
import signal
import sys
from typing import Any

import staffords_gdpr
from staffords_gdpr.cli import main

OUTPUTS = ("out", "err", "steps")


def import_all() -> None:
    for module in pkgutil.walk_packages(staffords_gdpr.__path__, "staffords_gdpr."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("psycopg.types.string", "pymysql.converters", "sqlalchemy.dialects.sqlite.pysqlite"):
        importlib.import_module(name)
    for name in ("sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.mysql.pymysql", "rich.table"):
        importlib.import_module(name)


def give_up_capabilities() -> None:
    """Be bound by the permissions of files, also as root. https://man7.org/linux/man-pages/man2/capset.2.html"""
    version_3_of_this_process, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(version_3_of_this_process, none):
        raise OSError(ctypes.get_errno(), "capset")


def become_the_command(request: dict[str, Any], outputs: list[int]) -> None:
    """Does not return."""
    code = 70
    try:
        for place, handle in enumerate(outputs[:2], start=1):
            os.dup2(handle, place)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(request["folder"])
        os.environ.update(request["environ"])
        if request.get("largest_file"):
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (request["largest_file"], resource.RLIM_INFINITY))
        if request.get("powerless"):
            give_up_capabilities()
        sys.argv = ["gdpr", *request["start"]]
        if shim := request.get("shim"):
            words = [shim[name].encode() for name in ("calls", "place", "text", "since")]
            arm = ctypes.CDLL(None).shim_arm
            arm(*words, shim["action"], ctypes.c_long(shim["n"]), shim["error"], outputs[2])
        code = main.main()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def serve() -> None:
    outputs: dict[int, list[int]] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "start" in request:
            made = [os.memfd_create(name) for name in OUTPUTS]
            child = os.fork()
            if child == 0:
                become_the_command(request, made)
            outputs[child] = made
            answer: dict[str, object] = {"process": child}
        else:
            _, status = os.waitpid(request["wait"], os.WUNTRACED)
            answer = {"status": status}
            if os.WIFSTOPPED(status):
                reply(answer)
                continue
            for name, handle in zip(OUTPUTS, outputs.pop(request["wait"]), strict=True):
                with os.fdopen(handle, "rb") as stream:
                    stream.seek(0)
                    answer[name] = stream.read().decode(errors="replace")
        reply(answer)


def reply(answer: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    import_all()
    gc.collect()
    gc.freeze()  # or every child would copy all of it when it looks for garbage
    serve()
