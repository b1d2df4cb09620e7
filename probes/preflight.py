"""Query OpenStack, Vault and the Phalanx repository to check whether a stack can be deployed."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from config.stack_config import StackConfig
from phalanx import environment as phalanx_environment
from phalanx import source
from phalanx.checkout import Checkout
from phalanx.claims import Claim
from phalanx.errors import PhalanxError
from probes import openstack_connection, openstack_preflight, vault_preflight, vault_secrets
from probes.problem import Problem, of_phalanx

WORKERS = 30
"""Number of threads: more than there are queries, so that all run in parallel."""


class Queries:
    """Read-only queries to OpenStack, the Phalanx repository and Vault.

    They start with the creation of the object and run in parallel, in threads.

    Args:
        config: Stack configuration.
        stack: Name of the stack.
        preview: Whether nothing will be changed, so that read-only credentials cause only a warning.
        commit: Commit of the Phalanx repository to read instead of the revision; empty to read the revision.
    """

    def __init__(self, config: StackConfig, stack: str, *, preview: bool = False, commit: str = "") -> None:
        # Not in a thread, where it would take until all imports of the program have ended, and the login with it.
        import openstack.connection  # noqa: F401

        self._config, self._executor = config, ThreadPoolExecutor(WORKERS)
        submit = self._executor.submit
        self._connection = submit(openstack_connection.connect_as_provider, config.cloud)
        connect = self._connection.result
        self._openstack = submit(openstack_preflight.check, config, stack, connect, self._executor, preview=preview)
        self._phalanx = submit(self._locate, commit)
        self._vault = submit(self._check_vault, stack, preview=preview)

    def phalanx(self) -> tuple[Checkout, phalanx_environment.Environment]:
        """Return the checkout and the environment's settings in it.

        Raises:
            PhalanxError: The repository cannot be read, or the environment is not valid.
        """
        return self._phalanx.result()

    def problems(self, claims: Sequence[Claim] = ()) -> list[Problem]:
        """Return all problems, fatal ones first; empty if the stack can be deployed.

        Args:
            claims: Claims of the applications' charts, as far as they are known.
        """
        try:
            self.phalanx()
        except PhalanxError as error:
            found = of_phalanx(error.problems)
        else:
            found = self._vault.result()
        return sorted([*self._openstack.result()(claims), *found], key=lambda problem: not problem.fatal)

    def location(self) -> openstack_connection.Location:
        """Return the OpenStack project and region.

        Raises:
            LoginError: The login fails, which is also one of the `problems`.
        """
        return openstack_connection.location(self._connection.result())

    def vault_url(self) -> str:
        """Return the URL of Vault as this program reaches it; errors as for `phalanx`."""
        _, environment = self.phalanx()
        return self._config.vault.reached_at(environment.vault_url)

    def read_vault(self) -> Future[vault_secrets.Contents]:
        """Begin to read the environment's secrets, which the checks do not need; errors as for `phalanx`.

        Returns:
            The environment's contents of Vault. Its error, a PhalanxError, is also one of the `problems`.
        """
        _, environment = self.phalanx()
        return self._executor.submit(vault_secrets.contents, self.vault_url(), environment, self._config.vault)

    def _locate(self, commit: str) -> tuple[Checkout, phalanx_environment.Environment]:
        settings = self._config.phalanx
        tree, environment = source.locate(
            settings.repository, commit or settings.revision, settings.environment, settings.git_credentials
        )
        # Applications that follow a branch still do.
        return (replace(tree, revision=settings.revision) if commit else tree), environment

    def _check_vault(self, stack: str, *, preview: bool) -> list[Problem]:
        _, environment = self.phalanx()
        settings = self._config.vault
        return list(vault_preflight.check(self.vault_url(), environment, settings, stack, preview=preview))
