"""Mutants: a module with one small error each, as a slip of the hand would make it.

A mutant is the module's syntax tree with one node of a function changed. Texts, annotations,
defaults and decorators are left alone: what a message says is looked at by other tests than those
of numbers, and a default or a decorator is not part of a function's code. So is ``strict`` of
``zip``, which asserts that code is right, and does nothing where it is.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
# What is below these is for people, or is no part of a function's code.
_LEFT_ALONE = (ast.Raise, ast.JoinedStr, ast.arguments)
_FIELDS_LEFT_ALONE = ("annotation", "returns", "decorator_list", "type_params")

# Where a node is in a tree: fields of its parents, and where the field is a list, which of them.
_Place = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One error in one module.

    Parameters
    ----------
    line : int
        The line of the module, counted from 1, that the changed expression begins in.
    before, after : str
        The first line of the changed expression or statement, as it was and as it is now.
    tree : ast.Module
        The whole module with the error, ready to be compiled.
    """

    line: int
    before: str
    after: str
    tree: ast.Module


def mutants(source: str) -> Iterator[Mutant]:
    """Yield all mutants of a module's functions and methods, from its first line to its last.

    Parameters
    ----------
    source : str
        The text of the module.
    """
    tree = ast.parse(source)
    for place, node in list(_inside_functions(tree)):
        for changed in _changes(node):
            ast.fix_missing_locations(ast.copy_location(changed, node))
            mutant = _put(tree, place, changed)
            before, after = (ast.unparse(one).splitlines()[0] for one in (node, changed))
            yield Mutant(line=node.lineno, before=before, after=after, tree=mutant)


def _inside_functions(tree: ast.Module) -> Iterator[tuple[_Place, ast.expr | ast.stmt]]:
    """Yield what can be changed: all nodes of the bodies of functions, and where they are."""

    def visit(node: ast.AST, place: _Place, inside: bool) -> Iterator[tuple[_Place, ast.AST]]:
        for field, value in ast.iter_fields(node):
            if field in _FIELDS_LEFT_ALONE:
                continue
            children = enumerate(value) if isinstance(value, list) else [(None, value)]
            for index, child in children:
                if not isinstance(child, ast.AST) or isinstance(child, _LEFT_ALONE):
                    continue
                if isinstance(child, ast.keyword) and child.arg == "strict":
                    continue
                here = (*place, (field, index))
                if inside and isinstance(child, ast.expr | ast.stmt):
                    yield here, child
                yield from visit(child, here, inside or isinstance(child, ast.FunctionDef))

    return visit(tree, (), False)


def _put(tree: Any, place: _Place, changed: ast.AST) -> Any:
    """Return a tree with another node at a place, which shares all other nodes with the first."""
    if not place:
        return changed
    (field, index), *way = place
    value = getattr(tree, field)
    if index is None:
        return _with(tree, **{field: _put(value, tuple(way), changed)})
    children = [*value]
    children[index] = _put(value[index], tuple(way), changed)
    return _with(tree, **{field: children})


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what a node may become by one slip."""
    if isinstance(node, ast.expr):
        yield from _other_expressions(node)
    else:
        yield from _other_statements(node)


def _other_expressions(node: ast.expr) -> Iterator[ast.AST]:
    match node:
        case ast.Compare():
            for index, operator in enumerate(node.ops):
                operators = [*node.ops]
                operators[index] = _COMPARISONS[type(operator)]()
                yield _with(node, ops=operators)
        case ast.BinOp() if type(node.op) in _OPERATORS and not _is_text(node.left, node.right):
            yield _with(node, op=_OPERATORS[type(node.op)]())
        case ast.BoolOp():
            yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.UnaryOp(op=ast.USub()) if not isinstance(node.operand, ast.Constant):
            yield node.operand
        case ast.Constant(value=bool()):
            yield _with(node, value=not node.value)
        case ast.Constant(value=int() | float()):
            yield _with(node, value=node.value + 1)
        case ast.IfExp() if _is_plain(node.test):
            yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))


def _other_statements(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.AugAssign():
            if type(node.op) in _OPERATORS and not _is_text(node.value):
                yield _with(node, op=_OPERATORS[type(node.op)]())
            yield ast.copy_location(ast.Assign([node.target], node.value), node)
        case ast.Break():
            yield ast.copy_location(ast.Continue(), node)
        case ast.Continue():
            yield ast.copy_location(ast.Break(), node)
        case ast.Expr(value=ast.Call()):
            yield ast.copy_location(ast.Pass(), node)
        case ast.If() | ast.While() if _is_plain(node.test):
            yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))


def _is_plain(test: ast.expr) -> bool:
    """Whether a condition is changed as a whole: others are, by what they consist of."""
    return not isinstance(test, ast.Compare | ast.UnaryOp | ast.BoolOp | ast.Constant)


def _is_text(*nodes: ast.expr) -> bool:
    return any(
        isinstance(node, ast.JoinedStr)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
        for node in nodes
    )


def _with(node: ast.AST, **changes: object) -> ast.AST:
    """Return a copy of a node with other fields."""
    changed = copy.copy(node)
    for name, value in changes.items():
        setattr(changed, name, value)
    return changed
