"""Check that the platform answers at its address, as soon as its load balancer is ready."""

from collections.abc import Sequence
from typing import Any

import pulumi

from config.stack_config import StackConfig
from phalanx.certificates import CertificateError
from phalanx.errors import PhalanxError
from probes import served_certificate
from probes.health import load_balancer
from probes.openstack_connection import LoginError, connect
from program.errors import user_errors
from program.hooks import in_thread
from program.waiting import last_answer
from wiring.ingress_service import INGRESS_NGINX

_PAUSE = 2
"""Seconds between two attempts."""


def require(config: StackConfig, host: str, address: pulumi.Output[str], ready: pulumi.Output[Any]) -> None:
    """Fail an update if nothing answers at the platform's address, although its load balancer is ready.

    Nothing is checked if ingress-nginx may be unhealthy.

    A load balancer can be ACTIVE although no traffic passes, for example because of the nodes' security groups: without
    health monitors, Octavia does not notice. Every run of `pulumi up` checks this, even without changes.

    Args:
        config: The stack configuration.
        host: Host name of the platform.
        address: Its floating IPv4 address.
        ready: An Output that resolves once the load balancer has the address.
    """
    awaited = INGRESS_NGINX not in config.applications.not_awaited
    if not config.ingress.answer_timeout or not awaited or pulumi.runtime.is_dry_run():
        return

    async def ask(known: Sequence[Any]) -> Any:
        with user_errors():
            return await in_thread(_ask, config, host, known[0])

    pulumi.Output.all(address, ready).apply(ask)


def _ask(config: StackConfig, host: str, address: str) -> None:
    seconds = config.ingress.answer_timeout
    failure = last_answer(lambda: _failure(host, address), lambda found: not found, patience=seconds, pause=_PAUSE)
    if failure:
        raise PhalanxError(
            f"{failure}, for {seconds} s after its load balancer was ready (rsp:ingress.answerTimeout): see "
            "docs/howto/on-call.md#the-platform-does-not-answer. If this machine cannot reach the platform, set "
            "rsp:ingress.answerTimeout to 0",
            *_load_balancer(config, address),
        )


def _failure(host: str, address: str) -> str:
    """Return why the platform does not answer; empty if it does."""
    try:
        served_certificate.fetch(host, (address, served_certificate.HTTPS))
    except CertificateError as error:
        return str(error)
    return ""


def _load_balancer(config: StackConfig, address: str) -> list[str]:
    try:
        return load_balancer.describe(connect(config.cloud), address)
    except LoginError as error:
        return [str(error)]
    except Exception as error:  # noqa: BLE001  # it must not hide that the platform does not answer
        return [f"the state of the load balancer could not be determined: {type(error).__name__}"]
