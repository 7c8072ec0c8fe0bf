"""The grammar of spoken commands, in the JSpeech Grammar Format (W3C note, June 2000).

Weights in slashes say how often people say what; they are rough, and the same for all words of a
class.
"""

import re
from collections.abc import Iterable

from iterprime_ros.speech.vocabulary import Vocabulary

NAME = 'commands'  # of the grammar and of its public rule

_RULES = """#JSGF V1.0;
grammar {name};
public <{name}> = /0.92/ <request> | /0.05/ <reply> | /0.03/ stop;
<request> = (/0.05/ <thing> | /0.9/ <start> <order> <thing> | /0.05/ <start> pick <thing> up)
  (/0.85/ <NULL> | /0.15/ please);
<start> = /0.4/ <NULL> | /0.6/ <opening>;
<opening> = please | (could | can | would) you [please] | i want you to | robot | now;
<order> = (pick | lift) up | grab | grasp | take | find | fetch | lift | touch | push | get [me]
  | (bring | give | show | pass) me | hand (me | over) | point (at | to) | look at | move [to];
<thing> = /0.96/ <one> | /0.04/ <several>;
<one> = /0.85/ the <placed> | /0.15/ <described>;
<placed> = (/0.8/ <NULL> | /0.2/ <first>) <described> (/0.5/ <NULL> | /0.5/ <where>);
<described> = <attributes> <noun>;
<several> = all <many> | (the | all the | all of the) <many> [on the <side> [side]];
<many> = <attributes> <plural>;
<first> = leftmost | rightmost | closest | nearest | farthest | furthest | middle | biggest
  | largest | smallest | second | third;
<where> = /0.35/ <place> | /0.5/ [that is] <relation> <anchor>
  | /0.05/ [that is] between <anchor> and <anchor> | /0.1/ (that | which) is <property>;
<place> = [counting] from the <side> | furthest to the <side> | at the far <side>
  | closest to the camera | farthest (away | from the camera) | in the (middle | centre)
  | /3/ [that is] on the <side> [side];
<property> = /2/ the (smallest | biggest){properties};
<anchor> = the <described> (/0.9/ <NULL> | /0.1/ <place>);
<relation> = left of | to the left of | right of | to the right of | behind | in back of
  | in front of | next to | beside | near | close to | on | on top of | under | beneath
  | underneath;
<reply> = [no] the [other | <first> | left | right{adjectives}] one
  | [no] the (first | second | third) | yes | no | neither | never mind;
<side> = left | right;
<attributes> = {attributes};
<noun> = {nouns};
<plural> = {plurals};
"""


def grammar(vocabulary: Vocabulary) -> str:
    """Return the grammar of orders, replies and "stop" about the things of a vocabulary."""
    optional, properties, adjectives, rules = [], '', '', ''
    if vocabulary.sizes:
        optional.append('[<size>]')
        properties += ' | not <size>'
        adjectives += ' | <size>'
        rules += f'<size> = {_either(vocabulary.sizes)};\n'
    if vocabulary.colours:
        optional.append('[<colour>]')
        properties += ' | /3/ <colour> | /3/ not <colour>'
        adjectives += ' | <colour>'
        rules += f'<colour> = {_either(vocabulary.colours)};\n'
    described = _RULES.format(
        name=NAME,
        attributes=' '.join(optional) or '<NULL>',
        properties=properties,
        adjectives=adjectives,
        nouns=_either(vocabulary.nouns),
        plurals=_either(vocabulary.plurals),
    )
    return described + rules


def words_of(text: str) -> list[str]:
    """Return the words of a grammar, sorted."""
    rules = re.sub(r'<\w+>|/[^/]*/', ' ', text.partition('public')[2])
    return sorted(set(re.findall(r"[^\W\d_][\w'-]*", rules)))


def _either(words: Iterable[str]) -> str:
    return ' | '.join(words)
