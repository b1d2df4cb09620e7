"""The sandbox's Vault: an empty OpenBao server, initialized and unsealed.

Secrets engines, auth methods, policies and secrets are up to the program, which uses the operator token. That token can
access the secrets of its environment only. The root token is in `init.json`, together with the unseal key and readable
by root only; only `up` uses it, to write the operator's policy and to issue an operator token.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sandbox import git, paths
from sandbox.errors import SandboxError
from sandbox.files import write_atomically
from sandbox.ports import LOOPBACK, Port
from sandbox.process import Process, wait_for

if TYPE_CHECKING:
    import hvac

_ADDRESS: Final = Port.VAULT.url
_CONFIG: Final = paths.ETC / "openbao.json"
_INIT: Final = paths.VAULT / "init.json"
_TOKEN: Final = paths.VAULT / "operator-token"
_RAFT: Final = paths.VAULT / "raft"

_PERIOD: Final = "768h"
"""Period of the operator token; each `up` renews it."""

_TIMEOUT: Final = 60  # seconds per request; initializing raft storage takes several

_OPERATOR: Final = "sandbox-operator"


def process() -> Process:
    """Return the server's process."""
    program = Path(sys.executable).parent / "bao"
    return Process(
        name="vault",
        argv=(str(program), "server", f"-config={_CONFIG}"),
        env={"HOME": "/nonexistent"},
        config=(_CONFIG,),
    )


def up() -> None:
    """Start the server, initialize and unseal it, and renew or issue the operator token, as far as required.

    Raises:
        SandboxError: The server does not start, or its unseal key is lost.
    """
    server = process()
    if not Path(server.argv[0]).exists():
        raise SandboxError(f"{server.argv[0]} is missing: run `make up`, which installs requirements-dev.txt")
    paths.VAULT.mkdir(parents=True, exist_ok=True)
    paths.VAULT.chmod(0o700)
    write_atomically(_CONFIG, json.dumps(configuration(), indent=2))
    _start(server)
    if _is_unrecoverable():
        server.stop()
        shutil.rmtree(_RAFT)
        _start(server)
    keys = _keys()
    client = _client(keys["root_token"])
    if client.sys.is_sealed():
        client.sys.submit_unseal_key(keys["unseal_key"])
    wait_for(ready, "OpenBao is unsealed and active", server)
    _update_operator(client)


def down() -> None:
    """Stop the server, which seals it; `up` unseals it."""
    process().stop()


def health() -> dict[str, Any] | None:
    """Return the response of `/sys/health` (initialized, sealed, standby, version); None if there is none."""
    import requests

    try:
        answer = _client().sys.read_health_status(method="GET", sealed_code=200, uninit_code=200, standby_code=200)
    except requests.exceptions.RequestException:
        return None
    return dict(answer)


def ready() -> bool:
    """Return whether the server is unsealed and accepts writes."""
    state = health()
    return bool(state and state["initialized"] and not state["sealed"] and not state["standby"])


def configuration() -> dict[str, Any]:
    """Return OpenBao's configuration; raft is the only persistent storage that needs no other server."""
    return {
        # The minimum: by default the only member waits several seconds for others before it becomes the leader.
        "storage": {"raft": {"path": str(_RAFT), "node_id": "sandbox", "performance_multiplier": 1}},
        "listener": {
            "tcp": {
                "address": f"{LOOPBACK}:{Port.VAULT.value}",
                "cluster_address": f"{LOOPBACK}:{Port.VAULT_CLUSTER.value}",
                "tls_disable": True,  # loopback only
            }
        },
        "api_addr": _ADDRESS,
        "cluster_addr": f"https://{LOOPBACK}:{Port.VAULT_CLUSTER.value}",
        "max_lease_ttl": "87600h",  # limits the write token, too
        "ui": False,
    }


def operator_policy() -> str:
    """Return the policy of the operator token, the same as in a real environment."""
    from config.loader import load_file
    from config.stack_config import StackConfig
    from phalanx import environment
    from probes import vault_policy

    settings = load_file(paths.CHECKOUT / "Pulumi.sandbox.yaml", StackConfig).vault
    return vault_policy.operator(environment.load(git.SOURCE, "sandbox"), settings, "sandbox")


def _client(token: str | None = None) -> "hvac.Client":
    import hvac

    # An empty token keeps hvac from reading VAULT_TOKEN or ~/.vault-token.
    return hvac.Client(url=_ADDRESS, token=token or "", timeout=_TIMEOUT)


def _start(server: Process) -> None:
    _RAFT.mkdir(exist_ok=True)
    server.start()
    wait_for(lambda: health() is not None, f"OpenBao answers at {_ADDRESS}", server)


def _is_unrecoverable() -> bool:
    """Return whether an earlier run was interrupted between initializing the server and storing its unseal key."""
    state = health()
    return bool(state and state["initialized"] and state["sealed"]) and not _INIT.exists()


def _keys() -> dict[str, str]:
    """Return the unseal key and the root token, initializing the server if necessary."""
    client = _client()
    if not client.sys.is_initialized():
        answer = client.sys.initialize(secret_shares=1, secret_threshold=1)
        keys = {"unseal_key": answer["keys_base64"][0], "root_token": answer["root_token"]}
        write_atomically(_INIT, json.dumps(keys), mode=0o600)
    try:
        return dict(json.loads(_INIT.read_text()))
    except (OSError, ValueError) as error:
        raise SandboxError(
            f"cannot read OpenBao's unseal key and root token from {_INIT} ({error}): restore the file, or start over "
            "with `python -m sandbox cloud reset`, which deletes all data of the sandbox"
        ) from error


def _update_operator(root: "hvac.Client") -> None:
    """Update the operator's policy, and renew its token or issue a new one."""
    root.sys.create_or_update_acl_policy(name=_OPERATOR, policy=operator_policy())
    if _TOKEN.exists() and _renew(_TOKEN.read_text().strip()):
        return
    answer = root.auth.token.create(
        policies=[_OPERATOR], display_name="operator", no_parent=True, period=_PERIOD, renewable=True
    )
    write_atomically(_TOKEN, answer["auth"]["client_token"], mode=0o600)


def _renew(token: str) -> bool:
    """Renew the operator token; return False if Vault does not accept it any more."""
    import hvac.exceptions

    try:
        _client(token).auth.token.renew_self()
    except (hvac.exceptions.Forbidden, hvac.exceptions.InvalidRequest):
        return False
    return True
