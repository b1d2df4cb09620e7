"""What commands work on: the configuration of a stack, its Phalanx environment and its applications."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from config.loader import ConfigError, load_checked
from config.phalanx import Phalanx
from config.stack_config import StackConfig
from phalanx import source
from phalanx.checkout import Checkout
from phalanx.documents import key_path
from phalanx.environment import Environment
from phalanx.source import PhalanxSource
from probes import vault_client
from recovery.pulumi_stack import PulumiStack
from wiring import requirements
from wiring.application_values import application_values

StackName = Annotated[str, typer.Option("--stack", "-s", help="Name of the stack")]
"""Option with the name of a stack."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack's configuration and Phalanx environment."""

    name: str
    """Name of the stack."""
    config: StackConfig
    checkout: Checkout
    environment: Environment
    """The Phalanx environment."""

    @property
    def vault(self) -> str:
        """URL of the stack's Vault, as this program reaches it."""
        return self.config.vault.reached_at(self.environment.vault_url)


def configuration(name: str) -> StackConfig:
    """Read the configuration of a stack, as `checked_configuration`, but without warnings."""
    config, _ = checked_configuration(name)
    return config


def checked_configuration(name: str) -> tuple[StackConfig, list[str]]:
    """Read the configuration of a stack, with the credentials of a private Phalanx repository.

    The Pulumi CLI decrypts these credentials with the stack's passphrase or key; all other secrets remain sealed.

    Args:
        name: Name of the stack.

    Returns:
        The configuration, and a warning for each secret in plain text in the stack's file.

    Raises:
        ConfigError: The stack's file is missing or not valid.
        PulumiError: The credentials cannot be decrypted.
    """
    config, plain_secrets = load_checked(Path(f"Pulumi.{name}.yaml"), StackConfig)
    if not config.phalanx.sealed:
        return config, plain_secrets
    text = PulumiStack(name).configured("rsp:phalanx")
    try:
        phalanx = Phalanx.model_validate_json(text, strict=True, by_name=False, by_alias=True)
    except ValidationError as error:
        # Without the original error, as its values may be secret.
        reasons = ", ".join(f"{key_path(each['loc'])}: {each['msg']}" for each in error.errors(include_input=False))
        raise ConfigError(f"rsp:phalanx: is not valid once decrypted: {reasons}") from None
    return config.model_copy(update={"phalanx": phalanx}), plain_secrets


def load(name: str) -> Stack:
    """Read the configuration of a stack, and its Phalanx environment.

    Args:
        name: Name of the stack.

    Raises:
        ConfigError: The stack's file is missing or not valid.
        PhalanxError: The Phalanx repository or its environment cannot be read or is not valid.
    """
    config = configuration(name)
    phalanx = config.phalanx
    tree, found = source.locate(phalanx.repository, phalanx.revision, phalanx.environment, phalanx.git_credentials)
    return Stack(name=name, config=config, checkout=tree, environment=found)


def applications(stack: Stack) -> PhalanxSource:
    """Load the applications of a stack with their charts and secrets, by the rules of `pulumi up`.

    Raises:
        PhalanxError: An application or a chart is not valid, or requires something that the stack does not provide.
    """
    config = stack.config
    return source.load(
        stack.checkout,
        stack.environment,
        application_values(config),
        requirements.checker(config, vault_client.namespace()),
        revisions=config.applications.revisions,
        bootstrap=False,
        kubernetes=config.kubernetes_versions,
    )
