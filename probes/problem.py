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
