"""Whether a reader of the new schema still reads what was written by the old one."""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]


def narrowings(old: Schema, new: Schema, *, path: str = "") -> list[str]:
    """Say each way in which the new schema refuses what the old one allowed."""
    return list(_narrowings(old, new, old, new, path))


def _narrowings(
    old: Schema, new: Schema, old_root: Schema, new_root: Schema, path: str
) -> Iterator[str]:
    old, new = _resolve(old, old_root), _resolve(new, new_root)
    here = path or "the event"
    for name in sorted(set(new.get("required", [])) - set(old.get("required", []))):
        yield f"{here}: `{name}` is required now"
    old_fields, new_fields = old.get("properties", {}), new.get("properties", {})
    for name in sorted(old_fields):
        inner = f"{path}.{name}" if path else name
        if name not in new_fields:
            yield f"{inner}: is gone; old events still say it"
        else:
            yield from _narrowings(old_fields[name], new_fields[name], old_root, new_root, inner)
    yield from _scalar(old, new, here)
    if "items" in old and "items" in new:
        yield from _narrowings(old["items"], new["items"], old_root, new_root, f"{path}[]")
    yield from _choices(old, new, old_root, new_root, here)


def _scalar(old: Schema, new: Schema, here: str) -> Iterator[str]:
    if "type" in old and "type" in new and old["type"] != new["type"]:
        if (old["type"], new["type"]) != ("integer", "number"):
            yield f"{here}: was {old['type']}, is {new['type']}"
    missing = set(_values(old)) - set(_values(new)) if _values(new) else set()
    if missing:
        yield f"{here}: no longer allows {sorted(map(str, missing))}"
    if old.get("format") != new.get("format") and new.get("format"):
        yield f"{here}: must be a {new['format']} now"
    for bound, tighter in (("minimum", max), ("exclusiveMinimum", max), ("maximum", min)):
        if bound in new and tighter(new[bound], old.get(bound, new[bound])) != old.get(bound):
            yield f"{here}: {bound} is {new[bound]} now"


def _choices(
    old: Schema, new: Schema, old_root: Schema, new_root: Schema, here: str
) -> Iterator[str]:
    for kind in ("anyOf", "oneOf"):
        if kind not in old:
            continue
        options = new.get(kind, [new])
        for each in old[kind]:
            fits = any(not [*_narrowings(each, o, old_root, new_root, here)] for o in options)
            if not fits:
                yield f"{here}: one of its forms is no longer read"
    if "anyOf" in new and "anyOf" not in old:
        if all([*_narrowings(old, each, old_root, new_root, here)] for each in new["anyOf"]):
            yield f"{here}: its form is no longer read"


def _values(schema: Schema) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", []))


def _resolve(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Schema = root["$defs"][reference.rsplit("/", 1)[-1]]
    return found
