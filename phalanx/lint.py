"""Settings of an environment that Helm and Kubernetes accept, but that do not have the intended effect."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from phalanx import argocd_access, charts, environment_schema, host_names, labs, sign_in, tap_services
from phalanx.application import Application
from phalanx.documents import read_mapping, read_optional_mapping
from phalanx.environment import Environment, nearest
from phalanx.values import get, merge

_WORD = re.compile(r"[\w-]+")
_WHOLE = r"((toYaml|toJson|range)\b[^}}]*\.Values\.?{0}|\.Values\.?{0} *\|)(?![\w.-])"
"""Use of a mapping as a whole in a template, with the path of its keys to be filled in."""
_NO_TEMPLATE = re.compile(r"(values|secrets).*\.yaml|Chart\.(yaml|lock)|.*\.(md|tgz)")
"""Names of files of a chart that read no values."""

_OPENSTACK_ANNOTATIONS: Final = frozenset(
    {
        *("connection-limit", "default-tls-container-ref", "enable-health-monitor", "flavor-id", "floating-network-id"),
        *("floating-subnet", "floating-subnet-id", "floating-subnet-tags", "health-monitor-delay", "keep-floatingip"),
        *(
            "health-monitor-max-retries",
            "health-monitor-max-retries-down",
            "health-monitor-timeout",
            "load-balancer-id",
        ),
        *("member-subnet-id", "port-id", "proxy-protocol", "subnet-id", "timeout-client-data", "timeout-member-data"),
        *("timeout-member-connect", "timeout-tcp-inspect", "x-forwarded-for"),
    }
)
"""Annotations ``loadbalancer.openstack.org/<name>`` of a Service (kubernetes/cloud-provider-openstack,
docs/openstack-cloud-controller-manager/expose-applications-using-loadbalancer-type-service.md) that are no settings of
NGINX (kubernetes/ingress-nginx, docs/user-guide/nginx-configuration/configmap.md)."""


def check(
    root: Path,
    environment: Environment,
    applications: Mapping[str, Application],
    roots: Mapping[str, Path] | None = None,
) -> list[str]:
    """Report settings without the intended effect; none of them stops a deployment.

    Args:
        root: Directory of the checkout.
        environment: The environment.
        applications: Its enabled applications, by name.
        roots: Directories of the checkouts of applications that are deployed from another revision, by application.

    Returns:
        One message per setting, which starts with file and key.

    Raises:
        PhalanxError: A Chart.yaml is malformed.
    """
    return [
        *_schema_problems(root, environment.name),
        *host_names.problems(root, environment, applications),
        *(argocd_access.problems(applications["argocd"]) if "argocd" in applications else ()),
        *(sign_in.doubts(applications["gafaelfawr"]) if "gafaelfawr" in applications else ()),
        *(labs.doubts(applications["nublado"]) if "nublado" in applications else ()),
        *tap_services.doubts(root, applications, roots),
        *(_annotation_problems(applications["ingress-nginx"]) if "ingress-nginx" in applications else ()),
        *(
            problem
            for name, each in applications.items()
            for problem in _unread_values((roots or {}).get(name, root), each)
        ),
    ]


def _schema_problems(root: Path, name: str) -> list[str]:
    directory, file = root / "environments", f"values-{name}.yaml"
    settings = merge(read_mapping(directory / "values.yaml", root), read_mapping(directory / file, root))
    return environment_schema.problems(settings, f"environments/{file}")


def _annotation_problems(ingress_nginx: Application) -> Iterator[str]:
    """Report annotations of the Service among the settings of NGINX, which ignores them."""
    keys = ("ingress-nginx", "controller", "config")
    settings = get(ingress_nginx.values, keys)
    for key in settings if isinstance(settings, Mapping) else ():
        name = str(key).removeprefix("loadbalancer.openstack.org/")
        if name in _OPENSTACK_ANNOTATIONS:
            yield (
                f"{ingress_nginx.file_of(*keys, key)}: {'.'.join(keys)}.{key}: has no effect, as NGINX has no such "
                "setting: expected an annotation of the load balancer's Service, "
                f"ingress-nginx.controller.service.annotations: {{loadbalancer.openstack.org/{name}: ...}}; remove the "
                "setting"
            )


def _unread_values(root: Path, application: Application) -> Iterator[str]:
    """Report values of the environment that the application's chart does not know, such as misspelled ones."""
    chart = root / "applications" / application.name
    if len(application.files) > 1 and (chart / "Chart.yaml").is_file():
        *_, (_, base), (file, own) = application.files.items()
        yield from _unread_in_chart(root, chart, own, base, f"{file}: ")


def _unread_in_chart(
    root: Path, chart: Path, own: Mapping[str, Any], base: Mapping[str, Any], where: str
) -> Iterator[str]:
    """Report values that are neither in a chart's ``values.yaml`` nor named in one of its templates.

    Values below one that templates pass on as a whole, such as environment variables, may have any name.
    """
    dependencies = {each.alias or each.name: each for each in charts.dependencies(root, chart)}
    elsewhere = {"global", *dependencies}
    unknown = list(_unknown({key: value for key, value in own.items() if key not in elsewhere}, base))
    text = _templates(chart) if unknown else ""
    named = set(_WORD.findall(text))

    def may_be_any(keys: Sequence[Any]) -> bool:
        below = {*(get(base, keys) if keys else base)} - elsewhere
        return not named.issuperset(below) or bool(
            re.search(_WHOLE.format(r"\.".join(re.escape(str(key)) for key in keys)), text)
        )

    for keys in unknown:
        name = str(keys[-1])
        if name not in named and not any(may_be_any(keys[:depth]) for depth in range(len(keys))):
            path, known = ".".join(map(str, keys)), f"{chart.relative_to(root)}/values.yaml"
            similar = nearest(name, map(str, get(base, keys[:-1]) if keys[:-1] else base))
            yield (
                f"{where}{path}: has no effect: expected a value of {known}, or one that the chart's templates read; "
                f"remove it{similar}"
            )
    for name, dependency in dependencies.items():
        of_checkout = dependency.is_local and not charts.is_vendored(chart, dependency)
        if of_checkout and isinstance(own.get(name), Mapping):
            found = charts.local(root, chart, dependency)
            values = read_optional_mapping(found / "values.yaml", root)
            yield from _unread_in_chart(root, found, own[name], values, f"{where}{name}.")


def _unknown(
    own: Mapping[str, Any], base: Mapping[str, Any], parents: tuple[Any, ...] = ()
) -> Iterator[tuple[Any, ...]]:
    """Yield the keys of values that are not among others, with the keys that lead to them."""
    for key, value in own.items():
        keys = (*parents, key)
        below = base.get(key)
        # Top-level keys that start with x- hold YAML anchors.
        if key not in base and not str(keys[0]).startswith("x-"):
            yield keys
        elif isinstance(value, Mapping) and isinstance(below, Mapping) and below:
            yield from _unknown(value, below, keys)


def _templates(chart: Path) -> str:
    """Return the text of all files of a chart that may read values."""
    files = (path for path in chart.rglob("*") if path.is_file() and not _NO_TEMPLATE.match(path.name))
    return "\n".join(path.read_bytes().decode("utf-8", errors="replace") for path in files)
