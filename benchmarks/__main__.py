"""Run every benchmark: ``make bench``. The exit status tells whether all goals are met."""

import sys

from benchmarks import platform, preview, secrets

BENCHMARKS = (secrets.main, preview.main, platform.main)

if __name__ == "__main__":
    missed = [benchmark.__module__ for benchmark in BENCHMARKS if not benchmark()]
    sys.exit(f"Goal missed: {', '.join(missed)}" if missed else 0)
