"""The resource types that the engine knows, by package; a package's SDK is imported when its first resource comes."""

import importlib
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.engine.adapters.base import Adapter
from sandbox.engine.errors import EngineError, ResourceError
from sandbox.engine.values import Properties

# The SDKs share it. Its warnings are about its own pools and retries; what fails reaches us as an exception.
logging.getLogger("urllib3").setLevel(logging.ERROR)

PROVIDER_PREFIX: Final = "pulumi:providers:"

Function = Callable[[Any, Properties], Properties]
"""A provider function (`getNetwork`): client and arguments to result."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """All that serves one package of resource types.

    Attributes:
        provider: The package's provider resource; its inputs configure the client.
        connect: Makes the client from the provider's inputs.
        resources: The adapters of its types.
        functions: Its provider functions by token.
        explain: Tells what an exception of the package's SDK means; None for one that it does not know. A
            ResourceError says that the service refused, any other EngineError that the outcome is not known.
    """

    name: str
    provider: Adapter[None]
    connect: Callable[[Properties], Any]
    resources: tuple[Adapter[Any], ...]
    functions: Mapping[str, Function] = field(default_factory=dict)
    explain: Callable[[Exception], EngineError | None] = lambda _error: None

    def adapter(self, token: str) -> Adapter[Any] | None:
        """The adapter of a type token."""
        return next((each for each in self.resources if each.kind == token), None)


class Registry:
    """Finds what serves a type token.

    Args:
        packages: Where each package's `PACKAGE` is: a module, imported at the first use, or the package itself.
    """

    def __init__(self, packages: Mapping[str, str | Package]) -> None:
        self._packages = dict(packages)
        self._lock = threading.Lock()

    def package(self, name: str) -> Package:
        """The package of that name.

        Raises:
            ResourceError: There is none.
        """
        with self._lock:
            found = self._packages.get(name)
            if isinstance(found, str):
                found = importlib.import_module(found).PACKAGE
                self._packages[name] = found
        if not isinstance(found, Package):
            raise ResourceError(
                f"no adapter serves the package {name!r}; known are {', '.join(sorted(self._packages))}"
            )
        return found

    def adapter(self, token: str) -> Adapter[Any]:
        """The adapter of a type token.

        Raises:
            ResourceError: No adapter knows the type.
        """
        if token.startswith(PROVIDER_PREFIX):
            return self.package(token.removeprefix(PROVIDER_PREFIX)).provider
        package = self.package(token.partition(":")[0])
        if found := package.adapter(token):
            return found
        known = ", ".join(sorted(each.kind.rpartition(":")[2] for each in package.resources))
        raise ResourceError(
            f"the sandbox's engine has no adapter for the type {token}; of {package.name} it knows {known}. "
            "Where the Pulumi CLI is on PATH, the same command runs the real engine"
        )

    def function(self, token: str) -> Function:
        """A provider function.

        Raises:
            ResourceError: It is unknown.
        """
        package = self.package(token.partition(":")[0])
        if found := package.functions.get(token):
            return found
        raise ResourceError(
            f"the sandbox's engine does not know the function {token}; of {package.name} it knows "
            f"{', '.join(sorted(package.functions)) or 'none'}"
        )


def standard() -> Registry:
    """The types of which the program is made."""
    here = __name__
    return Registry(
        {
            "pulumi": f"{here}.builtin",
            "openstack": f"{here}.openstack",
            "kubernetes": f"{here}.kubernetes",
            "vault": f"{here}.vault",
        }
    )
