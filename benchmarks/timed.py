"""`python -m benchmarks.timed FOLDER ARGUMENTS...`: a gdpr command that says last how long its statements took."""

import json
import os
import sys

from benchmarks.profile import watched
from staffords_gdpr.cli.main import run

folder, *argv = sys.argv[1:]
os.chdir(folder)
with watched() as statements:
    code = run(argv)
print(json.dumps({"code": code, "statements": sum(each.seconds for each in statements.values())}))
