"""What goes wrong in a way that the person at the terminal can mend."""


class SandboxError(Exception):
    """A fault told in one message that names its place and the way to mend it, never shown as a traceback."""
