"""Which OpenGL this machine can render with when there is no screen.

Standard library only: `make` asks it before anything is installed.
"""

import ctypes
import os
import sys

# EGL/eglext.h
_EGL_PLATFORM_DEVICE_EXT = 0x313F
_MAX_DEVICES = 16


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
    egl.eglTerminate.argtypes = [ctypes.c_void_p]

    devices = (ctypes.c_void_p * _MAX_DEVICES)()
    count = ctypes.c_int()
    if not query_devices(_MAX_DEVICES, devices, ctypes.byref(count)):
        return False
    for device in devices[: count.value]:
        display = get_display(_EGL_PLATFORM_DEVICE_EXT, device, None)
        if display and egl.eglInitialize(display, None, None):
            egl.eglTerminate(display)
            return True
    return False


def usable_gl_backend() -> str | None:
    """Return 'egl' or 'osmesa', whichever renders here (EGL first), or None."""
    if _loads('libOpenGL.so.0') and _egl_initialises():
        return 'egl'
    if _loads('libOSMesa.so.8') or _loads('libOSMesa.so'):
        return 'osmesa'
    return None


def select_gl_backend() -> str:
    """Set MUJOCO_GL, unless the user has, and return its value. Call before importing mujoco.

    Raises:
        RenderingUnavailableError: nothing here renders without a screen, or mujoco was imported
            before a choice was made.
    """
    chosen = os.environ.get('MUJOCO_GL')
    if chosen:
        return chosen
    if 'mujoco' in sys.modules:
        raise RenderingUnavailableError(
            'mujoco was imported before iterprime_ros.sim could choose how to render: '
            'import iterprime_ros.sim.renderer first, or set MUJOCO_GL=egl.'
        )
    backend = usable_gl_backend()
    if backend is None:
        raise RenderingUnavailableError(
            'No OpenGL renders here without a screen; '
            'apt-get install libegl1 libgl1-mesa-dri libopengl0 brings one.'
        )
    os.environ['MUJOCO_GL'] = backend
    return backend
