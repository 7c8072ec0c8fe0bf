"""Which OpenGL this machine can render with when there is no screen.

Imports only the standard library: `make` asks it before anything is installed.
"""

import ctypes
import os
from importlib import import_module
from typing import Any

# EGL/eglext.h
_EGL_PLATFORM_DEVICE_EXT = 0x313F
_MAX_DEVICES = 16

BACKENDS = ('egl', 'osmesa')


class RenderingUnavailableError(RuntimeError):
    """No OpenGL that renders without a screen; the message says how to get one."""


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _egl_initialises() -> bool:
    """Return whether a driver stands behind libEGL: the loader alone renders nothing."""
    try:
        egl = ctypes.CDLL('libEGL.so.1')
    except OSError:
        return False
    address = egl.eglGetProcAddress
    address.restype = ctypes.c_void_p
    query, platform_display = (
        address(name) for name in (b'eglQueryDevicesEXT', b'eglGetPlatformDisplayEXT')
    )
    if not query or not platform_display:
        return False
    query_devices = ctypes.CFUNCTYPE(
        ctypes.c_uint, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_int)
    )(query)
    get_display = ctypes.CFUNCTYPE(
        ctypes.c_void_p, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p
    )(platform_display)
    egl.eglInitialize.argtypes = [ctypes.c_void_p] * 3

    devices = (ctypes.c_void_p * _MAX_DEVICES)()
    count = ctypes.c_int()
    if not query_devices(_MAX_DEVICES, devices, ctypes.byref(count)):
        return False
    for device in devices[: count.value]:
        display = get_display(_EGL_PLATFORM_DEVICE_EXT, device, None)
        # Not terminated again: a display is one for the whole process, and may be in use.
        if display and egl.eglInitialize(display, None, None):
            return True
    return False


def usable_gl_backend() -> str | None:
    """Return 'egl' or 'osmesa', whichever renders here (EGL first), or None."""
    if _loads('libOpenGL.so.0') and _egl_initialises():
        return 'egl'
    if _loads('libOSMesa.so.8') or _loads('libOSMesa.so'):
        return 'osmesa'
    return None


def make_context(width: int, height: int) -> Any:
    """Return a mujoco GLContext that renders without a screen; its methods are make_current, free.

    MUJOCO_GL=egl or osmesa overrules the choice.

    Raises:
        RenderingUnavailableError: nothing here renders, or not with what MUJOCO_GL names.
    """
    backend = os.environ.get('MUJOCO_GL') or usable_gl_backend()
    if backend not in BACKENDS:
        cause = f'MUJOCO_GL={backend} needs a screen' if backend else 'there is none yet'
        raise RenderingUnavailableError(
            f'The simulator needs an OpenGL that renders without a screen, and {cause}. '
            'apt-get install libegl1 libgl1-mesa-dri libopengl0 brings one; then unset MUJOCO_GL.'
        )
    try:
        # Not mujoco.GLContext: which one that is was settled when mujoco was first imported.
        return import_module(f'mujoco.{backend}').GLContext(width, height)
    except (ImportError, RuntimeError) as error:
        raise RenderingUnavailableError(f'OpenGL by {backend} does not start: {error}') from error
