"""Volumes of Nublado's labs (``controller.config.lab.volumes`` in applications/nublado/values.yaml of Phalanx)."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from phalanx.application import Application
from phalanx.documents import kind
from phalanx.values import get

_KEYS = ("controller", "config", "lab", "volumes")
_NFS = ("nfs", "nfsPvc")
"""Types of sources on NFS: mounted by the kubelet, or by a PersistentVolume with mount options that Nublado creates."""
_EXAMPLE = "for example {name: data, source: {type: nfs, server: 192.0.2.1, serverPath: /data}}"


def volumes(nublado: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the volumes of the labs.

    Args:
        nublado: Merged Helm values of nublado.
    """
    found = get(nublado, _KEYS)
    return found if isinstance(found, list) else []


def nfs_sources(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the sources of those volumes that are on NFS."""
    return [volume["source"] for volume in found if volume["source"].get("type") in _NFS]


def split(path: str, exports: Iterable[str]) -> tuple[str, str] | None:
    """Return the export that a path is in, and the rest of the path (``/below`` or empty); None if it is in none."""
    export = next((each for each in exports if PurePosixPath(path).is_relative_to(each)), None)
    return (export, path.removeprefix(export)) if export else None


def problems(nublado: Application, exports: Mapping[str, str], elsewhere: Mapping[str, str] | None = None) -> list[str]:
    """Report volumes that are malformed, or that are not exported by NFS.

    Args:
        nublado: The application.
        exports: Configuration keys of the exports by absolute path.
        elsewhere: Configuration keys by absolute path of what labs cannot mount, as it has another protocol.

    Returns:
        One message per problem, which starts with file and key.
    """
    for depth in range(1, len(_KEYS)):
        keys = _KEYS[:depth]
        parent = get(nublado.values, keys)
        if parent is not None and not isinstance(parent, Mapping):
            return [f"{nublado.file_of(*keys)}: {'.'.join(keys)}: is {kind(parent)}, expected a mapping"]
    where = f"{nublado.file_of(*_KEYS)}: {'.'.join(_KEYS)}"
    found = get(nublado.values, _KEYS)
    if found is not None and not isinstance(found, list):
        return [f"{where}: is {kind(found)}, expected a list of volumes, {_EXAMPLE}"]
    return [
        f"{where}[{position}]{problem}"
        for position, volume in enumerate(found or [])
        if (problem := _problem(volume, exports, elsewhere or {}))
    ]


def absent(nublado: Application, directories: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Yield a warning for each directory that labs mount, but that the NFS server does not create.

    The kubelet mounts all volumes of type ``nfs`` before it starts a pod, so that no lab starts without them.

    Args:
        nublado: The application, without `problems`.
        directories: Directories that the server creates, relative to their export, by path of the export.
    """
    for position, volume in enumerate(volumes(nublado.values)):
        for source in nfs_sources([volume]):
            if (found := split(source["serverPath"], directories)) is None:
                continue
            export, rest = found
            wanted = PurePosixPath(rest.strip("/"))
            if not wanted.parts or any(PurePosixPath(each).is_relative_to(wanted) for each in directories[export]):
                continue
            yield (
                f"{nublado.file_of(*_KEYS)}: {'.'.join(_KEYS)}[{position}].source.serverPath: a new volume has no "
                f"{source['serverPath']}, and no lab starts without it: add {wanted} to rsp:nfs.volumes."
                f"{export.strip('/')}.directories, which changes nothing if it exists, or create it "
                "(docs/howto/fill-an-export.md)"
            )


def _problem(volume: Any, exports: Mapping[str, str], elsewhere: Mapping[str, str]) -> str | None:
    if not isinstance(volume, Mapping):
        return f": is {kind(volume)}, expected a mapping, {_EXAMPLE}"
    source = volume.get("source")
    if not isinstance(source, Mapping):
        return f".source: is {_found(volume, 'source')}, expected a mapping, {_EXAMPLE}"
    if not isinstance(source.get("type"), str):
        return f".source.type: is {_found(source, 'type')}, expected nfs, nfsPvc, hostPath or persistentVolumeClaim"
    return _nfs_problem(source, exports, elsewhere) if source["type"] in _NFS else None


def _nfs_problem(source: Mapping[str, Any], exports: Mapping[str, str], elsewhere: Mapping[str, str]) -> str | None:
    path = source.get("serverPath")
    if not isinstance(path, str):
        return f".source.serverPath: is {_found(source, 'serverPath')}, expected an exported path, for example /data"
    parts = PurePosixPath(path)
    if not parts.is_absolute() or ".." in parts.parts:
        return f".source.serverPath: {path!r} is not an absolute path without '..', for example /data"
    if split(path, exports):
        return None
    if found := split(path, elsewhere):
        return (
            f".source.serverPath: {path} is in rsp:{elsewhere[found[0]]}, which is not exported by NFS: Nublado mounts "
            "NFS only; set its protocol to NFS, or mount it on the nodes and use the type hostPath"
        )
    return (
        f".source.serverPath: {path} is not exported: only {', '.join(exports) or 'nothing'} is; add a volume to "
        "rsp:nfs.volumes or a share to rsp:shares, or change the path"
    )


def _found(parent: Mapping[str, Any], key: str) -> str:
    return kind(parent[key]) if key in parent else "missing"
