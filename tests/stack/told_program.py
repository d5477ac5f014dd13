"""A program that prints what it was started with; `test_forked.py` starts it."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    words = sys.argv[1:]
    if "--wait" in words:
        print("begun", flush=True)
        time.sleep(600)
    told = {"argv": words, "folder": str(Path.cwd()), "told": sys.stdin.read(), "env": dict(os.environ)}
    print(json.dumps(told))
    print("error", file=sys.stderr)
    if "--fail" in words:
        raise ValueError("unwell")
    sys.exit("a sentence" if "--say" in words else 7)
