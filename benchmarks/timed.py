"""`python -m benchmarks.timed FOLDER REPORT ARGUMENTS...`: a gdpr command; how long its statements took, in a file."""

import json
import os
import sys
from pathlib import Path

from benchmarks.profile import watched
from staffords_gdpr.cli.main import run

folder, report, *argv = sys.argv[1:]
os.chdir(folder)
with watched() as watch:
    code = run(argv)
said = {"code": code, "statements": watch.seconds}
Path(report).write_text(json.dumps(said))
