"""`python -m benchmarks.floor erase|count|year|promised URL MOMENT [HOME]`: rows and seconds as JSON. Loading Python
does not count. HOME: where the log is that `promised` writes to.
"""

import datetime as dt
import json
import sys
import time
from pathlib import Path

from benchmarks import floor
from benchmarks.floor import promised

action, url, as_of, *home = sys.argv[1:]
started, worked = time.perf_counter(), time.process_time()
work = {"erase": floor.erase, "count": floor.count, "year": floor.year}
now = dt.datetime.fromisoformat(as_of)
rows = promised.erase(url, now, Path(*home)) if action == "promised" else work[action](url, now)
seconds, cpu = time.perf_counter() - started, time.process_time() - worked
print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu}))
