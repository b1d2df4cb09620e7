from typing import Any

import pytest

from config.shares import exported
from tests.unit.config.refusals import refusals
from tests.unit.sample import environment

SHARE = {"size": 10, "type": "cephfs-nfs"}


def test_shares_may_take_the_place_of_the_nfs_server() -> None:
    config = environment(nfs=None, shares={"jhome": SHARE, "fast": {"size": 1, "protocol": "CEPHFS"}})
    assert config.nfs is None
    assert exported(config.nfs, config.shares) == {"/jhome": "shares.jhome"}


def test_shares_may_be_beside_the_nfs_server() -> None:
    config = environment(shares={"scratch": SHARE})
    assert exported(config.nfs, config.shares) == {
        "/data": "nfs.volumes.data",
        "/jhome": "nfs.volumes.jhome",
        "/scratch": "shares.scratch",
    }


@pytest.mark.parametrize("nothing", [{"nfs": None}, {"nfs": {}}, {"nfs": {}, "shares": {}}])
def test_directories_need_a_place(nothing: dict[str, Any]) -> None:
    (line,) = refusals(nothing)
    assert "rsp:nfs: is required unless rsp:shares has an entry" in line


def test_a_name_is_either_a_volume_or_a_share() -> None:
    (line,) = refusals({"shares": {"jhome": SHARE}})
    assert "rsp:shares.jhome: nfs.volumes has the same name, so /jhome is ambiguous" in line


def test_the_repository_cannot_have_the_location_of_a_share() -> None:
    (line,) = refusals({"shares": {"scratch": SHARE}, "applications__wiring": "verify"})
    assert "rsp:applications.wiring: verify requires server and path of each share" in line
    environment(shares={"scratch": {**SHARE, "protocol": "CEPHFS"}}, applications__wiring="verify")
