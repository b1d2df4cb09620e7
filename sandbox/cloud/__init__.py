"""The control plane of OpenStack, from Debian's packages, on the loopback interface of one machine."""
