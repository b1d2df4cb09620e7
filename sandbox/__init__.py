"""A real cloud on one machine (OpenStack, Kubernetes clusters, Vault, a Git repository) for the program to run on."""
