"""Quoting of values in the files of a server; for shells see `shlex.quote`, for JSON and HCL `json.dumps`."""

import re

_PLAIN = re.compile(r"[A-Za-z0-9._/:=@+,-]")


def octal(text: str) -> str:
    r"""Return a field of fstab(5) or exports(5) with special characters as octal numbers (``\040``)."""
    return "".join(
        each if _PLAIN.fullmatch(each) else "".join(f"\\{byte:03o}" for byte in each.encode()) for each in text
    )


def systemd_path(text: str) -> str:
    r"""Return a path in a list of a unit file (systemd.syntax(7)): ``\x20`` for a space, ``%%`` for ``%``."""
    return "".join(
        "%%" if each == "%" else each if _PLAIN.fullmatch(each) else "".join(f"\\x{byte:02x}" for byte in each.encode())
        for each in text
    )


def udev_value(text: str) -> str:
    """Return a value of a udev rule, in quotes.

    Raises:
        ValueError: The text has a character that is special in a pattern or in quotes, which udev(7) cannot escape.
    """
    if not re.fullmatch(r"[A-Za-z0-9._/-]*", text):
        raise ValueError("a udev rule may contain letters, digits, dots, slashes, hyphens and underscores only")
    return f'"{text}"'


def tmpfiles_path(text: str) -> str:
    """Return a path of tmpfiles.d(5), in quotes.

    Raises:
        ValueError: The text has a character that may be special there, such as a quote, a backslash or a percent sign.
    """
    if not re.fullmatch(r"(/[A-Za-z0-9._-]+)+", text):
        raise ValueError(
            "a path in tmpfiles.d may contain letters, digits, dots, slashes, hyphens and underscores only"
        )
    return f'"{text}"'
