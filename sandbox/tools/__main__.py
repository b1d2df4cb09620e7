"""`python -m sandbox.tools [NAME...]` gets the tools and prints the directory that holds them."""

import sys

from sandbox.errors import SandboxError
from sandbox.tools.provision import ensure
from sandbox.tools.versions import TOOLS


def main(names: list[str]) -> int:
    """Get the named tools, or all of them; progress goes to standard error."""
    unknown = [name for name in names if name not in TOOLS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}. There are {', '.join(TOOLS)}.", file=sys.stderr)
        return 2
    try:
        print(ensure(names or TOOLS, report=lambda line: print(line, file=sys.stderr, flush=True)))
    except SandboxError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
