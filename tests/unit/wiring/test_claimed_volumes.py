"""Volumes that exist already are given to claims of the environment's charts."""

from typing import Any

import pytest

from config.loader import ConfigError
from phalanx.claims import Claim
from phalanx.errors import PhalanxError
from tests.unit.sample import environment, environment_data
from wiring import claimed_volumes
from wiring.claimed_volumes import ClaimedVolume

ID = "6a3c6ab7-3f5b-4d0a-9e34-9c6f5b1f6f0e"
OTHER = "0f9a1c52-7d1e-4b62-8a55-3f1f0c6f7a11"
POSTGRES = Claim(application="postgres", namespace="postgres", name="physpvc", storage_class="standard", size=8)
REDIS = Claim(
    application="gafaelfawr",
    namespace="gafaelfawr",
    name="data-redis",
    storage_class=None,
    size=1,
    count=2,
    template=True,
)


def find(wanted: dict[str, str], *claims: Claim, **changes: Any) -> list[ClaimedVolume]:
    config = environment(clusters__cluster__claims=wanted, **changes)
    return claimed_volumes.find(config, claims)["cluster"]


def test_class_and_size_are_those_that_the_claim_requests() -> None:
    settings = environment().applications
    classes = {settings.database_storage_class: {"volumeType": "hdd"}, "fast": {"volumeType": "ssd", "default": True}}
    wanted = {"postgres/physpvc": ID, "gafaelfawr/data-redis-1": OTHER}
    found = find(wanted, POSTGRES, REDIS, applications__storageClasses=classes)
    assert [(each.claim, each.application, each.volume, each.storage_class, each.size) for each in found] == [
        # The class of postgres is a fact, which overrides that of the chart.
        ("postgres/physpvc", "postgres", ID, settings.database_storage_class, 8),
        ("gafaelfawr/data-redis-1", "gafaelfawr", OTHER, "fast", 1),
    ]


def test_each_cluster_has_its_own() -> None:
    data = environment(clusters__cluster__claims={"postgres/physpvc": ID}).model_dump(by_alias=True, mode="json")
    green = {**data["clusters"]["cluster"], "claims": {"postgres/physpvc": OTHER}}
    config = environment(clusters={**data["clusters"], "green": green}, activeCluster="cluster")
    found = claimed_volumes.find(config, [POSTGRES])
    assert {name: [each.volume for each in volumes] for name, volumes in found.items()} == {
        "cluster": [ID],
        "green": [OTHER],
    }


def test_two_clusters_cannot_use_the_same_volume() -> None:
    cluster = {**environment_data()["clusters"]["cluster"], "claims": {"postgres/physpvc": ID}}
    with pytest.raises(ConfigError, match=rf"green\.claims\[\"postgres/physpvc\"\]: {ID} is also the volume of"):
        environment(clusters={"cluster": cluster, "green": cluster}, activeCluster="cluster")


def test_two_claims_of_a_cluster_cannot_get_the_same_volume() -> None:
    with pytest.raises(ConfigError, match=f"{ID} is also the volume of clusters.cluster.claims.postgres/physpvc"):
        environment(clusters__cluster__claims={"postgres/physpvc": ID, "gafaelfawr/data-redis-0": ID})


def test_a_claim_that_no_chart_declares_is_refused() -> None:
    with pytest.raises(PhalanxError) as caught:
        find({"postgres/physpv": ID, "gafaelfawr/data-redis-2": OTHER}, POSTGRES, REDIS)
    one, two = caught.value.problems
    assert one.startswith(
        "rsp:clusters.cluster.claims.postgres/physpv: no enabled application declares this claim with a chart in the "
        "repository; did you mean postgres/physpvc?; expected one of gafaelfawr/data-redis-0, gafaelfawr/data-redis-1, "
        "postgres/physpvc. Remove the key, whose PersistentVolume remains. "
    )
    assert two.startswith("rsp:clusters.cluster.claims.gafaelfawr/data-redis-2: ")


def test_a_claim_without_a_known_class_or_size_is_refused() -> None:
    unknown = Claim(application="tap", namespace="tap", name="data", storage_class="ceph-hdd", size=None)
    with pytest.raises(PhalanxError) as caught:
        find(
            {"gafaelfawr/data-redis-0": ID, "tap/data": OTHER},
            REDIS,
            unknown,
        )
    one, two = caught.value.problems
    assert "gafaelfawr/data-redis-0: the chart of gafaelfawr does not set the claim's StorageClass" in one
    assert "tap/data: the chart of tap does not set the claim's size" in two
