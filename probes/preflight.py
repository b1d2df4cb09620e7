"""Query the clouds, before anything is created, whether a stack can be deployed."""

from concurrent.futures import ThreadPoolExecutor

from config.stack_config import StackConfig
from phalanx import environment as phalanx_environment
from phalanx import source
from phalanx.checkout import Checkout
from phalanx.errors import PhalanxError
from probes import openstack_preflight, vault_preflight, vault_secrets
from probes.problem import Problem, of_phalanx

WORKERS = 20
"""Number of threads: more than there are queries, so that all run in parallel."""


class Queries:
    """Read-only queries to OpenStack, the Phalanx repository and Vault.

    They start with the creation of the object and run in parallel, in threads.

    Args:
        config: Stack configuration.
        stack: Name of the stack.
        preview: Whether nothing will be changed, so that read-only credentials cause only a warning.
    """

    def __init__(self, config: StackConfig, stack: str, *, preview: bool = False) -> None:
        executor, settings = ThreadPoolExecutor(WORKERS), config.phalanx
        self._openstack = executor.submit(openstack_preflight.check, config, stack, executor)
        self._phalanx = executor.submit(source.locate, settings.repository, settings.revision, settings.environment)
        self._vault = executor.submit(self._check_vault, config, stack, preview=preview)
        self._contents = executor.submit(self._read_vault, config)

    def phalanx(self) -> tuple[Checkout, phalanx_environment.Environment]:
        """Return the checkout and the environment's settings in it.

        Raises:
            PhalanxError: The repository cannot be read, or the environment is not valid.
        """
        return self._phalanx.result()

    def problems(self) -> list[Problem]:
        """Return all problems, fatal ones first; empty if the stack can be deployed."""
        try:
            self.phalanx()
        except PhalanxError as error:
            found = of_phalanx(error.problems)
        else:
            found = self._vault.result()
        return sorted([*self._openstack.result(), *found], key=lambda problem: not problem.fatal)

    def vault_contents(self) -> vault_secrets.Contents:
        """Return the environment's contents of Vault.

        Raises:
            PhalanxError: Vault cannot be reached or refuses the token, which is also one of the `problems`.
        """
        return self._contents.result()

    def _check_vault(self, config: StackConfig, stack: str, *, preview: bool) -> list[Problem]:
        _, environment = self.phalanx()
        address = config.vault.reached_at(environment.vault_url)
        return list(vault_preflight.check(address, environment, config.vault, stack, preview=preview))

    def _read_vault(self, config: StackConfig) -> vault_secrets.Contents:
        _, environment = self.phalanx()
        address = config.vault.reached_at(environment.vault_url)
        return vault_secrets.contents(address, environment, config.vault.approle)
