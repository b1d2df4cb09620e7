"""Generated secrets, each kept in the stack's (encrypted) state by a Stash."""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import ResourceOptions

from phalanx import generators
from phalanx.generators import GeneratorType
from phalanx.secret_inputs import SecretInputs
from phalanx.secrets import Generated, SecretKey

_NEVER = "initial"
"""Trigger of a secret that nobody asked to rotate. Pulumi ignores the first trigger after none at all, so that the
first rotation would go unnoticed: there is one from the beginning."""


class GeneratedSecrets:
    """Makes each secret once, and anew when its rotation is asked for or what it describes changes.

    Args:
        name: Logical name, before that of each secret.
        inputs: What the secrets are made from.
        opts: Options of each Stash.
    """

    def __init__(self, name: str, inputs: SecretInputs, opts: ResourceOptions) -> None:
        self._name = name
        self._inputs = inputs
        self._opts = opts
        self._stashes: dict[SecretKey, pulumi.Stash] = {}
        asked = {at: inputs.rotation_of(at) for at in inputs.rotatable()}
        # What was asked is remembered when its line is gone, or to delete the line would be one more rotation: its
        # `input` is the last text of each secret, its `output` the one with which the stack began.
        marks = pulumi.Stash(
            f"{name}-rotation",
            input={str(at): text for at, text in asked.items() if text},
            opts=ResourceOptions.merge(
                opts,
                ResourceOptions(ignore_changes=[f'input["{at}"]' for at, text in asked.items() if not text]),
            ),
        )
        self._asked, self._first = marks.input, marks.output

    def value(
        self,
        at: SecretKey,
        origin: Generated,
        values: Mapping[SecretKey, pulumi.Output[str]],
    ) -> pulumi.Output[str]:
        """The value of a secret.

        Args:
            at: The secret.
            origin: How it is generated.
            values: The values of other secrets, that of its source among them.
        """
        if origin.type.always_generated:
            return pulumi.Output.secret(self._inputs.oidc_clients)
        candidate: pulumi.Output[Any]
        if origin.source:
            # A hash or a time follows the secret that it describes: a generated one has a new id whenever it is made
            # anew; any other is the trigger itself (and secret in the state as well).
            stash, source = self._stashes.get(origin.source), values[origin.source]
            trigger: list[pulumi.Input[str]] = [_NEVER, stash.id if stash else source]
            candidate = source.apply(lambda text: self._description(at, origin, text))
        else:
            trigger = [self._asked.apply(lambda asked: _trigger(asked, at))]
            candidate = pulumi.Output.all(self._asked, self._first).apply(
                lambda known: self._original(at, origin.type, rotated=_trigger(known[0], at) != _trigger(known[1], at)),
            )
        self._stashes[at] = pulumi.Stash(
            f"{self._name}-{at.application}-{at.key}",
            input=pulumi.Output.secret(candidate),
            opts=ResourceOptions.merge(
                self._opts,
                # Each run offers a new value: only the first one, and the one after a rotation, is to be kept.
                ResourceOptions(ignore_changes=["input"], replacement_trigger=trigger),
            ),
        )
        return pulumi.Output.secret(self._stashes[at].output)

    def _original(self, at: SecretKey, generator: GeneratorType, *, rotated: bool) -> str:
        """What Vault holds, as long as nobody asked for another one."""
        held = self._inputs.existing.get(at)
        return held if held and not rotated else generators.generate(generator)

    def _description(self, at: SecretKey, origin: Generated, source: str) -> str:
        """What Vault holds, as long as it tells of the very value that Vault holds, too."""
        existing = self._inputs.existing
        held = existing.get(at)
        if held and origin.source and existing.get(origin.source) == source and self._is_described(origin.source):
            return held
        return generators.generate(origin.type, source)

    def _is_described(self, source: SecretKey) -> bool:
        """Whether the hashes in Vault are those of a secret there, which a person may have changed without them."""
        plan, existing = self._inputs.plan, self._inputs.existing
        if isinstance(plan[source].origin, Generated):
            return True
        hashes = [
            existing.get(at, "")
            for at, secret in plan.items()
            if isinstance(secret.origin, Generated)
            and (secret.origin.type, secret.source) == (GeneratorType.BCRYPT_PASSWORD_HASH, source)
        ]
        return all(generators.is_hash(each, existing[source]) for each in hashes)


def _trigger(rotation: Mapping[str, Any], at: SecretKey) -> str:
    return str(rotation.get(str(at), _NEVER))
