from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A problem outside this program that the operator has to fix, or should know about.

    Attributes:
        where: Key path in the configuration (``rsp:nfs.image``), or the service.
        what: Description and fix, without secrets.
        fatal: Whether it prevents the deployment; otherwise it is a warning.
    """

    where: str
    what: str
    fatal: bool = True

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.fatal else f"{self.where} (warning): {self.what}"


def of_phalanx(messages: Iterable[str], *, fatal: bool = True) -> list[Problem]:
    """Return the problems of a Phalanx environment, whose messages start with a file or a key path.

    Args:
        messages: Those of a `phalanx.errors.PhalanxError`, or the warnings of a `phalanx.source.PhalanxSource`.
        fatal: Whether they prevent the deployment.
    """
    parts = [message.partition(": ") for message in messages]
    return [
        Problem(where=where, what=what, fatal=fatal) if what else Problem(where="rsp:phalanx", what=where, fatal=fatal)
        for where, _, what in parts
    ]
