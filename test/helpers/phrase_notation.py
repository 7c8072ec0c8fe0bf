"""The notation of noun phrases in test/language/phrases.yaml."""

import re


def notation(phrase):
    """Return a noun phrase in the notation, its constraints sorted."""
    mark = ('*' if phrase.is_plural else '') + (str(phrase.count) if phrase.count else '')
    constraints = [f'not "{text}"' for text in phrase.excluded]
    for each in phrase.superlatives:
        rank = f' {each.rank}' if each.rank != 1 else ''
        anchor = f' to ({notation(each.anchor)})' if each.anchor else ''
        constraints.append(f'{each.order.value}{rank}{anchor}')
    for each in phrase.sides:
        constraints.append('not ' * each.is_negated + each.side.value)
    for each in phrase.relations:
        anchors = list(dict.fromkeys(map(notation, each.anchors)))
        words = ' '.join(f'({anchor})' for anchor in anchors)
        constraints.append(f'{"not " * each.is_negated}{each.relation.value} {words}')
    return _joined(phrase.text + mark, constraints)


def normal_form(text):
    """Return a text in the notation with its constraints sorted."""
    text = re.sub(r'\(([^()\[\]]*)\)', r'(\1)', text)
    start = text.find('[')
    if start < 0:
        return text
    parts, depth, part = [], 0, ''
    for letter in text[start + 1 : -1]:
        depth += (letter in '([') - (letter in ')]')
        if letter == ';' and not depth:
            parts.append(part)
            part = ''
        else:
            part += letter
    return _joined(text[:start].strip(), [_sorted_inside(each.strip()) for each in (*parts, part)])


def _sorted_inside(constraint):
    """Return a constraint with the constraints of its anchors sorted."""
    result, depth, anchor = '', 0, ''
    for letter in constraint:
        if letter == ')':
            depth -= 1
            if not depth:
                result += normal_form(anchor)
                anchor = ''
        if depth:
            anchor += letter
        else:
            result += letter
        if letter == '(':
            depth += 1
            if depth == 1:
                anchor = ''
    return result


def _joined(text, constraints):
    return f'{text} [{"; ".join(sorted(constraints))}]' if constraints else text
