"""Make .venv-lavis, the virtual environment that `make test-lavis` and the profile `lavis` run in.

salesforce-lavis 1.0.2 needs transformers 4.26, which the rest of the package cannot use, and names
versions of other packages that are too old for this Python. So it and what else does so are
installed without their requirements, and the requirements that are used as constraints-lavis.txt
has them.

Standard library only: it runs before anything is installed.
"""

import os
import shutil
import subprocess
import sys

from make_venv import ROOT, base_interpreter, run_logged

VENV = ROOT / '.venv-lavis'
CONSTRAINTS = ROOT / 'constraints-lavis.txt'
PYTHON = (3, 11)  # the newest for which tokenizers 0.13, of transformers 4.26, has a wheel
WITHOUT_REQUIREMENTS = (
    *('torchvision', 'timm', 'fairscale', 'salesforce-lavis', 'segment-anything', 'contexttimer'),
)
REQUIREMENTS = (
    # of LAVIS
    *('transformers', 'opencv-python-headless', 'numpy', 'spacy', 'decord', 'webdataset'),
    *('omegaconf', 'iopath', 'einops', 'pandas', 'pycocotools', 'pycocoevalcap', 'sentencepiece'),
    *('ftfy', 'scikit-image', 'pillow'),
    # of this package
    *('matplotlib', 'pydantic', 'PyYAML', 'safetensors', 'scipy', 'tqdm'),
    # of the tests
    *('hypothesis', 'pytest'),
)


def interpreter() -> str:
    """Return a Python of the version that is needed; exit with a sentence where there is none."""
    if sys.version_info[:2] == PYTHON:
        return base_interpreter()
    name = 'python{}.{}'.format(*PYTHON)
    found = shutil.which(name)
    if found is None:
        sys.exit(f'LAVIS needs {name}: its transformers 4.26 does not install on a newer Python. '
                 'Install it and run make again.')  # fmt: skip
    return found


def create() -> None:
    """Make .venv-lavis anew and install everything into it."""
    chosen = interpreter()
    print(f'Making {VENV} (LAVIS, torch; 2 GB): some minutes, once.', flush=True)
    subprocess.run([chosen, '-m', 'venv', '--clear', str(VENV)], check=True)
    python, log = str(VENV / 'bin' / 'python'), VENV / 'install.log'
    pip = [python, '-m', 'pip', 'install', '--disable-pip-version-check', '-c', str(CONSTRAINTS)]
    run_logged([*pip, 'setuptools', 'wheel', 'torch'], log)
    run_logged([*pip, '--no-deps', *WITHOUT_REQUIREMENTS], log)
    run_logged([*pip, *REQUIREMENTS], log)
    run_logged([*pip, '--no-deps', '--no-build-isolation', '--editable', str(ROOT)], log)


if __name__ == '__main__':
    os.environ.pop('VIRTUAL_ENV', None)  # a venv inside an activated one would see its packages
    create()
