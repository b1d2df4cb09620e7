"""Drivers that simulate hypervisors, storage and Heat stacks."""
