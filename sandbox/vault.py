"""The sandbox's Vault: an OpenBao server from its wheel, initialised, unsealed, and empty.

Secret engines, auth methods, policies and secrets are the program's business. It works with the operator token, which
may manage those of its environment and nothing else. The root token stays in `init.json`, readable by root only, beside
the unseal key; it is used by `up` alone, to write the operator's policy and to issue a new operator token when the old
one has expired.
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
"""How long the operator token lives when nobody renews it; each `up` renews it."""

_TIMEOUT: Final = 60  # seconds for one request; initialising a raft cluster of one takes several

_OPERATOR: Final = "sandbox-operator"


def process() -> Process:
    """The server's process."""
    program = Path(sys.executable).parent / "bao"
    return Process(
        name="vault",
        argv=(str(program), "server", f"-config={_CONFIG}"),
        env={"HOME": "/nonexistent"},
        config=(_CONFIG,),
    )


def up() -> None:
    """Start the server, initialise and unseal it where that is still to be done, and see to the operator token.

    May be called at any time: it repairs what is missing and leaves the rest alone.

    Raises:
        SandboxError: The server does not start, or its keys are lost.
    """
    server = process()
    if not Path(server.argv[0]).exists():
        raise SandboxError(f"{server.argv[0]} is missing: run `make up`, which installs requirements-dev.txt")
    paths.VAULT.mkdir(parents=True, exist_ok=True)
    paths.VAULT.chmod(0o700)
    write_atomically(_CONFIG, json.dumps(configuration(), indent=2))
    _start(server)
    if _is_beyond_help():
        server.stop()
        shutil.rmtree(_RAFT)
        _start(server)
    keys = _keys()
    client = _client(keys["root_token"])
    if client.sys.is_sealed():
        client.sys.submit_unseal_key(keys["unseal_key"])
    wait_for(ready, "OpenBao is still sealed or not the leader of its cluster of one", server)
    _see_to_operator(client)


def down() -> None:
    """Stop the server; it comes back sealed, and `up` unseals it."""
    process().stop()


def health() -> dict[str, Any] | None:
    """What `/sys/health` says (initialized, sealed, standby, version); None while nothing answers."""
    import requests  # noqa: PLC0415 - hvac's transport, as slow to import as hvac

    try:
        answer = _client().sys.read_health_status(method="GET", sealed_code=200, uninit_code=200, standby_code=200)
    except requests.exceptions.RequestException:
        return None
    return dict(answer)


def ready() -> bool:
    """Whether the server is there, unsealed and able to write."""
    state = health()
    return bool(state and state["initialized"] and not state["sealed"] and not state["standby"])


def configuration() -> dict[str, Any]:
    """OpenBao's configuration; raft is the only storage that needs no other server."""
    return {
        # The smallest multiplier: without it the only member waits several seconds for others before it leads.
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
        "max_lease_ttl": "87600h",  # the write token can be renewed for so long
        "ui": False,
    }


def operator_policy() -> str:
    """What the program may do: the very policy that a real environment's operator has."""
    from config.loader import load_file  # noqa: PLC0415 - see _client
    from phalanx import environment  # noqa: PLC0415
    from probes import vault_policy  # noqa: PLC0415

    settings = load_file(paths.CHECKOUT / "Pulumi.sandbox.yaml").vault
    return vault_policy.operator(environment.load(git.SOURCE, "sandbox"), settings, "sandbox")


def _client(token: str | None = None) -> "hvac.Client":
    import hvac  # noqa: PLC0415 - slow to import, and most of those who import this module only want to start a process

    # An empty token keeps hvac from looking for one in the caller's environment and home.
    return hvac.Client(url=_ADDRESS, token=token or "", timeout=_TIMEOUT)


def _start(server: Process) -> None:
    _RAFT.mkdir(exist_ok=True)
    server.start()
    wait_for(lambda: health() is not None, f"OpenBao does not answer at {_ADDRESS}", server)


def _is_beyond_help() -> bool:
    """Whether it is sealed for ever: an earlier run ended between initialising it and keeping its unseal key."""
    state = health()
    return bool(state and state["initialized"] and state["sealed"]) and not _INIT.exists()


def _keys() -> dict[str, str]:
    """The unseal key and the root token, from `init.json` or, the first time, from initialising the server."""
    client = _client()
    if not client.sys.is_initialized():
        answer = client.sys.initialize(secret_shares=1, secret_threshold=1)
        keys = {"unseal_key": answer["keys_base64"][0], "root_token": answer["root_token"]}
        write_atomically(_INIT, json.dumps(keys), mode=0o600)
    try:
        return dict(json.loads(_INIT.read_text()))
    except (OSError, ValueError) as error:
        raise SandboxError(
            f"OpenBao runs, but {_INIT} with its unseal key and root token cannot be read ({error}): put it back, or "
            "start anew with `python -m sandbox cloud reset`, which removes all of the sandbox's data"
        ) from error


def _see_to_operator(root: "hvac.Client") -> None:
    """Bring the operator's policy up to date and keep its token alive, or issue a new one."""
    root.sys.create_or_update_acl_policy(name=_OPERATOR, policy=operator_policy())
    if _TOKEN.exists() and _renew(_TOKEN.read_text().strip()):
        return
    answer = root.auth.token.create(
        policies=[_OPERATOR], display_name="operator", no_parent=True, period=_PERIOD, renewable=True
    )
    write_atomically(_TOKEN, answer["auth"]["client_token"], mode=0o600)


def _renew(token: str) -> bool:
    """Renew the operator token; False where Vault no longer knows it."""
    import hvac.exceptions  # noqa: PLC0415 - see _client

    try:
        _client(token).auth.token.renew_self()
    except (hvac.exceptions.Forbidden, hvac.exceptions.InvalidRequest):
        return False
    return True
