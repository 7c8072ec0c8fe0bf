"""Pickles as Python 2 writes them, in protocol 2: texts of ASCII are byte strings there."""

import struct


def dumps(value):
    """Return a pickle of dicts, lists, texts, whole numbers and None."""
    return b'\x80\x02' + _opcodes(value) + b'.'


def _opcodes(value):
    if value is None:
        return b'N'
    if isinstance(value, str):
        content = value.encode()
        letter = b'T' if value.isascii() else b'X'
        return letter + struct.pack('<i', len(content)) + content
    if isinstance(value, int):
        return b'J' + struct.pack('<i', value)
    if isinstance(value, list):
        return b'](' + b''.join(map(_opcodes, value)) + b'e'
    pairs = (_opcodes(key) + _opcodes(each) for key, each in value.items())
    return b'}(' + b''.join(pairs) + b'u'
