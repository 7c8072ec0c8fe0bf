"""Detection and creation of OpenGL contexts that render without a screen.

This module imports only the standard library: `make` runs it before anything is installed.
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
    """OpenGL cannot render without a screen here; the message says what to install."""


def _can_load(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _egl_initialises() -> bool:
    """Return whether libEGL finds a working driver: the library alone renders nothing."""
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
        # No eglTerminate: the display is shared by the whole process and may be in use.
        if display and egl.eglInitialize(display, None, None):
            return True
    return False


def usable_gl_backend() -> str | None:
    """Return the backend that renders on this machine, EGL before OSMesa; None if neither does."""
    if _can_load('libOpenGL.so.0') and _egl_initialises():
        return 'egl'
    if _can_load('libOSMesa.so.8') or _can_load('libOSMesa.so'):
        return 'osmesa'
    return None


def make_context(width: int, height: int) -> Any:
    """Return a MuJoCo GLContext, with methods make_current and free, that needs no screen.

    The environment variable MUJOCO_GL (egl or osmesa) overrides the detected backend.

    Raises:
        RenderingUnavailableError: no backend works, or the one in MUJOCO_GL does not.
    """
    backend = os.environ.get('MUJOCO_GL') or usable_gl_backend()
    if backend not in BACKENDS:
        cause = f'MUJOCO_GL={backend} is not one' if backend else 'none was found'
        raise RenderingUnavailableError(
            'The simulator needs an OpenGL backend that renders without a screen (egl or osmesa), '
            f'and {cause}: run apt-get install libegl1 libgl1-mesa-dri libopengl0 and unset '
            'MUJOCO_GL.'
        )
    try:
        # Not mujoco.GLContext: its backend is fixed when mujoco is first imported.
        return import_module(f'mujoco.{backend}').GLContext(width, height)
    except (ImportError, RuntimeError) as error:
        raise RenderingUnavailableError(
            f'The OpenGL backend {backend} does not start ({error}): set MUJOCO_GL to the other of '
            f'{" and ".join(BACKENDS)}, or reinstall the driver.'
        ) from error
