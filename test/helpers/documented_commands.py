"""The shell commands and the Python that the documentation shows."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PROGRAMS = ('make', 'iterprime', 'python', 'ros2', 'export', 'mkdir', 'cd', 'pip', 'colcon', 'ray')
_COMMAND = re.compile(rf'({"|".join(_PROGRAMS)}|\.) \S')
_FENCE = re.compile(r'```(\w*)')


@dataclass(frozen=True)
class Documented:
    """A command, or a block of Python.

    page: the file that shows it, relative to the repository.
    text: without the comment; lines that end with a backslash are joined.
    """

    page: str
    text: str


def pages():
    return [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *sorted((ROOT / 'docs').glob('*.md'))]


def documented_commands():
    """Return the commands that begin a line of a block, indented or fenced as a shell's."""
    return [
        Documented(str(page.relative_to(ROOT)), line)
        for page in pages()
        for block in _blocks(page.read_text(encoding='utf-8'), ('', 'sh', 'bash', 'shell'))
        for line in map(_without_comment, block.replace('\\\n', ' ').splitlines())
        if _COMMAND.match(line)
    ]


def documented_python(page):
    """Return the blocks of a page that are fenced as Python."""
    return list(_blocks((ROOT / page).read_text(encoding='utf-8'), ('python',)))


def _blocks(text, languages):
    """Yield the blocks of code in one of some languages; '' are the indented ones, too."""
    fence, block = None, []
    for line in [*text.splitlines(), '']:
        found = _FENCE.match(line)
        if fence is not None:
            if found:
                if fence in languages:
                    yield '\n'.join(block)
                fence, block = None, []
            else:
                block.append(line)
        elif found:
            fence = found[1]
        elif line.startswith('    '):
            block.append(line[4:])
        elif block:
            if '' in languages:
                yield '\n'.join(block)
            block = []


def _without_comment(line):
    return re.sub(r'\s+#\s.*$', '', line).strip()
