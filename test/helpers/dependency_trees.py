"""Checks of dependency parses, and a small treebank."""

CONLLU = """\
# text = Don't open the door.
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\tVB\tMood=Imp|VerbForm=Fin\t3\taux\t_\t_
2\tn't\tnot\tPART\tRB\tPolarity=Neg\t3\tadvmod\t_\t_
3\topen\topen\tVERB\tVB\tVerbForm=Inf\t0\troot\t_\t_
4\tthe\tthe\tDET\tDT\tDefinite=Def\t5\tdet\t_\t_
5\tdoor\tdoor\tNOUN\tNN\tNumber=Sing\t3\tobj\t_\tSpaceAfter=No
6\t.\t.\tPUNCT\t.\t_\t3\tpunct\t_\tSpaceAfter=No

# text = He opened it
1\tHe\the\tPRON\tPRP\t_\t2\tnsubj\t_\t_
2\topened\topen\tVERB\tVBD\tMood=Ind|Tense=Past|VerbForm=Fin\t0\troot\t_\t_
3\tit\tit\tPRON\tPRP\t_\t2\tobj\t_\t_

"""


def root(doc):
    return next(token for token in doc if token.dep_ == 'ROOT')


def assert_projective(doc):
    """Assert that all words of a spaCy document lead to one root, and that no arcs cross."""
    heads = [token.head.i for token in doc]
    assert [index for index, head in enumerate(heads) if index == head] == [root(doc).i]
    for word in range(len(doc)):
        index, visited = word, set()
        while heads[index] != index:
            assert index not in visited
            visited.add(index)
            index = heads[index]
    arcs = [tuple(sorted((index, head))) for index, head in enumerate(heads) if index != head]
    for left, right in arcs:
        for start, end in arcs:
            assert not left < start < right < end
