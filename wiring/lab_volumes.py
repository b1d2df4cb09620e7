"""Volumes of Nublado's labs (``controller.config.lab.volumes`` in applications/nublado/values.yaml of Phalanx)."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from phalanx.application import Application
from phalanx.documents import kind
from phalanx.values import get

_KEYS = ("controller", "config", "lab", "volumes")
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
    return [volume["source"] for volume in found if volume["source"].get("type") == "nfs"]


def problems(nublado: Application, exports: Sequence[str]) -> list[str]:
    """Report volumes that are malformed, or that the NFS server will not export.

    Args:
        nublado: The application.
        exports: Absolute paths that are exported.

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
        if (problem := _problem(volume, exports))
    ]


def _problem(volume: Any, exports: Sequence[str]) -> str | None:
    if not isinstance(volume, Mapping):
        return f": is {kind(volume)}, expected a mapping, {_EXAMPLE}"
    source = volume.get("source")
    if not isinstance(source, Mapping):
        return f".source: is {_found(volume, 'source')}, expected a mapping, {_EXAMPLE}"
    if not isinstance(source.get("type"), str):
        return f".source.type: is {_found(source, 'type')}, expected nfs, hostPath or persistentVolumeClaim"
    return _nfs_problem(source, exports) if source["type"] == "nfs" else None


def _nfs_problem(source: Mapping[str, Any], exports: Sequence[str]) -> str | None:
    path = source.get("serverPath")
    if not isinstance(path, str):
        return f".source.serverPath: is {_found(source, 'serverPath')}, expected an exported path, for example /data"
    parts = PurePosixPath(path)
    if not parts.is_absolute() or ".." in parts.parts:
        return f".source.serverPath: {path!r} is not an absolute path without '..', for example /data"
    if not any(parts.is_relative_to(export) for export in exports):
        return (
            f".source.serverPath: {path} is not exported: the NFS server exports only {', '.join(exports)}; add a "
            "volume to rsp:nfs.volumes, or change the path"
        )
    return None


def _found(parent: Mapping[str, Any], key: str) -> str:
    return kind(parent[key]) if key in parent else "missing"
