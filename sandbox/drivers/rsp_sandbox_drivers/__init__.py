"""Drivers that stand where a real cloud has hypervisors, storage and Heat stacks."""
