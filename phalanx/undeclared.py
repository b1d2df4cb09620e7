"""Keys of secrets that applications read, but that no secrets.yaml declares.

Phalanx does not check that the keys which pods read are declared, and some are not, such as the S3 keys of tap. A pod
does not start while a key is missing.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable

from phalanx.resource_uses import Uses
from phalanx.secrets import PULL_SECRET, SecretKey


def find(
    applications: Iterable[Uses], vault_path_prefix: str, declared: Collection[SecretKey]
) -> dict[SecretKey, tuple[str, ...]]:
    """Find the undeclared keys and their readers.

    Optional keys (``optional: true``) and the pull secret are left out.

    Args:
        applications: Uses by all applications of an environment, as applications of a namespace share its Secrets.
        vault_path_prefix: Mount and path of the environment's secrets.
        declared: Planned keys, for example a `phalanx.secrets.Plan`.

    Returns:
        Readers (``<application>: <kind>/<name>``) by key, in alphabetical order.
    """
    found = reads(applications, vault_path_prefix)
    return {key: readers for key, readers in sorted(found.items()) if key not in declared and key != PULL_SECRET}


def reads(applications: Iterable[Uses], vault_path_prefix: str) -> dict[SecretKey, tuple[str, ...]]:
    """Find all keys that applications read from Vault, and their readers; arguments and result as for `find`."""
    applications = list(applications)
    readers: defaultdict[SecretKey, set[str]] = defaultdict(set)
    secrets: dict[tuple[str, str], str] = {}
    """Application whose secret in Vault has the same keys as a Secret, by the Secret's namespace and name."""
    for each in (each for application in applications for each in application.vault_secrets):
        prefix, _, owner = each.path.rpartition("/")
        if prefix == vault_path_prefix:
            if not each.renamed:
                secrets[each.namespace, each.name] = owner
            for key in each.keys:
                readers[SecretKey(owner, key)].add(each.reader)
    for reference in (reference for application in applications for reference in application.references):
        application = secrets.get((reference.namespace, reference.secret))
        if application:
            readers[SecretKey(application, reference.key)].add(reference.reader)
    return {key: tuple(sorted(names)) for key, names in sorted(readers.items())}


def unfilled(
    applications: Iterable[Uses], vault_path_prefix: str, declared: Collection[SecretKey]
) -> dict[str, tuple[str, ...]]:
    """Find the secrets in Vault that VaultSecrets read although no value of them is planned.

    vault-secrets-operator creates no Secret from a secret that Vault does not have.

    Args:
        applications: Uses by all applications of an environment.
        vault_path_prefix: Mount and path of the environment's secrets.
        declared: Planned keys, for example a `phalanx.secrets.Plan`.

    Returns:
        Pods (``<application>: <kind>/<name>``) that do not start without the Secret, by the secret's name in Vault.
    """
    applications = list(applications)
    planned = {key.application for key in (*declared, *reads(applications, vault_path_prefix), PULL_SECRET)}
    found: dict[str, set[str]] = {}
    for each in (each for application in applications for each in application.vault_secrets):
        prefix, _, owner = each.path.rpartition("/")
        if prefix == vault_path_prefix and owner not in planned:
            found.setdefault(owner, set()).update(
                mount.reader
                for application in applications
                for mount in application.mounts
                if (mount.namespace, mount.secret) == (each.namespace, each.name)
            )
    return {owner: tuple(sorted(readers)) for owner, readers in sorted(found.items())}
