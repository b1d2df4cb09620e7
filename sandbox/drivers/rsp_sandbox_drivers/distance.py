"""The distance between a client and a real cloud, where it matters: a filter of Magnum's API.

The API answers a removal before the conductor has written DELETE_IN_PROGRESS. On loopback the OpenStack provider asks
for the status sooner than that, finds the old one and gives up: it does not wait before it asks.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

SECONDS = 0.5

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def filter_factory(_global_conf: dict[str, str], **_local_conf: str) -> Callable[[Application], Application]:
    """The filter, as paste.deploy asks for it."""

    def distant(application: Application) -> Application:
        def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            answered = application(environ, start_response)
            if environ["REQUEST_METHOD"] == "DELETE":
                time.sleep(SECONDS)
            return answered

        return answer

    return distant
