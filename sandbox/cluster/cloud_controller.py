"""The openstack-cloud-controller-manager of a cluster, which creates Octavia load balancers for Services.

The options of load balancers are those of magnum-capi-helm (`addons.openstack.cloudConfig`), the rest those of Magnum's
`write-kube-os-config.sh`.
"""

from pathlib import Path
from typing import Final

from sandbox import tools
from sandbox.cluster.description import Description, Trust
from sandbox.cluster.directory import ClusterDirectory
from sandbox.files import write_atomically

NAME: Final = "openstack-cloud-controller-manager"


def config_file(directory: ClusterDirectory) -> Path:
    """Return the path of `cloud.conf`, which Cinder CSI uses, too."""
    return directory.pki / "cloud.conf"


def cloud_config(description: Description, trust: Trust) -> str:
    """Return the content of `cloud.conf`, which contains the trustee's password."""
    octavia = description.load_balancers
    return f"""\
[Global]
auth-url={trust.auth_url}
user-id={trust.user_id}
password={trust.password.get_secret_value()}
trust-id={trust.trust_id}
region={trust.region}

[LoadBalancer]
use-octavia=true
subnet-id={description.network.subnet_id}
floating-network-id={description.network.external_id}
lb-provider={octavia.provider}
lb-method={octavia.algorithm}
create-monitor={str(octavia.health_monitors).lower()}
monitor-delay=1m
monitor-timeout=30s
monitor-max-retries=3

[Networking]
internal-network-name={description.network.name}
"""


def start(directory: ClusterDirectory) -> None:
    """Start the cloud controller if the cluster has a trust."""
    description = directory.description
    if description.trust is None:
        return
    config, kubeconfig = config_file(directory), directory.kubeconfig("cloud-controller-manager")
    write_atomically(config, cloud_config(description, description.trust))
    program = tools.ensure((NAME,), report=lambda _: None) / NAME
    directory.process(
        NAME,
        program,
        "--cloud-provider=openstack",
        f"--cloud-config={config}",
        f"--cluster-name={description.uuid}",
        f"--kubeconfig={kubeconfig}",
        # Nodes are registered with addresses and zones, and there is only one manager.
        "--controllers=service-lb-controller",
        "--leader-elect=false",
        "--secure-port=0",
        config=(config, kubeconfig),
    ).start()
