"""Which rows still count, and which may be forgotten."""

from typing import Final

_AT_ONCE: Final = 500
"""Rows of one table; some milliseconds."""


def hidden_by_reset(table: str) -> str:
    """SQL: whether a human has reset the layer of this row of `attempt` or `hold` since."""
    return (
        f"EXISTS (SELECT 1 FROM reset WHERE {table}.id <= reset.{table} "  # noqa: S608  (our own table names)
        f"AND (reset.layer IS NULL OR reset.layer = {table}.layer))"
    )


def _old(table: str, where: str = "1") -> str:
    """Deletes some rows before `:before` that fit; both it and `:now` are journal seconds."""
    return (
        f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} "  # noqa: S608  (our own table names)
        f"WHERE at < :before AND ({where}) ORDER BY id LIMIT {_AT_ONCE})"
    )


PRUNED: Final = (
    _old("decision"),
    _old("attempt"),
    _old("vm_boot"),
    _old("run"),
    _old("notice"),
    _old("delivery"),
    _old("hold", f"at + length < :before OR {hidden_by_reset('hold')}"),
    _old("pause", "ended IS NOT NULL OR at + length < :now"),
)
"""Statements. What has no end of its own (a give-up, a pause until `resume`) outlives its age,
and resets stay: they are few, and a hold may refer to them."""
