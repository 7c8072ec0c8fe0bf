"""What MkDocs does beside its plugins: pages that are made, links out of docs/, formulas."""

import html
import re
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
_LINK = re.compile(r'(\]\()([^)#\s:]+)(#[^)\s]*)?(?=\))')
_FORMULA = re.compile(r'<(span|div) class="arithmatex">(\\\(|\\\[)(.*?)(\\\)|\\\])</\1>', re.DOTALL)
_LANGUAGE = 'text'  # of message definitions


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add README.md as the first page, and a page of the messages and actions."""
    readme = (ROOT / 'README.md').read_text(encoding='utf-8')
    files.append(File.generated(config, 'index.md', content=relinked(readme, ROOT, config)))
    files.append(File.generated(config, 'interfaces.md', content=interfaces()))
    return files


def on_page_markdown(markdown: str, page: Any, config: MkDocsConfig, **_: Any) -> str:
    """Return a page of docs/ whose links to other files of the repository lead there."""
    if page.file.generated_by:
        return markdown
    return relinked(markdown, ROOT / 'docs', config)


def on_page_content(text: str, **_: Any) -> str:
    """Return a page with its formulas as MathML, which browsers draw without a script."""

    def drawn(found: re.Match[str]) -> str:
        display = 'block' if found[1] == 'div' else 'inline'
        return str(convert(html.unescape(found[3]), display=display))

    return _FORMULA.sub(drawn, text)


def relinked(markdown: str, folder: Path, config: MkDocsConfig) -> str:
    """Return Markdown of a folder with links that hold on the site."""
    docs = ROOT / 'docs'

    def led(found: re.Match[str]) -> str:
        target = (folder / found[2]).resolve()
        if not target.is_relative_to(ROOT) or not target.exists():
            return found[0]  # strict mode complains of it
        if target.is_relative_to(docs):
            way = target.relative_to(docs).as_posix()
        elif target in (ROOT / 'msg', ROOT / 'action'):
            way = 'interfaces.md'
        elif target == ROOT / 'README.md':
            way = 'index.md'
        else:
            kind = 'tree' if target.is_dir() else 'blob'
            way = f'{config.extra["repository"]}/{kind}/main/{target.relative_to(ROOT).as_posix()}'
        return f'{found[1]}{way}{found[3] or ""}'

    return _LINK.sub(led, markdown)


def interfaces() -> str:
    """Return a page with the definitions of all messages and actions."""
    parts = ['# Messages and actions', '']
    for file in [*sorted((ROOT / 'msg').iterdir()), *sorted((ROOT / 'action').iterdir())]:
        text = file.read_text(encoding='utf-8').rstrip()
        parts += [f'## iterprime_ros/{file.parent.name}/{file.stem}', '', f'```{_LANGUAGE}', text]
        parts += ['```', '']
    return '\n'.join(parts)
