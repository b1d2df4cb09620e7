"""Run all benchmarks: ``make bench``. The exit status is 1 if a goal is missed."""

import sys

from benchmarks import growth, platform, preview, secrets

BENCHMARKS = (secrets.main, preview.main, growth.main, platform.main)

if __name__ == "__main__":
    missed = [benchmark.__module__ for benchmark in BENCHMARKS if not benchmark()]
    sys.exit(f"Goal missed: {', '.join(missed)}" if missed else 0)
