"""What each data set consists of: its files, where they come from, and their licences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """Files that hold the annotations of a data set.

    name: whose form it is.
    files: patterns below the data root; {split} stands for a split, * for any text. The reader
        takes the layout whose first file is there.
    download: what to get from where, and where it goes; {root} stands for the data root.
    split_names: what {split} becomes where that is not the name of the split.
    """

    name: str
    files: tuple[str, ...]
    download: str
    split_names: Mapping[str, str] = field(default_factory=dict)

    def patterns(self, split: str) -> tuple[str, ...]:
        """Return the patterns of the files of a split."""
        name = self.split_names.get(split, split)
        return tuple(each.replace('{split}', name) for each in self.files)


@dataclass(frozen=True)
class Source:
    """Where a data set comes from.

    title: its name in papers, or what it is.
    splits: the default one first.
    layouts: in the order in which they are looked for; empty for what is not read from files.
    images: folders below the data root, one of which holds the images; {split} as in Layout.
    images_download: as in Layout.
    licence: of the annotations and of the images.
    """

    title: str
    splits: tuple[str, ...]
    layouts: tuple[Layout, ...] = ()
    images: tuple[str, ...] = ()
    images_download: str = ''
    licence: str = ''

    def image_folders(self, split: str) -> tuple[str, ...]:
        """Return the folders, one of which holds the images of a split."""
        return tuple(each.replace('{split}', split) for each in self.images)


def found(pattern: str, root: Path) -> list[Path]:
    """Return the files or folders of a pattern below the data root, sorted."""
    # A name may have the brackets that glob reads as a choice of letters, so * alone is special.
    folder, _, name = pattern.rpartition('/')
    if '*' in name:
        return sorted((root / folder).glob(name))
    return [root / pattern] if (root / pattern).exists() else []


def missing(source: Source, split: str, root: Path) -> list[str]:
    """Return what a split lacks, as patterns below the data root.

    Where there are several layouts these are the files of the one of which something is there,
    or of the first one.
    """
    lacking = [
        [each for each in layout.patterns(split) if not found(each, root)]
        for layout in source.layouts
    ]
    begun = [
        absent
        for layout, absent in zip(source.layouts, lacking, strict=True)
        if layout.patterns(split)[0] not in absent
    ]
    annotations = (begun or lacking)[:1]
    folders = source.image_folders(split)
    images = folders[:1] if not any(found(each, root) for each in folders) else ()
    return [*(each for absent in annotations for each in absent), *images]


def first_layout(layouts: Sequence[Layout], split: str, root: Path) -> Layout | None:
    """Return the first layout whose first file is there, or None."""
    return next((each for each in layouts if found(each.patterns(split)[0], root)), None)


def _refer(folder: str, split_by: str) -> Layout:
    # The end of the server: README.md of lichengunc/refer and its issues 14 and 26.
    return Layout(
        "refer.py's files",
        (f'{folder}/refs({split_by}).p', f'{folder}/instances.json'),
        f'{folder}.zip of https://github.com/lichengunc/refer, unpacked in {{root}}; its server is '
        'gone, and https://github.com/lichengunc/refer/issues/26 names copies in the Web Archive',
    )


def _referformer(folder: str) -> Layout:
    # wjn922/ReferFormer:docs/data.md.
    return Layout(
        "ReferFormer's JSON",
        (f'coco/{folder}/instances_{folder}_{{split}}.json',),
        'what tools/data/convert_refexp_to_coco.py of https://github.com/wjn922/ReferFormer makes '
        "of refer.py's files",
    )


def _hub(name: str, megabytes: int) -> Layout:
    # Files and size: https://huggingface.co/datasets/jxu124/refcoco and its like.
    return Layout(
        "the hub's parquet",
        (f'jxu124/{name}/data/{{split}}-*.parquet',),
        f'hf download jxu124/{name} --repo-type dataset --local-dir {{root}}/jxu124/{name} '
        f'({megabytes} MB)',
        {'val': 'validation', 'testA': 'test'},
    )


def _grefcoco(suffix: str, form: str, download: str) -> Layout:
    return Layout(form, (f'grefcoco/grefs(unc).{suffix}', 'grefcoco/instances.json'), download)


def _ref_zom(name: str, form: str, download: str) -> Layout:
    return Layout(form, (f'ref-zom/{name}', 'ref-zom/instances.json'), download)


def _video_expressions(folder: str, download: str) -> Layout:
    return Layout(
        "Ref-YouTube-VOS's files",
        (
            f'{folder}/meta_expressions/{{split}}/meta_expressions.json',
            f'{folder}/{{split}}/Annotations',
        ),
        download,
    )


_UNC_SPLITS = ('val', 'testA', 'testB', 'train')
# That of refer.py, and that of ReferFormer and IteRPrimE.
TRAIN_2014 = ('images/mscoco/images/train2014', 'coco/train2014')
TRAIN_2014_DOWNLOAD = (
    'train2014.zip (13 GB) of https://cocodataset.org/#download, unpacked in '
    '{root}/images/mscoco/images'
)
COCO_LICENCE = (
    "the masks are COCO's, CC BY 4.0; the images belong to their authors, under the Flickr terms "
    'of use (https://cocodataset.org/#termsofuse)'
)
# LICENSE of lichengunc/refer, and README.md of mjhucla/Google_Refexp_toolbox.
_REFER_LICENCE = f'the expressions come with refer.py, Apache-2.0; {COCO_LICENCE}'
_GOOGLE_LICENCE = f"the expressions are Google's, CC BY 4.0; {COCO_LICENCE}"
_PHRASECUT = 'VGPhraseCut_v0'
_RENDERED = ('test', 'held-out', 'calibration')

SOURCES: Mapping[str, Source] = {
    'tabletop': Source('rendered scenes of a table', _RENDERED),
    'tabletop-clutter': Source('rendered scenes of a crowded table', _RENDERED),
    'tabletop-stacked': Source('rendered scenes with objects on each other', _RENDERED),
    'tabletop-unseen': Source('rendered scenes with unknown kinds of objects', _RENDERED),
    'refcoco': Source(
        title='RefCOCO, split by UNC',
        splits=_UNC_SPLITS,
        layouts=(_refer('refcoco', 'unc'), _referformer('refcoco'), _hub('refcoco', 39)),
        images=TRAIN_2014,
        images_download=TRAIN_2014_DOWNLOAD,
        licence=_REFER_LICENCE,
    ),
    'refcoco+': Source(
        title='RefCOCO+, split by UNC',
        splits=_UNC_SPLITS,
        layouts=(_refer('refcoco+', 'unc'), _referformer('refcoco+'), _hub('refcocoplus', 40)),
        images=TRAIN_2014,
        images_download=TRAIN_2014_DOWNLOAD,
        licence=_REFER_LICENCE,
    ),
    'refcocog-umd': Source(
        title='RefCOCOg, split by UMD',
        splits=('val', 'test', 'train'),
        layouts=(_refer('refcocog', 'umd'), _referformer('refcocog'), _hub('refcocog', 46)),
        images=TRAIN_2014,
        images_download=TRAIN_2014_DOWNLOAD,
        licence=_GOOGLE_LICENCE,
    ),
    'refcocog-google': Source(
        title='RefCOCOg, split by Google',
        splits=('val', 'train'),
        layouts=(_refer('refcocog', 'google'),),
        images=TRAIN_2014,
        images_download=TRAIN_2014_DOWNLOAD,
        licence=_GOOGLE_LICENCE,
    ),
    'phrasecut': Source(
        title='PhraseCut',
        splits=('test', 'val', 'miniv', 'train'),
        layouts=(
            Layout(
                "PhraseCut's files",
                # README.md names image_data_split3000.json, download_dataset.py leaves out 3000.
                (f'{_PHRASECUT}/refer_{{split}}.json', f'{_PHRASECUT}/image_data_split*.json'),
                'python download_dataset.py -s test --download_img 0 in a clone of '
                'https://github.com/ChenyunWu/PhraseCutDataset (46 MB); it writes '
                'data/VGPhraseCut_v0 there, which belongs in {root}',
            ),
        ),
        images=(f'{_PHRASECUT}/images',),
        images_download='the same command without --download_img 0 (11 GB for all splits)',
        licence=(
            'none is named at https://github.com/ChenyunWu/PhraseCutDataset; the images are of '
            'Visual Genome (https://homes.cs.washington.edu/~ranjay/visualgenome)'
        ),
    ),
    'grefcoco': Source(
        title='gRefCOCO, split by UNC',
        splits=_UNC_SPLITS,
        layouts=(
            _grefcoco(
                'json',
                "gRefCOCO's JSON",
                'hf download FudanCVL/gRefCOCO --repo-type dataset --local-dir {root}/grefcoco, '
                'which https://github.com/henghuiding/gRefCOCO names',
            ),
            _grefcoco('p', 'the same as a pickle', 'whoever has it: grefer.py there reads both'),
        ),
        images=(*TRAIN_2014, 'images/train2014'),
        images_download=TRAIN_2014_DOWNLOAD,
        licence=f'none is named at https://github.com/henghuiding/gRefCOCO; {COCO_LICENCE}',
    ),
    'ref-zom': Source(
        title='Ref-ZOM',
        splits=('test', 'train'),
        layouts=(
            _ref_zom(
                'Ref-ZOM(final).p',
                "Ref-ZOM's pickle",
                'the Google Drive that https://github.com/toggle1995/RIS-DMMI names, in '
                '{root}/ref-zom',
            ),
            _ref_zom('refs(final).p', 'the same', 'there, renamed as its README.md says'),
        ),
        images=(
            *TRAIN_2014,
            *(each.replace('train2014', 'val2014') for each in TRAIN_2014),
            'images/train2014',
            'images/val2014',
            'images/trainval2014',
        ),
        images_download=(
            'train2014.zip (13 GB) and val2014.zip (6 GB) of https://cocodataset.org/#download, '
            'unpacked in {root}/images/mscoco/images'
        ),
        licence=f'none is named at https://github.com/toggle1995/RIS-DMMI; {COCO_LICENCE}',
    ),
    'clips': Source(
        'rendered clips of a table, in which the camera or objects move', ('test', 'calibration')
    ),
    'ref-davis17': Source(
        title='Ref-DAVIS17',
        splits=('valid', 'train'),
        layouts=(
            # docs/data.md there.
            _video_expressions(
                'ref-davis',
                'what tools/data/convert_davis_to_ytvos.py of '
                'https://github.com/wjn922/ReferFormer makes in {root}/ref-davis of '
                'DAVIS-2017-Unsupervised-trainval-480p.zip and DAVIS-2017_semantics-480p.zip of '
                'https://davischallenge.org/davis2017/code.html and of '
                'davis_text_annotations.zip of https://www.mpi-inf.mpg.de/departments/'
                'computer-vision-and-machine-learning/research/video-segmentation/'
                'video-object-segmentation-with-language-referring-expressions',
            ),
        ),
        images=('ref-davis/{split}/JPEGImages',),
        images_download='the same zip files',
        licence='see the addresses above',
    ),
    'ref-youtube-vos': Source(
        title='Ref-YouTube-VOS; the masks of its other splits are not published',
        splits=('train',),
        layouts=(
            _video_expressions(
                'ref-youtube-vos',
                'train.zip and meta_expressions.zip of '
                'https://competitions.codalab.org/competitions/29139, which '
                'https://youtube-vos.org/dataset/rvos names, unpacked in {root}/ref-youtube-vos',
            ),
        ),
        images=('ref-youtube-vos/{split}/JPEGImages',),
        images_download='the same files',
        licence='see https://youtube-vos.org/dataset/rvos',
    ),
    'mevis': Source(
        title='MeViS; the masks of its other splits are not published',
        splits=('valid_u', 'train'),
        layouts=(
            Layout(
                "MeViS's files",
                ('mevis/{split}/meta_expressions.json', 'mevis/{split}/mask_dict.json'),
                'https://codalab.lisn.upsaclay.fr/competitions/15094, which '
                'https://github.com/henghuiding/MeViS names, unpacked in {root}/mevis',
            ),
        ),
        images=('mevis/{split}/JPEGImages',),
        images_download='the same',
        licence=(
            'CC BY-NC-SA 4.0, for non-commercial research alone (README.md of '
            'https://github.com/henghuiding/MeViS)'
        ),
    ),
}
