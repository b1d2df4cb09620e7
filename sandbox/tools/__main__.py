"""`python -m sandbox.tools [NAME...]` installs tools and prints their directory."""

import sys

from sandbox.errors import SandboxError
from sandbox.tools.provision import ensure
from sandbox.tools.versions import LINTERS, TOOLS


def main(names: list[str]) -> int:
    """Install the named tools, or those of the sandbox, and return the exit status; progress goes to standard error."""
    known = {**TOOLS, **LINTERS}
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"error: unknown tools: {', '.join(unknown)}; available: {', '.join(known)}", file=sys.stderr)
        return 2
    try:
        print(ensure(names or TOOLS, report=lambda line: print(line, file=sys.stderr, flush=True)))
    except SandboxError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
