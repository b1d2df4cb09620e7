"""Generated secrets, each stored in the stack's encrypted state by a Stash."""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import ResourceOptions

from phalanx import generators
from phalanx.generators import GeneratorType
from phalanx.secret_inputs import SecretInputs, rotatable
from phalanx.secrets import Generated, SecretKey

_NEVER = "initial"
"""Trigger of a secret without a rotation. Pulumi ignores a trigger that is added later: without this one, the first
rotation would have no effect."""


class GeneratedSecrets:
    """Generates each secret once, and again if its rotation is requested or its source changes.

    Args:
        name: Prefix of the resources' names.
        inputs: Origin and known value of each secret.
        opts: Options of each Stash.
    """

    def __init__(self, name: str, inputs: SecretInputs, opts: ResourceOptions) -> None:
        self._name = name
        self._inputs = inputs
        self._opts = opts
        self._stashes: dict[SecretKey, pulumi.Stash] = {}
        requested = {key: inputs.rotation_of(key) for key in rotatable(inputs.plan)}
        # Remembers the requests, as the deletion of a line must not be another rotation: `input` has the last text of
        # each secret, `output` the one with which the stack was created.
        rotations = pulumi.Stash(
            f"{name}-rotation",
            input={str(key): text for key, text in requested.items() if text},
            opts=ResourceOptions.merge(
                opts,
                ResourceOptions(ignore_changes=[f'input["{key}"]' for key, text in requested.items() if not text]),
            ),
        )
        self._requested, self._first = rotations.input, rotations.output
        self.rotated: pulumi.Output[list[str]] = pulumi.Output.all(rotations.input, rotations.output).apply(
            lambda known: sorted(key for key in known[0] if _was_rotated(key, *known))
        )
        """Secrets that were rotated since the stack was created, as application/key."""

    def value(
        self,
        key: SecretKey,
        origin: Generated,
        values: Mapping[SecretKey, pulumi.Output[str]],
    ) -> pulumi.Output[str]:
        """Return the value of a secret.

        Args:
            key: The secret.
            origin: Its generator and source.
            values: Values of other secrets, including the source.
        """
        if origin.type.always_generated:
            return pulumi.Output.secret(self._inputs.oidc_clients)
        candidate: pulumi.Output[Any]
        if origin.source:
            # A hash or a time follows its source. A generated source has a new ID whenever it is generated again; any
            # other source is the trigger itself, and secret in the state as well.
            stash, source = self._stashes.get(origin.source), values[origin.source]
            trigger: list[pulumi.Input[str]] = [_NEVER, stash.id if stash else source]
            candidate = source.apply(lambda text: self._description(key, origin, text))
        else:
            trigger = [self._requested.apply(lambda requested: _trigger(requested, key))]
            candidate = pulumi.Output.all(self._requested, self._first).apply(
                lambda known: self._original(key, origin.type, rotated=_was_rotated(str(key), *known)),
            )
        self._stashes[key] = pulumi.Stash(
            f"{self._name}-{key.application}-{key.name}",
            input=pulumi.Output.secret(candidate),
            opts=ResourceOptions.merge(
                self._opts,
                # Each run provides a new value: only the first one, and the first one after a rotation, is stored.
                ResourceOptions(ignore_changes=["input"], replacement_trigger=trigger),
            ),
        )
        return pulumi.Output.secret(self._stashes[key].output)

    def _original(self, key: SecretKey, generator: GeneratorType, *, rotated: bool) -> str:
        """Return the value in Vault, or a new one if there is none or a rotation was requested."""
        held = self._inputs.existing.get(key)
        return held if held and not rotated else generators.generate(generator)

    def _description(self, key: SecretKey, origin: Generated, source: str) -> str:
        """Return the hash or time in Vault if it belongs to the current source, otherwise a new one."""
        existing = self._inputs.existing
        held = existing.get(key)
        if held and origin.source and existing.get(origin.source) == source and self._is_described(origin.source):
            return held
        return generators.generate(origin.type, source)

    def _is_described(self, source: SecretKey) -> bool:
        """Return whether the hashes in Vault match a secret there: a user may have changed the secret alone."""
        plan, existing = self._inputs.plan, self._inputs.existing
        if isinstance(plan[source].origin, Generated):
            return True
        hashes = [
            existing.get(key, "")
            for key, secret in plan.items()
            if isinstance(secret.origin, Generated)
            and (secret.origin.type, secret.source) == (GeneratorType.BCRYPT_PASSWORD_HASH, source)
        ]
        return all(generators.is_hash(each, existing[source]) for each in hashes)


def _was_rotated(key: str, requested: Mapping[str, Any], first: Mapping[str, Any]) -> bool:
    """Return whether a secret was rotated since the stack was created.

    The text of a disabled application is no longer there, unlike the text of the stack's first run. When the
    application is enabled again, it must keep the values in Vault, which its database still uses.
    """
    return key in requested and requested[key] != first.get(key)


def _trigger(rotation: Mapping[str, Any], key: SecretKey) -> str:
    return str(rotation.get(str(key), _NEVER))
