"""Messages about a configuration that is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from config.loader import ConfigError
from tests.unit.sample import environment


def refusals(changes: dict[str, Any], sample: Callable[..., object] = environment) -> list[str]:
    """Return the messages about a sample with changes, such as `environment` or `vault_stack`."""
    with pytest.raises(ConfigError) as caught:
        sample(**changes)
    return str(caught.value).splitlines()
