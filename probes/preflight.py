"""Ask the clouds, before anything is created, whether an environment can be deployed."""

from concurrent.futures import ThreadPoolExecutor

from config.stack_config import StackConfig
from phalanx import environment as phalanx_environment
from phalanx import source
from phalanx.checkout import Checkout
from phalanx.errors import PhalanxError
from probes import openstack_preflight, vault_preflight
from probes.problem import Problem

WORKERS = 20
"""More than there are questions: all are asked at once."""


class Questions:
    """Asks OpenStack, the Phalanx repository and Vault side by side, and changes nothing.

    All is asked as soon as this is made, in threads: the caller may do something else before it wants the answers.

    Args:
        config: The stack configuration.
        stack: Name of the stack.
        preview: Whether nothing is to be changed, so that credentials which may only look are no more than a warning.
    """

    def __init__(self, config: StackConfig, stack: str, *, preview: bool = False) -> None:
        executor, settings = ThreadPoolExecutor(WORKERS), config.phalanx
        self._openstack = executor.submit(openstack_preflight.check, config, stack, executor)
        self._phalanx = executor.submit(source.locate, settings.repository, settings.revision, settings.environment)
        self._vault = executor.submit(self._ask_vault, config, stack, preview=preview)

    def phalanx(self) -> tuple[Checkout, phalanx_environment.Environment]:
        """Return the checkout, and what it says of the environment.

        Raises:
            PhalanxError: The repository or the environment is not as it should be.
        """
        return self._phalanx.result()

    def problems(self) -> list[Problem]:
        """Return all that is wrong, the fatal problems first; nothing if the environment can be deployed."""
        try:
            self.phalanx()
        except PhalanxError as error:
            found = [Problem(where="rsp:phalanx", what=problem) for problem in error.problems]
        else:
            found = self._vault.result()
        return sorted([*self._openstack.result(), *found], key=lambda problem: not problem.fatal)

    def _ask_vault(self, config: StackConfig, stack: str, *, preview: bool) -> list[Problem]:
        """The checkout says which Vault and which mount."""
        _, target = self.phalanx()
        address = config.vault.reached_at(target.vault_url)
        return list(vault_preflight.check(address, target, config.vault, stack, preview=preview))
