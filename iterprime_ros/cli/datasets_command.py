"""What `iterprime datasets` does: say which files are here, and where the others come from."""

import argparse
import textwrap
from collections.abc import Iterator
from pathlib import Path

from iterprime_ros.cli.interrupts import exit_on_interrupt
from iterprime_ros.cli.standard_streams import say
from iterprime_ros.evaluation.datasets.sources import SOURCES, Source, missing

_WIDTH = 100


@exit_on_interrupt()
def list_datasets(options: argparse.Namespace) -> int:
    """Print what each data set consists of, and return the exit code."""
    for name in [options.name] if options.name else SOURCES:
        source = SOURCES[name]
        say(f'{name}: {source.title}')
        for line in _lines(source, options.data_root):
            _say_wrapped(line)
    return 0


def _lines(source: Source, root: Path) -> Iterator[str]:
    default, *others = source.splits
    yield f'splits: {", ".join([f"{default} (default)", *others])}'
    if not source.layouts:
        yield 'nothing to download: the scenes are rendered'
        return
    by_lack: dict[tuple[str, ...], list[str]] = {}
    for split in source.splits:
        by_lack.setdefault(tuple(missing(source, split, root)), []).append(split)
    for lack, splits in by_lack.items():
        paths = ', '.join(str(root / path) for path in lack)
        yield f'{", ".join(splits)}: {f"missing {paths}" if paths else "here"}'
    alternative = ''
    for layout in source.layouts:
        files = dict.fromkeys(
            str(root / path) for split in source.splits for path in layout.patterns(split)
        )
        yield f'{alternative}{layout.name}: {", ".join(files)}'
        yield f'  from {layout.download.replace("{root}", str(root))}'
        alternative = 'or '
    folders = dict.fromkeys(
        str(root / path) for split in source.splits for path in source.image_folders(split)
    )
    yield f'images: {" or ".join(folders)}'
    yield f'  from {source.images_download.replace("{root}", str(root))}'
    yield f'licence: {source.licence}'


def _say_wrapped(line: str) -> None:
    """Print a line, of which every word stays whole: it may be an address to copy."""
    text = line.lstrip()
    indent = '  ' + ' ' * (len(line) - len(text))
    for part in textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + '    ',
        break_long_words=False,
        break_on_hyphens=False,
    ):
        say(part)
