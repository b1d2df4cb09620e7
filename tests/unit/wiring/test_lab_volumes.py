from typing import Any

import pytest

from phalanx.application import Application
from wiring.lab_volumes import absent, problems, split

KEY = "controller.config.lab.volumes"
DATA = {"/data": "nfs.volumes.data"}
FILE = "applications/nublado/values-test.yaml"


def nublado(volumes: Any) -> Application:
    values = {"controller": {"config": {"lab": {"volumes": volumes}}}}
    return Application(name="nublado", values=values, files={"applications/nublado/values.yaml": {}, FILE: values})


def nfs(**source: Any) -> dict[str, Any]:
    return {"name": "a", "source": {"type": "nfs", "server": "192.0.2.1", **source}}


def test_labs_may_mount_an_export_or_a_directory_below_one() -> None:
    mounted = [nfs(serverPath="/data"), nfs(serverPath="/data/butler/rubin")]
    assert problems(nublado(mounted), {"/data": "nfs.volumes.data", "/jhome": "shares.jhome"}) == []


@pytest.mark.parametrize("volumes", [None, [], [{"source": {"type": "hostPath", "path": "/scratch"}}]])
def test_labs_need_no_volume_on_nfs(volumes: Any) -> None:
    assert problems(nublado(volumes), DATA) == []


@pytest.mark.parametrize(
    ("volume", "problem"),
    [
        (None, ": is null, expected a mapping, for example {name: data, source:"),
        ("data", ": is text, expected a mapping"),
        ({}, ".source: is missing, expected a mapping"),
        ({"source": None}, ".source: is null, expected a mapping"),
        ({"source": ["nfs"]}, ".source: is a list, expected a mapping"),
        ({"source": {}}, ".source.type: is missing, expected nfs, nfsPvc, hostPath or persistentVolumeClaim"),
        ({"source": {"type": 5}}, ".source.type: is a number, expected nfs"),
        (nfs(), ".source.serverPath: is missing, expected an exported path, for example /data"),
        (nfs(serverPath=None), ".source.serverPath: is null, expected an exported path"),
        (nfs(serverPath={"path": "/data"}), ".source.serverPath: is a mapping, expected an exported path"),
        (nfs(serverPath="data"), ".source.serverPath: 'data' is not an absolute path"),
        (nfs(serverPath="/data/../etc"), ".source.serverPath: '/data/../etc' is not an absolute path without '..'"),
        (
            nfs(serverPath="/scratch"),
            ".source.serverPath: /scratch is not exported: only /data is; add a volume",
        ),
        (nfs(serverPath="/database"), ".source.serverPath: /database is not exported"),
    ],
)
def test_a_malformed_volume_is_reported_with_file_and_key(volume: Any, problem: str) -> None:
    found = problems(nublado([nfs(serverPath="/data"), volume]), DATA)
    assert len(found) == 1
    assert found[0].startswith(f"{FILE}: {KEY}[1]{problem}")


def test_all_malformed_volumes_are_reported() -> None:
    assert len(problems(nublado([None, nfs(), nfs(serverPath="/data"), nfs(serverPath="/a")]), DATA)) == 3


def test_volumes_with_mount_options_are_on_nfs_too() -> None:
    other = {"source": {"type": "nfsPvc", "server": "192.0.2.1", "serverPath": "/scratch"}}
    (found,) = problems(nublado([other]), DATA)
    assert "/scratch is not exported" in found


def test_labs_cannot_mount_cephfs() -> None:
    (found,) = problems(nublado([nfs(serverPath="/fast/cache")]), DATA, {"/fast": "shares.fast"})
    assert "/fast/cache is in rsp:shares.fast, which is not exported by NFS: Nublado mounts NFS only" in found


def test_a_path_is_split_at_its_export() -> None:
    assert split("/data", DATA) == ("/data", "")
    assert split("/data/a/b", DATA) == ("/data", "/a/b")
    assert split("/database", DATA) is None


@pytest.mark.parametrize(
    ("path", "directories", "missing"),
    [
        ("/data", [], None),
        ("/data/", [], None),
        ("/data/butler/rubin", [], "butler/rubin"),
        ("/data/butler/rubin/", ["butler"], "butler/rubin"),
        ("/data/butler/rubin", ["butler/rubin-2"], "butler/rubin"),
        ("/data/butler/rubin", ["butler/rubin"], None),
        ("/data/butler", ["butler/rubin"], None),
        # Of a share of Manila, whose directories are not this program's.
        ("/homes/a", [], None),
    ],
)
def test_a_directory_that_nobody_creates_is_a_warning(path: str, directories: list[str], missing: str | None) -> None:
    application = nublado([{"source": {"type": "hostPath", "path": "/scratch"}}, nfs(serverPath=path)])
    found = list(absent(application, {"/data": directories}))
    if missing is None:
        assert found == []
        return
    (warning,) = found
    assert warning.startswith(f"{FILE}: {KEY}[1].source.serverPath: a new volume has no {path}, and no lab starts")
    assert f"add {missing} to rsp:nfs.volumes.data.directories" in warning


@pytest.mark.parametrize("volumes", [{"data": "/data"}, "data", 5, True])
def test_volumes_must_be_a_list(volumes: Any) -> None:
    (found,) = problems(nublado(volumes), DATA)
    assert found.startswith(f"{FILE}: {KEY}: is ")
    assert "expected a list of volumes" in found


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"controller": ["a"]}, "controller"),
        ({"controller": {"config": "a"}}, "controller.config"),
        ({"controller": {"config": {"lab": 5}}}, "controller.config.lab"),
    ],
)
def test_the_parents_of_the_volumes_must_be_mappings(values: dict[str, Any], key: str) -> None:
    application = Application(
        name="nublado", values=values, files={"applications/nublado/values.yaml": values, FILE: {}}
    )
    (found,) = problems(application, DATA)
    assert found.startswith(f"applications/nublado/values.yaml: {key}: is ")
    assert found.endswith("expected a mapping")
