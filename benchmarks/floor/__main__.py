"""`python -m benchmarks.floor erase|count|year URL MOMENT`: rows and seconds as JSON. Loading Python does not count."""

import datetime as dt
import json
import sys
import time

from benchmarks import floor

action, url, as_of = sys.argv[1:]
started, worked = time.perf_counter(), time.process_time()
rows = {"erase": floor.erase, "count": floor.count, "year": floor.year}[action](
    url, dt.datetime.fromisoformat(as_of)
)
seconds, cpu = time.perf_counter() - started, time.process_time() - worked
print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu}))
