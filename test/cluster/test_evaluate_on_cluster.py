"""`iterprime evaluate --ray` writes the files that one process writes."""

QUESTIONS = ['--split', 'calibration', '--limit', '4', '--baseline', 'grad-cam']


def test_the_files_are_those_of_one_process(tmp_path, address, run, contents_of):
    one, many = tmp_path / 'one', tmp_path / 'many'
    code, said, err = run('evaluate', *QUESTIONS, '--out', str(one))
    assert code == 0, err
    # Some of the images are there already, the others come from two workers in any order.
    many.mkdir()
    lines = (one / 'outcomes.jsonl').read_bytes().splitlines(keepends=True)
    (many / 'outcomes.jsonl').write_bytes(lines[0] + lines[3])
    arguments = ['--out', str(many), '--resume', '--ray', address]
    assert run('evaluate', *QUESTIONS, *arguments)[:2] == (0, said)
    assert contents_of(many) == contents_of(one)
