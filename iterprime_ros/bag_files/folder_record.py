"""What was asked about the bags of a folder, and what came of each, kept beside the outputs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.render import atomic_write

_NAME = '.asked.json'


class FolderRecord:
    """The record in a folder of outputs.

    codes: the exit codes of the bags that were answered, by the names of their outputs.
    """

    def __init__(self, folder: Path, asked: Mapping[str, Any], codes: dict[str, int]) -> None:
        self._path, self._asked = folder / _NAME, asked
        self.codes = codes

    def note(self, output: str, code: int) -> None:
        """Keep the exit code of a bag. Raises UnwritableError."""
        self.codes[output] = code
        self.save()

    def save(self) -> None:
        """Write the record. Raises UnwritableError."""
        content = {'asked': self._asked, 'codes': dict(sorted(self.codes.items()))}
        with atomic_write(self._path) as part:
            part.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')


def read_record(folder: Path, asked: Mapping[str, Any], has_outputs: bool) -> FolderRecord:
    """Return the record in a folder, an empty one where there is none.

    asked: commands and settings, as JSON has them.
    has_outputs: whether an output that belongs to a bag is in the folder.

    Raises InvalidSettingError for outputs of which nobody knows what was asked, or something else.
    """
    path = folder / _NAME
    try:
        content = json.loads(path.read_bytes())
        before, codes = content['asked'], content['codes']
        names = [name for name in asked if before.get(name) != asked[name]]
    except FileNotFoundError:
        if has_outputs:
            raise InvalidSettingError(
                f'{folder} holds outputs that no run on this folder began: name another with --out.'
            ) from None
        return FolderRecord(folder, asked, {})
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidSettingError(
            f'{path} is damaged ({error}): name another folder with --out.'
        ) from error
    if names:
        raise InvalidSettingError(
            f'{folder} holds answers to another question, which differs in {", ".join(names)}: '
            'name another folder with --out.'
        )
    return FolderRecord(folder, asked, codes)
