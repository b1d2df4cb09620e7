from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something outside this program that a person has to mend, or at least to know.

    Attributes:
        where: Key path of the configuration (``rsp:nfs.image``), or the service that it is about.
        what: What is wrong and the way to mend it, in one sentence or two; never a secret.
        fatal: False if the program can go on all the same.
    """

    where: str
    what: str
    fatal: bool = True

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.fatal else f"{self.where} (warning): {self.what}"
