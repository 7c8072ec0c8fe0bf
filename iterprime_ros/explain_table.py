"""Tables of how every object was judged part by part: objects x parts of a noun phrase."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from iterprime_ros.answer import PartsReport
from iterprime_ros.language.phrase import NounPhrase, RelationConstraint, Superlative
from iterprime_ros.render import instance_colour
from iterprime_ros.spatial.reasoner import Constraint, Reasoning
from iterprime_ros.spatial.words import superlative_name

# All in inches.
NUMBER_WIDTH, COLUMN_WIDTH = 0.45, 0.93
_ROW, _LINE, _TITLE_LINE, _MARGIN, _APART = 0.25, 0.16, 0.2, 0.06, 0.2
_TITLE_LETTER = 0.085  # width of a letter of a title
_HEADING_CHARACTERS, _HEADING_LINES, _TITLE_LINES = 13, 5, 4
WITH_ANCHOR = 0.05  # truth of a relation from which the anchor is worth naming
_DOUBTFUL = 0.5  # chance below which a part speaks against an object
_SHADES = LinearSegmentedColormap.from_list('chances', ['#ffffff', '#dff0e3', '#8fd3a1'])
_AGAINST, _RULE = '#b3261e', '#9aa0a6'


@dataclass(frozen=True, eq=False)
class Column:
    """One part of a noun phrase, judged for N candidates.

    heading: the part in words.
    chances: (N,) float64 in [0, 1].
    anchors: (N, A) int64, the candidates that serve each candidate best as anchors; -1 for none,
        and where the relation does not hold at all.
    is_product: whether it is the product of the columns before it.
    """

    heading: str
    chances: NDArray[np.float64]
    anchors: NDArray[np.int64]
    is_product: bool = False


@dataclass(frozen=True, eq=False)
class Table:
    """A noun phrase, judged for N candidates.

    title: the noun phrase without its constraints, and what it is for.
    columns: its parts; more than one end with their product.
    phrase: the noun phrase.
    is_whole: whether it is the whole phrase, and not an anchor in it.
    """

    title: str
    columns: tuple[Column, ...]
    phrase: NounPhrase
    is_whole: bool

    @property
    def width(self) -> float:
        """In inches."""
        return NUMBER_WIDTH + COLUMN_WIDTH * len(self.columns)


def tables_of(report: PartsReport) -> list[Table]:
    """Return a table for every noun phrase, the outermost first, over the answer's candidates."""
    tables = [_table(report, report.reasoning)]
    seen = [report.reasoning]
    for parent in report.reasoning.all():
        for factor in parent.factors:
            for anchor in factor.anchors:
                # "between the plates" gives one anchor twice.
                if any(anchor.phrase == each.phrase for each in seen):
                    continue
                seen.append(anchor)
                tables.append(_table(report, anchor, relation_words(factor.constraint)))
    return tables


def split_table(table: Table, width: float) -> list[Table]:
    """Return a table as tables that are no wider than a width in inches."""
    most = max(1, int((width - NUMBER_WIDTH) / COLUMN_WIDTH))
    count = -(-len(table.columns) // most)
    pieces = np.array_split(np.arange(len(table.columns)), count)
    return [
        Table(
            table.title if not k else f'{table.title}, continued',
            tuple(table.columns[c] for c in piece),
            table.phrase,
            table.is_whole,
        )
        for k, piece in enumerate(pieces)
    ]


def relation_words(constraint: Constraint) -> str:
    """Return a constraint without its anchors: 'left of', 'not left of', 'on the left', 'closest'.

    A superlative with an anchor ends with the preposition before it.
    """
    if isinstance(constraint, Superlative):
        join = {'farthest': ' from'}.get(constraint.order.value, ' to') if constraint.anchor else ''
        return superlative_name(constraint) + join
    value = (
        constraint.relation if isinstance(constraint, RelationConstraint) else constraint.side
    ).value
    return f'not {value}' if constraint.is_negated else value


def header_height(tables: Sequence[Table]) -> float:
    """Return the height in inches above the first row that all of some tables can have."""
    titles = max(len(_title_lines(table)) for table in tables)
    headings = max(len(_heading_lines(column)) for table in tables for column in table.columns)
    return _TITLE_LINE * titles + _LINE * headings + _MARGIN


def table_height(header: float, row_count: int) -> float:
    """Return the height in inches of a table with a header and a number of rows."""
    return header + _ROW * row_count + _MARGIN


def place_tables(
    sizes: Sequence[tuple[float, float]], beside: float, width: float, height: float
) -> list[tuple[float, float]]:
    """Return where tables go, left and top in inches: beside a picture, else below it.

    sizes: their widths and heights.
    beside: where the room beside the picture begins.
    width: of the whole row; no table is wider.
    height: of the picture.
    """
    places = []
    start, x, top, tallest = beside, beside, 0.0, 0.0
    for wide, tall in sizes:
        if x + wide > width:  # a new line of tables
            x, top, tallest = start, top + tallest, 0.0
        if start and (x + wide > width or (top > 0 and top + tall > height)):
            start = x = 0.0
            top, tallest = max(top, height) + _ROW, 0.0
        places.append((x, top))
        x, tallest = x + wide + _APART, max(tallest, tall + _ROW)
    return places


def draw_table(
    axes: Axes, table: Table, header: float, rows: Sequence[int], marked: Set[int]
) -> None:
    """Draw rows of a table in axes of its size.

    header: the height above the first row, in inches.
    rows: the candidates that are drawn, in this order.
    marked: the candidates whose rows stand out.
    """
    axes.set_xlim(0, table.width)
    axes.set_ylim(table_height(header, len(rows)), 0)
    axes.set_axis_off()
    for k, line in enumerate(_title_lines(table)):
        _write(axes, 0, _TITLE_LINE * (k + 0.5), line, fontsize=10, ha='left', weight='bold')
    for c, column in enumerate(table.columns):
        x = NUMBER_WIDTH + COLUMN_WIDTH * (c + 0.5)
        for k, line in enumerate(reversed(_heading_lines(column))):
            weight = 'bold' if column.is_product else 'normal'
            _write(axes, x, header - _MARGIN - _LINE * (k + 0.5), line, fontsize=8.5, weight=weight)
    axes.plot([0, table.width], [header, header], color=_RULE, linewidth=1)
    best = _best(table, rows)
    for r, n in enumerate(rows):
        y = header + _ROW * r
        _draw_number(axes, n, y)
        worst = _worst(table, n)
        for c, column in enumerate(table.columns):
            x = NUMBER_WIDTH + COLUMN_WIDTH * c
            chance = column.chances[n]
            axes.add_patch(
                Rectangle((x, y), COLUMN_WIDTH, _ROW, facecolor=_SHADES(chance), edgecolor='white')
            )
            is_bold = n in marked or n == best or (column.is_product and c > 0)
            _write(
                axes,
                x + COLUMN_WIDTH / 2,
                y + _ROW / 2,
                _cell_text(column, n),
                fontsize=8.5,
                color=_AGAINST if c == worst else 'black',
                weight='bold' if is_bold else 'normal',
            )
        if n in marked:
            axes.add_patch(
                Rectangle(
                    (0.02, y + 0.01),
                    table.width - 0.04,
                    _ROW - 0.02,
                    fill=False,
                    edgecolor=instance_colour(n)[0],
                    linewidth=2,
                    zorder=3,
                )
            )


def _table(report: PartsReport, reasoning: Reasoning, anchor_of: str = '') -> Table:
    order = np.array(report.objects, dtype=np.intp)
    place = np.full(len(order) + 1, -1, dtype=np.int64)
    place[order] = np.arange(len(order))  # place[-1] stays -1: no anchor
    phrase = reasoning.phrase
    none = np.empty((len(order), 0), np.int64)
    columns = [Column('match', reasoning.match[order], none)]
    if phrase.excluded:
        heading = ' or '.join(f'“{text}”' for text in phrase.excluded)
        columns.append(Column(f'not {heading}', reasoning.excluded[order], none))
    for factor in reasoning.factors:
        negated = getattr(factor.constraint, 'is_negated', False)
        truths = 1 - factor.chances if negated else factor.chances
        anchors = none if factor.best_anchors is None else place[factor.best_anchors[order]]
        anchors = np.where(truths[order, None] >= WITH_ANCHOR, anchors, -1)
        texts = dict.fromkeys(f'“{anchor.phrase.text}”' for anchor in factor.anchors)
        heading = f'{relation_words(factor.constraint)} {" and ".join(texts)}'.strip()
        columns.append(Column(heading, factor.chances[order], anchors))
    if len(columns) > 1:
        columns.append(Column('chance', reasoning.beliefs[order], none, is_product=True))
    what = f', anchor of “{anchor_of}”' if anchor_of else ''
    return Table(f'“{phrase.text}”{what}', tuple(columns), phrase, not anchor_of)


def _best(table: Table, rows: Sequence[int]) -> int:
    """Return the drawn candidate that the phrase fits best, if it fits any; else -1."""
    chances = table.columns[-1].chances[list(rows)]
    return rows[int(chances.argmax())] if chances.max(initial=0) >= _DOUBTFUL else -1


def _worst(table: Table, n: int) -> int:
    """Return the column of the whole phrase that speaks most against a candidate, else -1."""
    if not table.is_whole:
        return -1
    parts = [each.chances[n] for each in table.columns if not each.is_product]
    least = int(np.argmin(parts)) if parts else -1
    return least if parts and parts[least] < _DOUBTFUL else -1


def _cell_text(column: Column, n: int) -> str:
    anchors = [str(each + 1) for each in column.anchors[n] if each >= 0]
    return f'{column.chances[n]:.2f}' + (f' → {", ".join(anchors)}' if anchors else '')


def _title_lines(table: Table) -> list[str]:
    return _cut(table.title, int(table.width / _TITLE_LETTER), _TITLE_LINES)


def _heading_lines(column: Column) -> list[str]:
    return _cut(column.heading, _HEADING_CHARACTERS, _HEADING_LINES)


def _cut(text: str, characters: int, lines: int) -> list[str]:
    wrapped = wrap(text, characters)
    if len(wrapped) > lines:
        wrapped = [*wrapped[: lines - 1], f'{wrapped[lines - 1][: characters - 2]} …']
    return wrapped


def _draw_number(axes: Axes, n: int, y: float) -> None:
    colour, letters = instance_colour(n)
    axes.add_patch(Rectangle((0.04, y + 0.03), NUMBER_WIDTH - 0.1, _ROW - 0.06, facecolor=colour))
    _write(
        axes, NUMBER_WIDTH / 2 - 0.01, y + _ROW / 2, str(n + 1), color=letters, weight='bold',
        fontsize=9,
    )  # fmt: skip


def _write(axes: Axes, x: float, y: float, text: str, ha: str = 'center', **style: object) -> None:
    axes.text(x, y, text, ha=ha, va='center_baseline', parse_math=False, **style)  # type: ignore[arg-type]
