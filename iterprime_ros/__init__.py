"""Language-guided perception for robots: which pixels does a command refer to?"""

from pkgutil import extend_path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from iterprime_ros.pipeline import IteRPrimE as IteRPrimE

# The generated messages (iterprime_ros.msg, iterprime_ros.action) live in the colcon install space.
# Extending the path finds them there also when this source tree comes first on sys.path.
__path__ = extend_path(__path__, __name__)

__version__ = '0.1.0'


def __getattr__(name: str) -> Any:
    # Importing the package, or its messages, must not import PyTorch (PEP 562).
    if name == 'IteRPrimE':
        from iterprime_ros.pipeline import IteRPrimE

        return IteRPrimE
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
