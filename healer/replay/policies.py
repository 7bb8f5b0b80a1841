"""Policies by the digest of what runs share; what differs from run to run stands beside it.

A policy is twelve kilobytes of tables that change with the settings alone, so each is kept once.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from healer.core.policy import Policy
from healer.replay.codec import POLICY, CodecError
from healer.replay.packing import packed, unpacked


class Policies:
    """Names policies, and has the bytes of each that it named."""

    def __init__(self) -> None:
        self._digests: dict[int, tuple[Policy, str]] = {}
        self._bodies: dict[str, bytes] = {}

    def terms(self, policy: Policy) -> list[Any]:
        """The digest, and what differs."""
        found = self._digests.get(id(policy))
        digest = found[1] if found is not None else self._learnt(policy)
        return [
            digest,
            policy.run,
            policy.one_pass,
            policy.no_acts_because,
            policy.act_before,
            policy.seed,
        ]

    def _learnt(self, policy: Policy) -> str:
        body = POLICY.pack(_shared(policy))
        digest = hashlib.blake2b(body, digest_size=8).hexdigest()
        # The policy is held, so that its identity is not given to another one.
        self._digests = {id(policy): (policy, digest)}
        self._bodies.setdefault(digest, packed(body))
        return digest

    def bodies(self) -> tuple[tuple[str, bytes], ...]:
        """All that were named so far."""
        return tuple(self._bodies.items())


def _shared(policy: Policy) -> Policy:
    return replace(policy, run="", one_pass=False, no_acts_because="", act_before=None, seed=0)


class KnownPolicies:
    """Finds policies again, by what was kept of them."""

    def __init__(self, bodies: Mapping[str, bytes]) -> None:
        self._bodies = bodies
        self._shared: dict[str, Policy] = {}

    def policy(self, terms: object) -> Policy:
        """The policy of such terms. Raises CodecError."""
        match terms:
            case [
                str() as digest,
                str() as run,
                bool() as one_pass,
                str() as no_acts_because,
                None | float() | int() as act_before,
                int() as seed,
            ]:
                return replace(
                    self._of(digest),
                    run=run,
                    one_pass=one_pass,
                    no_acts_because=no_acts_because,
                    act_before=act_before,
                    seed=seed,
                )
            case _:
                raise CodecError("policy", f"no terms: {terms!r:.80}")

    def _of(self, digest: str) -> Policy:
        if digest not in self._shared:
            if digest not in self._bodies:
                raise CodecError("policy", f"{digest} was not kept")
            self._shared[digest] = POLICY.unpack(unpacked(self._bodies[digest], "policy"))
        return self._shared[digest]
