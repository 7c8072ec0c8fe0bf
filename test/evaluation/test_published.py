"""The file of published figures as a program reads it."""

from decimal import Decimal

import pytest
import yaml

from iterprime_ros.evaluation.published import PUBLISHED, published_figures

SPLITS = {
    'refcoco': {'val', 'testA', 'testB'},
    'refcoco+': {'val', 'testA', 'testB'},
    'refcocog-umd': {'val', 'test'},
    'refcocog-google': {'val'},
    'phrasecut': {'val', 'test'},
    'grefcoco': {'val', 'testA', 'testB'},
    'ref-zom': {'test'},
}


def test_figures_keep_the_digits_of_their_source():
    (found,) = [each for each in published_figures('refcoco', 'testB') if each.method == 'GL-CLIP']
    assert (found.overall_iou, found.mean_iou) == (Decimal('24.60'), Decimal('26.55'))
    assert str(found.overall_iou) == '24.60'
    assert found.source.host == 'github.com'


def test_a_figure_that_was_not_read_is_none():
    (found,) = [each for each in published_figures('refcoco', 'val') if each.method == 'IteRPrimE']
    assert found.overall_iou is None
    assert found.mean_iou is None


def test_nothing_is_published_on_a_split_that_is_not_in_the_file():
    assert published_figures('refcoco', 'train') == ()
    assert published_figures('tabletop', 'test') == ()


def test_the_file_names_data_sets_and_splits_that_exist():
    for entry in yaml.safe_load(PUBLISHED.read_text(encoding='utf-8')):
        for dataset, splits in entry['figures'].items():
            assert set(splits) <= SPLITS[dataset]
            for split in splits:
                assert entry['method'] in {
                    each.method for each in published_figures(dataset, split)
                }


@pytest.mark.parametrize(
    'damage',
    [
        {'source': 'a paper'},
        {'figures': {'refcoco': {'val': {'oIoU': '124.60'}}}},
        {'figures': {'refcoco': {'val': {'oiou': '24.60'}}}},
        {'year': 2023},
    ],
)
def test_a_damaged_file_is_refused(damage, tmp_path):
    entry = {
        'method': 'GL-CLIP',
        'settings': 'SAM',
        'source': 'https://example.org',
        'figures': {},
    }
    path = tmp_path / 'published.yaml'
    path.write_text(yaml.safe_dump([{**entry, **damage}]), encoding='utf-8')
    with pytest.raises(ValueError, match='validation error'):
        published_figures('refcoco', 'val', path)
