"""Verify the value in the Phalanx repository that only an update knows: the platform's floating IP."""

from collections.abc import Mapping
from typing import Any

import pulumi

from config.stack_config import StackConfig
from phalanx.application import Application
from phalanx.errors import PhalanxError
from program.errors import user_errors
from wiring import verification
from wiring.facts import Facts
from wiring.ingress_service import INGRESS_NGINX
from wiring.verification import Special


def checks(
    config: StackConfig, applications: Mapping[str, Application], facts: Facts[pulumi.Input[str]]
) -> Mapping[str, pulumi.Output[Any]]:
    """Return an Output for each application that fails if a fact differs from the value in the repository.

    A preview that does not know the fact yet warns. The update that creates the address then stops before the
    application.

    Args:
        config: The stack configuration.
        applications: The applications of the environment.
        facts: Facts of the infrastructure.
    """
    if INGRESS_NGINX not in applications:
        return {}
    concerned = {INGRESS_NGINX: applications[INGRESS_NGINX]}

    def verify(address: Any) -> None:
        if not isinstance(address, str):
            for each in verification.differences(config, concerned, Special.UNKNOWN):
                if each.expected is Special.UNKNOWN:
                    pulumi.warn(f"{each}; if it differs, the update stops before {each.application}")
        elif problems := verification.problems(config, concerned, address):
            with user_errors():
                raise PhalanxError(*problems)

    address = pulumi.Output.from_input(facts.ingress_address)
    return {INGRESS_NGINX: address.apply(verify, run_with_unknowns=True)}
