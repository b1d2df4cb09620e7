"""OpenStack's control plane from Debian's packages, on one machine."""
