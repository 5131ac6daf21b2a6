"""Fails when a module is past 400 lines, a function past 50, or the kernel past 14 files or 1,220 lines of code."""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULE, FUNCTION, KERNEL_FILES, KERNEL_LINES = 400, 50, 14, 1220


def code_lines(tree: ast.Module) -> int:
    """Lines that hold code: neither blank, nor comment, nor docstring."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    words: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            first = node.body[0]
            words |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    held = {node.lineno for node in ast.walk(tree) if isinstance(node, ast.stmt | ast.expr | ast.arg | ast.keyword)}
    return len(held - words)


def problems() -> list[str]:
    """Everything that has grown too long."""
    found = []
    kernel = 0
    for path in sorted(
        [
            *ROOT.glob("services/**/*.py"),
            *ROOT.glob("bench/**/*.py"),
            *ROOT.glob("tests/**/*.py"),
            *ROOT.glob("migrations/*.py"),
        ]
    ):
        text, name = path.read_text(), path.relative_to(ROOT)
        tree = ast.parse(text)
        if (length := text.count("\n")) > MODULE:
            found.append(f"{name} has {length} lines; split it by noun.")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.body[0].lineno + 1
                if length > FUNCTION:
                    found.append(f"{name}: {node.name} has {length} lines.")
        kernel += code_lines(tree) if name.parts[:2] == ("services", "kernel") else 0
    files = len([path for path in ROOT.glob("services/kernel/*.py") if path.name != "__init__.py"])
    if files > KERNEL_FILES or kernel > KERNEL_LINES:
        found.append(f"The kernel has {files} files and {kernel} lines of code.")
    return found


if __name__ == "__main__":
    sys.exit("\n".join(problems()) or None)
