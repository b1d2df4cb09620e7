"""Simulates the latency of a real cloud, where clients depend on it: a filter for Magnum's API.

The API responds to a deletion before the conductor has set DELETE_IN_PROGRESS, and to a creation before the conductor
has created the default node groups, without which requests for the cluster fail with status 400. The OpenStack provider
polls the status without an initial delay; on loopback it would see these intermediate states and fail.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

REMOVAL = 0.5
CREATION = 2.0
"""Delays in seconds; a conductor's first creation takes longer than later ones."""

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def filter_factory(_global_conf: dict[str, str], **_local_conf: str) -> Callable[[Application], Application]:
    """Return the filter for paste.deploy."""

    def distant(application: Application) -> Application:
        def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            answered = application(environ, start_response)
            if environ["REQUEST_METHOD"] == "DELETE":
                time.sleep(REMOVAL)
            elif environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"].endswith("/clusters"):
                time.sleep(CREATION)
            return answered

        return answer

    return distant
