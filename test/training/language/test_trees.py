"""Dependency trees: their text and their conversion to spaCy documents."""

import spacy

from iterprime_ros.training.language.trees import Tree, to_doc


def test_the_text_has_the_spaces_of_english():
    owner = Tree('man', 'NOUN', 'nmod:poss', right=(Tree("'s", 'PART', 'case'),))
    tree = Tree('hat', 'NOUN', left=(owner,), right=(Tree('.', 'PUNCT', 'punct'),))
    assert tree.capitalised().text == "Man's hat."
    doc = to_doc(tree, spacy.blank('en').vocab)
    assert [(token.text, token.head.text, token.dep_) for token in doc] == [
        ('man', 'hat', 'nmod:poss'),
        ("'s", 'man', 'case'),
        ('hat', 'hat', 'ROOT'),
        ('.', 'hat', 'punct'),
    ]
