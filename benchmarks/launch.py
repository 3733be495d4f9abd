"""Start a process, wait for it, and write what it took: `python launch.py REPORT ARGUMENTS...`.

A process of its own, and a small one: Linux counts the memory of whoever starts a process to that process's peak.
"""

import json
import os
import subprocess
import sys
import time

report, *argv = sys.argv[1:]
started = time.perf_counter()
process = subprocess.Popen(argv)
_, status, usage = os.wait4(process.pid, 0)
seconds = time.perf_counter() - started
process.returncode = code = os.waitstatus_to_exitcode(status)
took = {
    "seconds": seconds,
    "cpu": usage.ru_utime + usage.ru_stime,
    "peak": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    "code": code,
}
with open(report, "w") as file:
    json.dump(took, file)
