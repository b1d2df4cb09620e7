"""Expected errors."""


class SandboxError(Exception):
    """An error that the user can fix; its message names the cause and the fix, and is shown without a traceback."""
