"""Sizes, images and volumes of Nublado's labs.

Source of the rules: ``LabConfig`` in src/nublado/controller/config.py of https://github.com/lsst-sqre/nublado, whose
controller does not start otherwise, and ``LabSize`` in models/v1/lab.py.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from phalanx.application import Application
from phalanx.values import get

_CONFIG: Final = ("controller", "config")
_LAB: Final = (*_CONFIG, "lab")
_SIZES: Final = ("fine", "diminutive", "tiny", "small", "medium", "large", "huge", "gargantuan", "colossal")
"""Names of sizes, in ascending order."""

_QUANTITY: Final = re.compile(r"(\d+\.?\d*|\.\d+)([kKMGTP]?)(i?)")
_POWERS: Final = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}


def contradictions(nublado: Application) -> Iterator[str]:
    """Yield the reasons why Nublado's controller would not start, and no user would get a lab.

    Each starts with file and key.
    """
    sizes = [str(each.get("size")) for each in _mappings(nublado, "sizes")]
    default = get(nublado.values, (*_LAB, "defaultSize"))
    for size, count in Counter(sizes).items():
        if count > 1:
            yield f"{_where(nublado, 'sizes')}: has {count} sizes {size}, expected each once: remove or rename one"
    if default is not None and sizes and default not in sizes:
        yield (
            f"{_where(nublado, 'defaultSize')}: is {default!r}, expected one of sizes: {', '.join(sizes)}; null is the "
            "first of them"
        )
    volumes = {each.get("name") for each in _mappings(nublado, "volumes")}
    for position, mount in enumerate(_mappings(nublado, "volumeMounts")):
        if mount.get("volumeName") not in volumes:
            yield (
                f"{_where(nublado, 'volumeMounts')}[{position}].volumeName: is {mount.get('volumeName')!r}, expected "
                f"one of volumes: {', '.join(map(str, sorted(map(str, volumes)))) or 'none'}"
            )
    home = get(nublado.values, (*_LAB, "homeVolumeName"))
    if home and home not in volumes:
        yield (
            f"{_where(nublado, 'homeVolumeName')}: is {home!r}, expected one of volumes: "
            f"{', '.join(sorted(map(str, volumes))) or 'none'}: add the volume of the users' homes, or change its name"
        )
    images = get(nublado.values, (*_CONFIG, "images"))
    if isinstance(images, Mapping) and not get(images, ("source", "type")):
        keys = (*_CONFIG, "images", "source")
        yield (
            f"{nublado.file_of(*keys)}: {'.'.join(keys)}: is not set, expected the repository of the labs' images, for "
            "example {type: docker, registry: registry.hub.docker.com, repository: lsstsqre/sciplat-lab}"
        )


def doubts(nublado: Application) -> Iterator[str]:
    """Yield sizes that no user may get, as `contradictions`."""
    for position, size in enumerate(_mappings(nublado, "sizes")):
        where = f"{_where(nublado, 'sizes')}[{position}]"
        if size.get("size") not in _SIZES:
            yield f"{where}.size: is {size.get('size')!r}, expected one of {', '.join(_SIZES)}"
        limits, requests = (get(size, ("resources", each)) for each in ("limits", "requests"))
        for key in ("cpu", "memory") if isinstance(limits, Mapping) and isinstance(requests, Mapping) else ():
            limit, request = _amount(limits.get(key)), _amount(requests.get(key))
            if limit is not None and request is not None and request > limit:
                yield (
                    f"{where}.resources.requests.{key}: is {requests[key]}, expected at most the limit, {limits[key]}: "
                    "Kubernetes refuses the lab otherwise"
                )


def _mappings(nublado: Application, key: str) -> list[Mapping[str, Any]]:
    """Return the mappings in a list of the labs' values; other elements are malformed, as wiring reports."""
    found = get(nublado.values, (*_LAB, key))
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _where(nublado: Application, key: str) -> str:
    return f"{nublado.file_of(*_LAB, key)}: {'.'.join((*_LAB, key))}"


def _amount(value: Any) -> float | None:
    """Return a number of processors or bytes; None if it is neither a number nor one with a suffix."""
    match = _QUANTITY.fullmatch(str(value))
    if not match:
        return None
    number, prefix, binary = match.groups()
    return float(number) * float((1024 if binary else 1000) ** _POWERS[prefix])
