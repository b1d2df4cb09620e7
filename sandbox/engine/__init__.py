"""Runs a Pulumi program where the Pulumi CLI cannot be installed: an in-process engine for the types of this program.

It speaks the Python SDK's resource protocol, keeps the state of a stack in one encrypted file, and gives each resource
option the meaning that Pulumi gives it. It is not a second Pulumi: types and options that the program does not use are
errors.
"""
