from typing import Any

import pytest

from phalanx import labs
from phalanx.application import Application
from phalanx.values import merge

FILE = "applications/nublado/values-test.yaml"
LAB = "controller.config.lab"


def size(name: str, **requests: Any) -> dict[str, Any]:
    return {"size": name, "resources": {"limits": {"cpu": 1.0, "memory": "4Gi"}, "requests": requests}}


def nublado(source: Any = None, **lab: Any) -> Application:
    defaults = {
        "sizes": [size("small"), size("large")],
        "defaultSize": "large",
        "homeVolumeName": "home",
        "volumes": [{"name": "home"}],
        "volumeMounts": [{"containerPath": "/home", "volumeName": "home"}],
    }
    images = {"source": {"type": "docker"} if source is None else source}
    values = {"controller": {"config": {"images": images, "lab": merge(defaults, lab)}}}
    return Application(name="nublado", values=values, files={FILE: values})


def test_the_labs_of_phalanx_are_accepted() -> None:
    requests = size("small", cpu=0.25, memory="4096Mi")
    assert [*labs.contradictions(nublado()), *labs.doubts(nublado(sizes=[requests]))] == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"defaultSize": "medium"}, f"{LAB}.defaultSize: is 'medium', expected one of sizes: small, large"),
        ({"sizes": [size("large"), size("large")]}, f"{LAB}.sizes: has 2 sizes large, expected each once"),
        (
            {"volumeMounts": [{"containerPath": "/data", "volumeName": "data"}]},
            f"{LAB}.volumeMounts[0].volumeName: is 'data', expected one of volumes: home",
        ),
        ({"homeVolumeName": "sdf-home"}, f"{LAB}.homeVolumeName: is 'sdf-home', expected one of volumes: home"),
        ({"source": {}}, "controller.config.images.source: is not set, expected the repository of the labs' images"),
    ],
)
def test_what_the_controller_refuses_is_reported(changes: dict[str, Any], expected: str) -> None:
    (problem,) = labs.contradictions(nublado(**changes))
    assert problem.startswith(f"{FILE}: {expected}")


def test_no_default_size_is_the_first_one() -> None:
    assert list(labs.contradictions(nublado(defaultSize=None))) == []


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (size("extra-large"), "[0].size: is 'extra-large', expected one of fine, diminutive, tiny"),
        (size("small", cpu=2), "[0].resources.requests.cpu: is 2, expected at most the limit, 1.0"),
        (size("small", memory="5G"), "[0].resources.requests.memory: is 5G, expected at most the limit, 4Gi"),
    ],
)
def test_sizes_that_no_user_gets_are_doubted(found: dict[str, Any], expected: str) -> None:
    (problem,) = labs.doubts(nublado(sizes=[found]))
    assert problem.startswith(f"{FILE}: {LAB}.sizes{expected}")


@pytest.mark.parametrize("lab", [None, [], {"sizes": 1, "volumes": [1], "volumeMounts": {}}])
def test_malformed_values_are_left_to_other_checks(lab: Any) -> None:
    values = {"controller": {"config": {"images": {"source": {"type": "docker"}}, "lab": lab}}}
    application = Application(name="nublado", values=values)
    assert [*labs.contradictions(application), *labs.doubts(application)] == []
