from collections.abc import Iterator
from contextlib import contextmanager

import pulumi

from components.facts import FactError
from components.manifests import ManifestError
from config.loader import ConfigError
from phalanx.errors import PhalanxError


@contextmanager
def told_plainly() -> Iterator[None]:
    """Let Pulumi print what a person has to mend as it is, without a traceback.

    Raises:
        pulumi.RunError: With the message of an error that somebody can mend; any other error passes through.
    """
    try:
        yield
    except (ConfigError, FactError, ManifestError, PhalanxError) as error:
        raise pulumi.RunError(str(error)) from None
