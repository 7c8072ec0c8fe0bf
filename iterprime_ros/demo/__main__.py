"""Run one node of the demo, as in `python -m iterprime_ros.demo client`.

`iterprime demo` starts all of them.
"""

import sys

from iterprime_ros.ros.entry_point import start_by_name

NODES = {
    'client': 'iterprime_ros.demo.client',
    'console': 'iterprime_ros.demo.console',
    'pick': 'iterprime_ros.demo.pick',
    'watch': 'iterprime_ros.demo.watch',
}

if __name__ == '__main__':
    sys.exit(start_by_name('iterprime_ros.demo', NODES))
