"""The reports of an evaluation, as files in a folder."""

from pathlib import Path

from iterprime_ros.evaluation.contact_sheet import contact_sheets
from iterprime_ros.evaluation.datasets.dataset import Dataset, InvalidDatasetError
from iterprime_ros.evaluation.outcome_log import RecordedEvaluation
from iterprime_ros.evaluation.report import report_text, results_of, write_json
from iterprime_ros.render import atomic_write


def write_reports(out: Path, recorded: RecordedEvaluation, dataset: Dataset) -> None:
    """Write report.md, results.json and the contact sheets of an evaluation; print the report.

    dataset: the whole data set that was evaluated.

    Raises InvalidDatasetError without a question, and UnwritableError.
    """
    outcomes = recorded.outcomes()
    if not outcomes:
        raise InvalidDatasetError(
            f'Data set {recorded.header["dataset"]}, split {dataset.split}, has no questions.'
        )
    facts = _facts(recorded, len(outcomes))
    results = results_of(outcomes)
    baselines = {name: results_of(recorded.outcomes(name)) for name in recorded.header['baselines']}
    report = report_text(facts, results, baselines)
    with atomic_write(out / 'report.md') as path:
        path.write_text(report + '\n', encoding='utf-8')
    with atomic_write(out / 'results.json') as path:
        write_json(path, {**facts, 'settings': recorded.header['settings']}, results, baselines)
    for name, sheet in contact_sheets(recorded, dataset).items():
        with atomic_write(out / name) as path:
            sheet.savefig(path, format='png')
    print(report)


def _facts(recorded: RecordedEvaluation, questions: int) -> dict[str, object]:
    header = recorded.header
    number, total = header['shard']
    has_depth = any(image.has_depth for image in recorded.images.values())
    return {
        'profile': header['profile'],
        'dataset': header['dataset'],
        'split': header['split'],
        **({} if total == 1 else {'shard': f'{number} of {total}'}),
        **({} if header['limit'] is None else {'limit': header['limit']}),
        'images': len(recorded.images),
        'provenance': header['provenance'],
        'questions': questions,
        'depth': 'given' if has_depth else 'not given',
        **{name: header[name] for name in ('device', 'iterprime_ros', 'torch', 'python')},
        **({'notice': notice} if (notice := header['settings']['notice']) else {}),
    }
