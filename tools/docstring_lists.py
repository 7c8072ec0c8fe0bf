"""A Griffe extension: `name: text` at the start of a docstring's line becomes a list item."""

import re
from typing import Any

from griffe import Extension, Object

_ITEM = re.compile(r'^(\*{0,2}[a-z_]\w*(?:, \*{0,2}[a-z_]\w*)*): (?=\S)')


class DocstringLists(Extension):
    """Turns the parameters and fields of docstrings into Markdown lists."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Rewrite an object's docstring."""
        if obj.docstring:
            obj.docstring.value = with_lists(obj.docstring.value)


def with_lists(text: str) -> str:
    """Return a docstring whose lines that begin with a name and a colon are list items."""
    lines: list[str] = []
    for line in text.splitlines():
        found = _ITEM.match(line)
        if found and lines and lines[-1] and not lines[-1].startswith(('- ', '    ')):
            lines.append('')
        lines.append(f'- `{found[1]}`: {line[found.end() :]}' if found else line)
    return '\n'.join(lines)
