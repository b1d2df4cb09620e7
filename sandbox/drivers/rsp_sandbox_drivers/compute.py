"""The program nova-compute, with Nova's fake hypervisor extended: servers outlive a restart, as on a real host.

Without that, Nova could not stop a server that an earlier process has created, and a client would wait in vain. The
program of Debian's package nova-compute is not used, as the package would also install libvirt and qemu.

Usage: `python3 -m rsp_sandbox_drivers.compute --config-file nova.conf`.
"""

import sys
import types

from nova.cmd import compute  # isort: skip -- the first import of Nova, which patches the standard library

from nova import context as nova_context
from nova import objects
from nova.virt import fake


class Driver(fake.FakeDriver):
    """Fake hypervisor that restores its servers from Nova's database."""

    def init_host(self, host: str) -> None:
        """Restore the servers of a host."""
        super().init_host(host)
        context = nova_context.get_admin_context()
        for instance in objects.InstanceList.get_by_host(context, host):
            if instance.power_state is not None:
                self.instances[instance.uuid] = fake.FakeInstance(instance.name, instance.power_state, instance.uuid)


if __name__ == "__main__":
    # Nova loads drivers from the package nova.virt only.
    namespace = types.ModuleType("nova.virt.sandbox")
    namespace.Driver = Driver
    sys.modules[namespace.__name__] = namespace
    sys.argv[0] = "nova-compute"
    sys.exit(compute.main())
