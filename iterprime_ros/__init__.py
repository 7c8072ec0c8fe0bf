"""Language-guided perception for robots: which pixels does a command refer to?"""

from pkgutil import extend_path

# The generated messages (iterprime_ros.msg, iterprime_ros.action) live in the colcon install space.
# Extending the path finds them there also when this source tree comes first on sys.path.
__path__ = extend_path(__path__, __name__)

__version__ = '0.1.0'
