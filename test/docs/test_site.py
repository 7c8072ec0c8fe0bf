"""The documentation site is built in strict mode, and what the hooks make of a page."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import docs_hooks
import pytest
from docstring_lists import with_lists
from mkdocs.config import load_config

ROOT = Path(__file__).resolve().parents[2]


class Links(HTMLParser):
    """The ids of a page, and where it leads."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.targets = set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids.update(filter(None, [given.get('id'), given.get('name')]))
        self.targets.update(filter(None, [given.get('href'), given.get('src')]))


@pytest.fixture(scope='session')
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp('site')
    command = [sys.executable, '-m', 'mkdocs', 'build', '--quiet', '--site-dir', str(folder)]
    built = subprocess.run(
        command, cwd=ROOT, env={**os.environ, 'NO_MKDOCS_2_WARNING': '1'}, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    assert not built.stderr
    return {file.relative_to(folder).as_posix(): file for file in folder.rglob('*')}


def test_every_page_and_picture_that_is_linked_exists(site):
    pages = {name: Links(file.read_text()) for name, file in site.items() if file.suffix == '.html'}
    assert {'index.html', 'api.html', 'interfaces.html', 'picking.html'} <= pages.keys()
    for name, page in pages.items():
        for target in page.targets:
            if re.match(r'[a-z]+:|//|/', target) or name == '404.html':
                continue
            path, _, anchor = target.partition('#')
            path = path.partition('?')[0] or name
            assert path in site or path == '.', f'{name}: {target}'
            if anchor and path in pages:
                assert anchor in pages[path].ids, f'{name}: {target}'


def test_links_out_of_the_documentation_lead_to_files_of_the_repository(site):
    base = load_config(str(ROOT / 'mkdocs.yml')).extra['repository']
    for name in ('index.html', 'picking.html', 'extending.html'):
        for target in Links(site[name].read_text()).targets:
            if found := re.match(rf'{base}/(?:blob|tree)/main/([^#]+)', target):
                assert (ROOT / found[1]).exists(), target


def test_formulas_are_mathml(site):
    text = site['picking.html'].read_text()
    assert text.count('<math') > 5
    assert 'arithmatex' not in text


def test_the_api_has_signatures_and_lists(site):
    text = site['api.html'].read_text()
    assert 'segment_many' in text
    assert '<li><code>depth</code>' in re.sub(r'\s*<p>', '', text)


def test_messages_are_shown_whole(site):
    text = docs_hooks.interfaces()
    for file in [*(ROOT / 'msg').iterdir(), *(ROOT / 'action').iterdir()]:
        assert file.read_text().strip() in text


def test_links_of_the_first_page_hold_on_the_site():
    config = load_config(str(ROOT / 'mkdocs.yml'))
    text = '[a](docs/picking.md#grasps) [b](setup.py) [c](msg) ![d](docs/demo.png) [e](none.md)'
    setup = f'{config.extra["repository"]}/blob/main/setup.py'
    assert docs_hooks.relinked(text, ROOT, config) == (
        f'[a](picking.md#grasps) [b]({setup}) [c](interfaces.md) ![d](demo.png) [e](none.md)'
    )


def test_names_in_docstrings_become_a_list():
    text = (
        'Return it.\n\nimage: (H, W, 3) uint8,\n    RGB.\nrows, columns: how many.\n\nRaises: no.'
    )
    assert with_lists(text) == (
        'Return it.\n\n- `image`: (H, W, 3) uint8,\n    RGB.\n- `rows, columns`: how many.\n\n'
        'Raises: no.'
    )
