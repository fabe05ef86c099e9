"""Checks the references of a JSON Schema: each must lead to a schema, or out of the document, and none in a circle.

The validator follows references without such checks: it does not detect circles, and fails on a target that is not a
schema.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from claude_openai.jsontools.work_limit import spend

if TYPE_CHECKING:
    from referencing._core import Resolved, Resolver  # they have no public name

_LONGEST_CHAIN = 50
"""Schemas in a chain of references that all apply to the same value."""

_IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")


class InvalidReference(ValueError):
    """A reference is invalid; the message says which and why."""


def check_references(schema: Any, check: Callable[[Any], None]) -> None:
    """Check all references in `schema`. `check` raises for a value that is not a schema; `schema` itself has passed it.

    Each target is looked up once, and checked once if it is not a subschema at a regular place.

    Raises:
        InvalidReference: a reference has no target, or references lead in a circle.
        ValueError: a reference is not a valid URI.
    """
    root = DRAFT202012.create_resource(schema)
    address = root.id() or ""
    registry = (
        Registry[Any]().with_resource(address, root).crawl()
    )  # without `crawl`, each look-up of an anchor would search the whole schema
    pending = [(root, registry.resolver(address))]
    applied: dict[int, list[int]] = {}
    outside: list[tuple[Any, Resolver[Any]]] = []
    known: dict[tuple[str, str], Resolved[Any] | None] = {}
    while pending:
        while pending:
            part, resolver = pending.pop()
            if id(part.contents) in applied:
                continue
            spend()
            keywords = part.contents if isinstance(part.contents, dict) else {}
            named = [keywords[name] for name in ("$ref", "$dynamicRef") if isinstance(keywords.get(name), str)]
            references = [(resolver._base_uri, reference) for reference in named]  # noqa: SLF001
            for reference in references:
                if reference not in known:
                    known[reference] = target = _target(reference[1], resolver)
                    if target:
                        outside.append((target.contents, target.resolver))
            targets = [target for reference in references if (target := known[reference])]
            in_place = [*(target.contents for target in targets), *_applied_in_place(part.contents)]
            applied[id(part.contents)] = [id(other) for other in in_place]
            pending += [(each, resolver.in_subresource(each)) for each in part.subresources()]
        while outside and not pending:
            target_schema, resolver = outside.pop()
            if id(target_schema) not in applied:
                check(target_schema)
                pending.append((DRAFT202012.create_resource(target_schema), resolver))
    if _has_long_chain(applied):
        raise InvalidReference(f"references lead in a circle, or through more than {_LONGEST_CHAIN} schemas")


def _target(reference: str, resolver: "Resolver[Any]") -> "Resolved[Any] | None":
    """The target of `reference`; None if it is another document, which is never fetched."""
    try:
        return resolver.lookup(reference)
    except Unresolvable:
        if reference.startswith("#"):
            raise InvalidReference(f"{reference!r} refers to nothing") from None
        return None


def _applied_in_place(schema: Any) -> Iterable[object]:
    """The subschemas of `schema` that apply to the same value as `schema` itself."""
    for keyword, value in schema.items() if isinstance(schema, dict) else ():
        match value:
            case dict() if keyword in _IN_PLACE:
                yield value
            case list() if keyword in _IN_PLACE:
                yield from value
            case dict() if keyword == "dependentSchemas":
                yield from value.values()


def _has_long_chain(applied: dict[int, list[int]]) -> bool:
    reached = set(applied)
    for _ in range(_LONGEST_CHAIN):
        spend()
        reached = {other for one in reached for other in applied.get(one, ())}
        if not reached:
            return False
    return True
