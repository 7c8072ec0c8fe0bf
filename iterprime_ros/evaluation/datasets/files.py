"""Files of data sets: JSON, pickles of plain containers, and images."""

import hashlib
import json
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from pydantic import TypeAdapter, ValidationError

from iterprime_ros.evaluation.datasets.dataset import InvalidDatasetError
from iterprime_ros.limits import MAX_PIXELS

Content = TypeVar('Content')


def read_json(path: Path, dataset: str, keep: Callable[[dict[str, Any]], Any] | None = None) -> Any:
    """Return what a JSON file holds.

    dataset: name of the data set, for the error message.
    keep: what to put in the place of each object as soon as it is read; for files that are larger
        than what is needed of them.

    Raises InvalidDatasetError for a file that is missing or no JSON.
    """
    return _read(path, dataset, 'JSON', partial(json.loads, object_hook=keep))


def read_pickle(path: Path, dataset: str) -> Any:
    """Return the plain containers, texts and numbers that a pickle holds, and run nothing.

    dataset: name of the data set, for the error message.

    Byte strings of Python 2 are texts in UTF-8, or in Latin-1 where they are not UTF-8.

    Raises InvalidDatasetError for a file that is missing, is no pickle or names any class or
    function: a pickle that does so can run any code.
    """
    return _read(path, dataset, 'pickle', _unpickle)


def read_rgb(path: Path, size: tuple[int, int] | None, dataset: str) -> NDArray[np.uint8]:
    """Return an image as (H, W, 3) uint8 RGB, as it is stored: EXIF does not turn it.

    size: rows and columns that the annotations give; None where they give none.
    dataset: name of the data set, for the error message.

    The content decides on the format, not the name.

    Raises InvalidDatasetError for a file that is missing, is no image or has another size.
    """
    image: NDArray[np.uint8] = _read(path, dataset, 'image', _decode_image)
    if size is not None:
        _check_size(path, image.shape, size, 'annotation', dataset)
    return image


def read_indices(path: Path, size: tuple[int, int], dataset: str) -> NDArray[np.uint8]:
    """Return the numbers (H, W) uint8 of the pixels of an indexed PNG, whatever its palette.

    size: rows and columns that it should have.
    dataset: name of the data set, for the error message.

    Raises InvalidDatasetError for a file that is missing, is no such image or has another size.
    """
    indices: NDArray[np.uint8] = _read(path, dataset, 'indexed image', _decode_indices)
    _check_size(path, indices.shape, size, 'image', dataset)
    return indices


def validated(schema: TypeAdapter[Content], content: object, path: Path, dataset: str) -> Content:
    """Return the content of a file in the form that it should have.

    Raises InvalidDatasetError for another form.
    """
    try:
        return schema.validate_python(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = '.'.join(map(str, first['loc']))
        damaged(path, f'{where}: {first["msg"]}' if where else first['msg'], dataset)


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with path.open('rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def check_files(paths: list[Path], dataset: str) -> None:
    """Raise InvalidDatasetError for the first of some files that is not there."""
    missing = [path for path in paths if not path.is_file()]
    if missing:
        count = f'; {len(missing)} of {len(paths)} are missing' if missing[1:] else ''
        raise InvalidDatasetError(
            f'Cannot read {missing[0]} (no such file{count}): {where_to_find(dataset)}.'
        )


def damaged(path: Path, reason: str, dataset: str) -> NoReturn:
    """Raise InvalidDatasetError for a file that can be read and whose content makes no sense.

    reason: what is wrong with it, which goes on from 'is damaged', such as 'no list of phrases'.
    dataset: name of the data set.
    """
    raise InvalidDatasetError(f'{path} is damaged ({reason}): {where_to_find(dataset)}.')


def where_to_find(dataset: str) -> str:
    """Return the cure that messages name."""
    return f'iterprime datasets {dataset} says what to download'


def _read(path: Path, dataset: str, kind: str, decode: Callable[[bytes], Any]) -> Any:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise InvalidDatasetError(
            f'Cannot read {path} (no such file): {where_to_find(dataset)}.'
        ) from error
    except OSError as error:
        raise InvalidDatasetError(f'Cannot read {path}: {error.strerror}.') from error
    try:
        return decode(content)
    except MemoryError:
        raise
    except Exception as error:  # pickle and Pillow report damage by errors of many types
        reason = ' '.join(str(error).split()).rstrip('.') or type(error).__name__
        raise InvalidDatasetError(
            f'{path} is no {kind}, or damaged ({reason}): {where_to_find(dataset)}.'
        ) from error


def _check_size(
    path: Path, shape: tuple[int, ...], size: tuple[int, int], other: str, dataset: str
) -> None:
    """Raise InvalidDatasetError for an image of another size than what belongs to it."""
    if shape[:2] != size:
        raise InvalidDatasetError(
            f'{path} has {shape[0]} x {shape[1]} pixels (rows x columns) and its {other} '
            f'{size[0]} x {size[1]}: {where_to_find(dataset)}.'
        )


class _PlainUnpickler(pickle.Unpickler):
    """Without a class or function by name, nothing in a pickle can be called."""

    def find_class(self, module_name: str, global_name: str) -> NoReturn:
        raise pickle.UnpicklingError(f'it asks for {module_name}.{global_name}')


def _unpickle(content: bytes) -> Any:
    try:
        try:
            return _PlainUnpickler(BytesIO(content), encoding='utf-8').load()
        except UnicodeDecodeError:
            return _PlainUnpickler(BytesIO(content), encoding='latin-1').load()
    except MemoryError as error:  # a few damaged bytes may claim any size
        raise pickle.UnpicklingError('it asks for more memory than there is') from error


def _decode_image(content: bytes) -> NDArray[np.uint8]:
    with _opened(content, ('JPEG', 'PNG')) as opened:
        return np.asarray(opened.convert('RGB'))


def _decode_indices(content: bytes) -> NDArray[np.uint8]:
    with _opened(content, ('PNG',)) as opened:
        if opened.mode not in ('P', 'L'):
            raise InvalidDatasetError(f'its pixels are {opened.mode}, not indices')
        return np.asarray(opened)


@contextmanager
def _opened(content: bytes, formats: tuple[str, ...]) -> Iterator[Image.Image]:
    try:
        with Image.open(BytesIO(content), formats=formats) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise InvalidDatasetError(f'more than {MAX_PIXELS:,} pixels')
            yield opened
    except UnidentifiedImageError as error:
        raise InvalidDatasetError(f'not {" or ".join(formats)}') from error
