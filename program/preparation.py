"""Load and check all inputs of the components before the first resource is registered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi

from config.applications import SyncMode, WiringMode
from config.stack_config import StackConfig
from phalanx import pins
from phalanx import source as phalanx_source
from phalanx.certificates import Certificate
from phalanx.claims import Claim
from phalanx.errors import PhalanxError
from phalanx.secret_inputs import SecretInputs
from phalanx.source import PhalanxSource
from probes import certificate_preflight, vault_client
from probes.openstack_connection import Location
from probes.preflight import Queries
from probes.problem import Problem, of_phalanx
from probes.vault_secrets import Contents
from program import address_switch, deployed, first_installation, secret_change_log, secret_gathering
from program.deployed import Deployed
from program.errors import raise_if_fatal
from wiring import claimed_volumes, requirements, trust, verification
from wiring.application_values import application_values
from wiring.claimed_volumes import ClaimedVolume


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What the arguments of the components are made from, loaded and checked."""

    config: StackConfig
    """Stack configuration."""
    source: PhalanxSource
    """The Phalanx environment."""
    vault_url: str
    """URL of Vault as this program reaches it."""
    in_vault: Contents
    """Contents of Vault."""
    secrets: SecretInputs
    """Secrets of the applications."""
    certificate: Certificate | None
    """The platform's TLS certificate; None if it is not known yet."""
    location: Location
    """The OpenStack project and region."""
    claimed: Mapping[str, Sequence[ClaimedVolume]]
    """Volumes that exist already and their claims, by cluster."""
    deployed: Deployed
    """What the last complete run has deployed."""


def prepare(config: StackConfig, queries: Queries) -> Prepared:
    """Load the Phalanx environment and the contents of Vault, and check that the stack can be deployed.

    Args:
        config: Stack configuration.
        queries: Queries to OpenStack, the Phalanx repository and Vault, which may still be running.

    Raises:
        pulumi.RunError: The Phalanx repository is not valid, an application requires something that the infrastructure
            does not provide, or the preflight checks found fatal problems; the message lists all of them.
        PhalanxError: The configured secrets or the contents of Vault are not valid.
    """
    claims: Sequence[Claim] = ()
    try:
        contents = queries.read_vault()  # while the charts are rendered
        source = phalanx_source.load(
            *queries.phalanx(),
            application_values(config),
            requirements.checker(config, vault_client.namespace()),
            revisions=config.applications.revisions,
            kubernetes=config.kubernetes_versions,
        )
        claims = source.claims
        claimed = claimed_volumes.find(config, claims)
        source = trust.trusted(source, config)
        source = pins.pin(source, [name for name in source.applications if _follows(config, name)])
    except PhalanxError as error:
        # Together with those of OpenStack and Vault; both contain an error of the checkout itself.
        raise_if_fatal(dict.fromkeys([*of_phalanx(error.problems), *queries.problems(claims)]))
        raise
    warnings = [*source.warnings, *requirements.warnings(config, source.applications)]
    raise_if_fatal(_enforced([*queries.problems(claims), *of_phalanx(warnings, fatal=False)], config))
    for message in verification.unknown_applications(config, source.environment):
        pulumi.warn(message)
    in_vault = contents.result()
    secrets = secret_gathering.gather(config, source, in_vault.secrets)
    secret_change_log.log(secrets, source.environment.vault_path_prefix, pulumi.get_stack())
    served, problems = certificate_preflight.inspect(source.environment, secrets.static, secrets.existing)
    raise_if_fatal(problems)
    before = deployed.read()
    raise_if_fatal(_enforced(list(address_switch.problems(config, before)), config))
    if config.applications.wiring is WiringMode.VERIFY:
        first_installation.report(source.applications, before)
    return Prepared(
        config=config,
        source=source,
        vault_url=queries.vault_url(),
        in_vault=in_vault,
        secrets=secrets,
        certificate=served,
        location=queries.location(),
        claimed=claimed,
        deployed=before,
    )


def _follows(config: StackConfig, application: str) -> bool:
    """Return whether an application follows a branch."""
    return config.applications.sync_of(application) is SyncMode.AUTOMATIC


def _enforced(problems: Sequence[Problem], config: StackConfig) -> Sequence[Problem]:
    """Return the problems, as warnings if ``enforcePreflight`` is false."""
    if config.enforce_preflight or not any(problem.fatal for problem in problems):
        return problems
    pulumi.warn("rsp:enforcePreflight is false: the following problems do not stop the deployment")
    return [replace(problem, fatal=False) for problem in problems]
