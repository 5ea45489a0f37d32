"""The Pulumi program that runs on the engine: one of the two, and at its end what its process needed."""

import atexit
import importlib
import json
import os
import time
from pathlib import Path

from workers import peak_memory

_START = time.perf_counter(), time.process_time()


def _write() -> None:
    sample = {
        "program": time.perf_counter() - _START[0],
        "CPU": time.process_time() - _START[1],
        "peak memory": peak_memory(),
    }
    Path(os.environ["EDGELIB_BENCH_SAMPLE"]).write_text(json.dumps(sample), encoding="utf-8")


atexit.register(_write)
importlib.import_module(f"programs.{os.environ['EDGELIB_BENCH_PROGRAM']}").site()
