"""The control plane of one cluster: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, and KWOK for nodes.

The API server's and clients' certificates are signed by the cluster's CA from Magnum. etcd and the aggregation layer
have separate CAs, as a certificate from Magnum must not give access to them.
"""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox import tools
from sandbox.cluster import access, kubelet
from sandbox.cluster.authority import Authority, KeyPair, Request, ensure_signing_key
from sandbox.cluster.description import Description
from sandbox.cluster.directory import ClusterDirectory
from sandbox.cluster.kube import Kube
from sandbox.cluster.port_block import Offset
from sandbox.errors import SandboxError
from sandbox.files import write_atomically
from sandbox.ports import LOOPBACK
from sandbox.process import Process, wait_for

TOOLS: Final = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
API_SERVER_SECONDS: Final = 120

SERVICE_CIDR: Final = ipaddress.IPv4Network("172.24.0.0/13")
"""Addresses of Services: `kubeNetwork.services` of capi-helm-charts."""
POD_CIDR: Final = ipaddress.IPv4Network("172.16.0.0/13")
"""Addresses of Pods: `kubeNetwork.pods`."""

USERS: Final = {
    "admin": Request(common_name="admin", organization="system:masters"),
    "kube-controller-manager": Request(common_name="system:kube-controller-manager"),
    "kube-scheduler": Request(common_name="system:kube-scheduler"),
    "kwok": Request(common_name="system:kwok-controller"),
    "cloud-controller-manager": Request(common_name="system:cloud-controller-manager"),
    "csi-provisioner": Request(common_name="csi-provisioner"),
}
"""Users of the API server that get a client certificate and a kubeconfig."""


@dataclass(frozen=True, kw_only=True)
class Certificates:
    """Certificates and keys of the control plane's components."""

    authority: Path
    authority_key: Path
    etcd_authority: Path
    etcd: KeyPair
    etcd_client: KeyPair
    api_server: KeyPair
    front_proxy_authority: Path
    front_proxy: KeyPair
    token_key: Path
    token_public_key: Path


def check_version(description: Description) -> None:
    """Check that the sandbox provides the cluster's Kubernetes version.

    Raises:
        SandboxError: Another version is required.
    """
    available, wanted = f"v{tools.VERSIONS['kube-apiserver']}", description.kubernetes_version
    if wanted != available:
        raise SandboxError(
            f"the sandbox has no Kubernetes {wanted}, only {available}: use an image with that kube_version"
        )


def ensure_certificates(directory: ClusterDirectory) -> Certificates:
    """Create or renew all certificates and kubeconfigs of the control plane."""
    pki = directory.pki
    pki.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority = Authority.load(*directory.authority)
    etcd_authority, etcd_pair = Authority.ensure(pki, "etcd-ca")
    front_authority, front_pair = Authority.ensure(pki, "front-proxy-ca")
    token_key, token_public_key = ensure_signing_key(pki, "service-account")
    api_hosts = (
        LOOPBACK,
        str(SERVICE_CIDR[1]),
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    )
    for user, request in USERS.items():
        pair = authority.ensure_signed(pki, user, request)
        access.write_kubeconfig(directory.kubeconfig(user), directory.api_url, directory.authority[0], pair)
    return Certificates(
        authority=directory.authority[0],
        authority_key=directory.authority[1],
        etcd_authority=etcd_pair.certificate,
        etcd=etcd_authority.ensure_signed(pki, "etcd", Request(common_name="etcd", hosts=(LOOPBACK,))),
        etcd_client=etcd_authority.ensure_signed(pki, "etcd-client", Request(common_name="kube-apiserver")),
        api_server=authority.ensure_signed(
            pki, "kube-apiserver", Request(common_name="kube-apiserver", hosts=api_hosts)
        ),
        front_proxy_authority=front_pair.certificate,
        front_proxy=front_authority.ensure_signed(pki, "front-proxy", Request(common_name="front-proxy-client")),
        token_key=token_key,
        token_public_key=token_public_key,
    )


def start(directory: ClusterDirectory) -> Kube:
    """Start components that do not run, restart those whose configuration has changed, and wait for the API server.

    Returns:
        The API, with administrator access.

    Raises:
        SandboxError: A component does not start; the message has the end of its log.
    """
    bin_dir = tools.ensure(TOOLS, report=lambda _: None)
    certificates = ensure_certificates(directory)
    api_server = _api_server(directory, bin_dir, certificates)
    _etcd(directory, bin_dir, certificates).start()
    api_server.start()
    kube = Kube(directory.kubeconfig("admin"))
    wait_for(kube.ready, f"kube-apiserver answers at {directory.api_url}", api_server, API_SERVER_SECONDS)
    _controller_manager(directory, bin_dir, certificates).start()
    _scheduler(directory, bin_dir).start()
    return kube


def start_kwok(directory: ClusterDirectory) -> None:
    """Start KWOK, which simulates the nodes and their Pods."""
    bin_dir, kubeconfig, stages = tools.bin_dir(), directory.kubeconfig("kwok"), directory.data / "kwok-stages.yaml"
    write_atomically(stages, kubelet.gated(tools.kwok_stages().read_text()))
    directory.process(
        "kwok",
        bin_dir / "kwok",
        f"--config={stages}",
        f"--kubeconfig={kubeconfig}",
        "--manage-all-nodes=true",
        f"--cidr={POD_CIDR}",
        "--node-lease-duration-seconds=40",
        f"--server-address={directory.address(Offset.KWOK)}",
        config=(kubeconfig, stages),
    ).start()


def _etcd(directory: ClusterDirectory, bin_dir: Path, certificates: Certificates) -> Process:
    client = f"https://{directory.address(Offset.ETCD_CLIENT)}"
    peer = f"https://{directory.address(Offset.ETCD_PEER)}"
    pair, authority = certificates.etcd, certificates.etcd_authority
    return directory.process(
        "etcd",
        bin_dir / "etcd",
        f"--data-dir={directory.data / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        f"--cert-file={pair.certificate}",
        f"--key-file={pair.key}",
        "--client-cert-auth",
        f"--trusted-ca-file={authority}",
        f"--peer-cert-file={pair.certificate}",
        f"--peer-key-file={pair.key}",
        "--peer-client-cert-auth",
        f"--peer-trusted-ca-file={authority}",
        # The data must survive a killed process but no power failure; fsync would dominate the start of a cluster.
        "--unsafe-no-fsync",
        config=(pair.certificate, authority),
    )


def _api_server(directory: ClusterDirectory, bin_dir: Path, certificates: Certificates) -> Process:
    return directory.process(
        "kube-apiserver",
        bin_dir / "kube-apiserver",
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",
        f"--secure-port={directory.port(Offset.KUBE_APISERVER)}",
        f"--tls-cert-file={certificates.api_server.certificate}",
        f"--tls-private-key-file={certificates.api_server.key}",
        f"--client-ca-file={certificates.authority}",
        f"--etcd-servers=https://{directory.address(Offset.ETCD_CLIENT)}",
        f"--etcd-cafile={certificates.etcd_authority}",
        f"--etcd-certfile={certificates.etcd_client.certificate}",
        f"--etcd-keyfile={certificates.etcd_client.key}",
        f"--service-account-key-file={certificates.token_public_key}",
        f"--service-account-signing-key-file={certificates.token_key}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-cluster-ip-range={SERVICE_CIDR}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",  # kubeadm's
        "--allow-privileged=true",
        # The endpoints of `kubernetes.default` must not contain a loopback address.
        "--endpoint-reconciler-type=none",
        f"--requestheader-client-ca-file={certificates.front_proxy_authority}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={certificates.front_proxy.certificate}",
        f"--proxy-client-key-file={certificates.front_proxy.key}",
        config=(
            certificates.authority,
            certificates.api_server.certificate,
            certificates.etcd_client.certificate,
            certificates.front_proxy.certificate,
            certificates.token_public_key,
        ),
    )


def _controller_manager(directory: ClusterDirectory, bin_dir: Path, certificates: Certificates) -> Process:
    description, kubeconfig = directory.description, directory.kubeconfig("kube-controller-manager")
    return directory.process(
        "kube-controller-manager",
        bin_dir / "kube-controller-manager",
        *_client_flags(kubeconfig),
        f"--secure-port={directory.port(Offset.KUBE_CONTROLLER_MANAGER)}",
        f"--cluster-name={description.uuid}",
        f"--service-account-private-key-file={certificates.token_key}",
        f"--root-ca-file={certificates.authority}",
        f"--cluster-signing-cert-file={certificates.authority}",
        f"--cluster-signing-key-file={certificates.authority_key}",
        "--use-service-account-credentials=true",
        "--allocate-node-cidrs=true",
        f"--cluster-cidr={POD_CIDR}",
        config=(kubeconfig, certificates.authority, certificates.token_key),
    )


def _scheduler(directory: ClusterDirectory, bin_dir: Path) -> Process:
    kubeconfig = directory.kubeconfig("kube-scheduler")
    return directory.process(
        "kube-scheduler",
        bin_dir / "kube-scheduler",
        *_client_flags(kubeconfig),
        f"--secure-port={directory.port(Offset.KUBE_SCHEDULER)}",
        config=(kubeconfig,),
    )


def _client_flags(kubeconfig: Path) -> tuple[str, ...]:
    """Return common flags of the API server's clients; leader election is off, as there is one instance of each."""
    return (
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--leader-elect=false",
        f"--bind-address={LOOPBACK}",
    )
