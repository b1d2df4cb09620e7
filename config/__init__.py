"""Typed configuration of a stack, validated before the first API call."""
