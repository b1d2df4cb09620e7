"""The preflight of the sample configuration, with a fake project."""

import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from config.stack_config import StackConfig
from phalanx.claims import Claim
from probes import openstack_preflight
from probes.openstack_connection import connect_as_provider
from probes.problem import Problem
from tests.unit.sample import environment

SHARES: dict[str, Any] = {"nfs": None, "shares": {"jhome": {"size": 50}}}
"""Changes of the sample for shares instead of an NFS server."""


def check(settings: StackConfig | None = None, claims: Sequence[Claim] = (), *, preview: bool = False) -> list[Problem]:
    """Return the problems of a configuration, by default those of the sample, without what is said of each driver."""
    return [each for each in check_all(settings, claims, preview=preview) if not each.where.endswith(".driver")]


def check_all(
    settings: StackConfig | None = None, claims: Sequence[Claim] = (), *, preview: bool = False
) -> list[Problem]:
    """Return all problems, as `check` does."""
    with ThreadPoolExecutor(8) as pool:
        config = settings or environment()
        connect = functools.partial(connect_as_provider, config.cloud)
        return openstack_preflight.check(config, "test", connect, pool, preview=preview)(claims)


def only(problems: list[Problem]) -> str:
    """Return the message of the only problem."""
    assert len(problems) == 1, problems
    return str(problems[0])
