"""The distance between a client and a real cloud, where it matters: a filter of Magnum's API.

The API answers a removal before the conductor has written DELETE_IN_PROGRESS, and a creation before the conductor has
written the default node groups, without which it answers questions about the cluster with status 400. On loopback the
OpenStack provider asks for the status sooner than that and gives up: it does not wait before it asks.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

REMOVAL = 0.5
CREATION = 2.0
"""Seconds; the first creation takes a conductor longer than later ones."""

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def filter_factory(_global_conf: dict[str, str], **_local_conf: str) -> Callable[[Application], Application]:
    """The filter, as paste.deploy asks for it."""

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
