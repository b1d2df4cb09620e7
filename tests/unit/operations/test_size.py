import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from typer.testing import CliRunner, Result

from operations.__main__ import app
from phalanx.claims import Claim
from tests.unit.probes.fake_project import FakeProject
from tests.unit.sample import write_stack

FLAVORS = [
    {"ID": name, "Name": name, "RAM": ram, "Disk": 10, "Ephemeral": 0, "VCPUs": cores, "Is Public": True}
    for name, cores, ram in (("m1.small", 1, 2048), ("m1.medium", 2, 4096), ("m1.large", 4, 8192))
]


@pytest.fixture(autouse=True)
def _flavors(stack: Path) -> None:
    (stack / "flavors.json").write_text(json.dumps(FLAVORS))


def size(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["size", "-s", "test", *arguments])


def test_a_stack_file_is_enough_except_for_cores_and_memory() -> None:
    result = size("--json")
    assert result.exit_code == 0
    needed = {each["name"]: each["needed"] for each in json.loads(result.stdout)["resources"]}
    assert (needed["instances"], needed["cores"], needed["ram"]) == (8, None, None)
    assert {each["limit"] for each in json.loads(result.stdout)["resources"]} == {None}


def test_the_sizes_of_flavors_come_from_the_openstack_client() -> None:
    lines = size("--flavors", "flavors.json").stdout.splitlines()
    assert ["cores", "17", "clusters"] in [line.split() for line in lines]


def test_a_file_of_flavors_that_is_something_else() -> None:
    Path("flavors.json").write_text('{"Name": "m1.small"}')
    assert "write it with `openstack flavor list -f json > flavors.json`" in str(
        size("--flavors", "flavors.json").exception
    )


def test_the_cost_of_a_month_at_the_sites_prices() -> None:
    write_stack(clusters__cluster__workers__autoscaling={"minimum": 1, "maximum": 4})
    prices = {
        "currency": "GBP",
        "coreHour": 0.02,
        "ramGibHour": 0.01,
        "flavorHours": {"m1.large": 0.5},
        "volumeGibMonth": 0.1,
        "volumeTypeGibMonths": {"ceph-ssd": 0.2},
        "floatingIpMonth": 3,
        "loadBalancerMonth": 10,
    }
    Path("prices.yaml").write_text(yaml.safe_dump(prices))
    result = size("--flavors", "flavors.json", "--prices", "prices.yaml", "--json")
    costs = json.loads(result.stdout)["monthlyCost"]
    small, medium = 0.02 + 2 * 0.01, 2 * 0.02 + 4 * 0.01
    rest = {"volumes": 100 * 0.1 + 50 * 0.2, "floating IPs": 6, "load balancers": 20}
    for name, workers in (("initial", 2), ("maximum", 4)):
        servers = 730 * (small + (3 + workers) * medium + 0.5)
        assert costs[name].pop("currency") == "GBP"
        assert costs[name] == pytest.approx({"servers": servers, **rest, "total": servers + 46})
    assert "Cost of a month at the maximum size:" in size("--prices", "prices.yaml").stdout


def test_the_cost_of_servers_is_unknown_without_the_sizes_of_flavors() -> None:
    Path("prices.yaml").write_text("{currency: GBP, coreHour: 0.02, volumeGibMonth: 0.1}")
    lines = [line.split() for line in size("--prices", "prices.yaml").stdout.splitlines()]
    assert ["servers", "unknown", "GBP"] in lines
    assert ["volumes", "15.00", "GBP"] in lines
    assert ["total", "unknown", "GBP"] in lines


def test_shares_have_their_own_price() -> None:
    write_stack(shares={"scratch": {"size": 10}})
    Path("prices.yaml").write_text("{currency: GBP, shareGibMonth: 0.5}")
    assert ["shares", "5.00", "GBP"] in [line.split() for line in size("--prices", "prices.yaml").stdout.splitlines()]


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        ("{coreHour: 0.02}", "prices.yaml: currency: is required"),
        ("{currency: pounds}", "prices.yaml: currency: has 6 characters"),
        ("{currency: GBP, coreHour: -1}", "prices.yaml: coreHour: input should be greater than or equal to 0"),
        ("{currency: GBP, coreHour: '1'}", "prices.yaml: coreHour: input should be a valid number"),
        (
            "{currency: GBP, cores: 1}",
            "prices.yaml: cores: unknown key: expected one of currency, coreHour",
        ),
    ],
)
def test_prices_that_are_not_valid(prices: str, message: str) -> None:
    Path("prices.yaml").write_text(prices)
    assert str(size("--prices", "prices.yaml").exception).startswith(message)


def test_the_quotas_of_the_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    project = FakeProject()
    monkeypatch.setattr("openstack.connect", lambda **_: project)
    assert size("--cloud").exit_code == 0
    project.cores = 10
    result = size("--cloud")
    assert result.exit_code == 1
    assert ["cores", "16", "0", "10", "6", "clusters"] in [line.split() for line in result.stdout.splitlines()]
    assert result.stdout.endswith("openstack quota set --cores 16 project-id\n")
    project.volumes = [SimpleNamespace(name="rsp-test-nfs-data", size=100, metadata={})]
    assert "--cores 16" in size("--cloud").stdout


def test_claims_of_the_applications_are_counted_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def volumes(*arguments: str) -> int:
        resources = json.loads(size("--json", *arguments).stdout)["resources"]
        return next(int(each["needed"]) for each in resources if each["name"] == "volumes")

    claim = Claim(application="tap", namespace="tap", name="cache", storage_class="standard", size=8, count=2)
    monkeypatch.setattr("phalanx.source.locate", lambda *_: (None, None))
    monkeypatch.setattr("phalanx.source.load", lambda *_, **__: SimpleNamespace(claims=[claim]))
    assert volumes("--applications") == volumes() + 2
