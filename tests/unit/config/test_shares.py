from typing import Any

import pytest

from config.loader import ConfigError
from config.shares import exported
from tests.unit.sample import environment

SHARE = {"size": 10, "type": "cephfs-nfs"}


def refusal(**changes: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        environment(**changes)
    return str(caught.value)


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
    assert "rsp:nfs: is required unless rsp:shares has an entry" in refusal(**nothing)


def test_a_name_is_either_a_volume_or_a_share() -> None:
    assert "rsp:shares.jhome: nfs.volumes has the same name, so that /jhome is ambiguous" in refusal(
        shares={"jhome": SHARE}
    )


def test_the_repository_cannot_have_the_location_of_a_share() -> None:
    assert "rsp:applications.wiring: verify requires server and path of each share" in refusal(
        shares={"scratch": SHARE}, applications__wiring="verify"
    )
    environment(shares={"scratch": {**SHARE, "protocol": "CEPHFS"}}, applications__wiring="verify")


@pytest.mark.parametrize(
    ("share", "message"),
    [
        ({"size": 0}, "rsp:shares.a.size: must be at least 1"),
        ({"protocol": "CIFS"}, "rsp:shares.a.protocol: "),
        ({"protocol": "CEPHFS", "clients": ["192.0.2.9/32"]}, "rsp:shares.a: clients are for protocol NFS"),
        ({"clients": ["192.0.2.9/32", "192.0.2.9/32"]}, "rsp:shares.a: clients repeats 192.0.2.9/32: remove"),
        ({"clients": ["192.0.2.9/24"]}, "the network of this address is 192.0.2.0/24"),
    ],
)
def test_a_share_that_manila_would_refuse(share: dict[str, Any], message: str) -> None:
    assert message in refusal(shares={"a": {**SHARE, **share}})
