"""The figure for a person who asks "why that one?"."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from iterprime_ros.answer import PartsReport, Segmentation, Status
from iterprime_ros.explain_heatmaps import (
    Draw,
    draw_over,
    has_word_heatmaps,
    mask_panel,
    round_panel,
    word_panels,
    word_text,
)
from iterprime_ros.explain_objects import (
    draw_objects,
    marked_candidates,
    relation_arrows,
    shown_candidates,
)
from iterprime_ros.explain_table import (
    Table,
    draw_table,
    header_height,
    place_tables,
    split_table,
    table_height,
    tables_of,
)
from iterprime_ros.render import overlay, overlay_instances

_WIDTH, _DPI = 15.0, 100  # inches, pixels an inch: 1500 pixels wide
_LEFT, _GAP, _TITLE, _LINE = 0.6, 0.15, 0.45, 0.24  # inches; a line is one of the facts or heading
_FEWEST_COLUMNS, _MOST_COLUMNS = 3, 4
_HEADING_CHARACTERS, _FACT_CHARACTERS = 110, 56  # that fit in a line
_EXPRESSION_CHARACTERS = 100  # of the expression that are repeated beside the answer
_TALLEST = 2.0  # height over width that a panel gets at most
_OBJECTS_WIDTH, _OBJECTS_HEIGHT = 6.6, 8.0  # inches, of the picture of all objects at most
_SHOWN_MASKS = 4
_RANKS = {
    'mean': 'the mean of the heatmap inside',
    'overlap': 'the overlap with the heatmap',
}
_COLOUR = {
    Status.FOUND: '#1a7f37',
    Status.FOUND_SEVERAL: '#1a7f37',
    Status.AMBIGUOUS: '#b35900',
    Status.NOT_FOUND: '#b3261e',
    Status.INVALID: '#b3261e',
}
_LEGEND = (
    'Every part is judged for every object, and the chances are multiplied. → 3: object 3 serves '
    'best as the anchor. Red: the part that speaks most against the object.'
)


@dataclass(frozen=True)
class _Panel:
    """Something drawn in axes: left, top, width and height in inches, from its row's corner."""

    place: tuple[float, float, float, float]
    draw: Draw
    has_frame: bool = True


@dataclass(frozen=True)
class _Row:
    """Panels beside each other, with a title at their left; height in inches."""

    title: str
    panels: list[_Panel]
    height: float


def explanation(image: NDArray[np.uint8], answer: Segmentation) -> Figure:
    """Return a figure, 1500 pixels wide, that explains an answer.

    image: (H, W, 3) uint8 RGB, the image that `answer` is about.

    Rows: the answer and the heatmap; every object of the frame with its chance, part by part, or
    the best masks with the measure that ranked them where one heatmap was read; every round with
    the patches that were hidden from it; every focus word's heatmap, unless all are flat.
    """
    aspect = min(image.shape[0] / image.shape[1], _TALLEST)
    facts = _facts(answer)
    rows = _rows('', _answer_row(image, answer, facts), aspect)
    rows[0] = _Row('', rows[0].panels, max(rows[0].height, _LINE * len(facts)))
    if answer.parts:
        rows.append(_objects_row(image, answer, answer.parts))
    rounds = [round_panel(image, each, n) for n, each in enumerate(answer.rounds)]
    rows += _rows('rounds', rounds, aspect)
    rows += _rows('words', word_panels(image, answer), aspect)
    if not answer.parts:
        best = range(len(answer.candidates[:_SHOWN_MASKS]))
        rows += _rows('masks', [mask_panel(image, answer, n) for n in best], aspect)
    command = answer.command.text if answer.command else ''
    heading = [*wrap(f'“{command}”', _HEADING_CHARACTERS), *wrap(answer.text, _HEADING_CHARACTERS)]
    return _figure(heading, _COLOUR[answer.status], rows)


def answer_overlay(image: NDArray[np.uint8], answer: Segmentation) -> NDArray[np.uint8]:
    """Return a copy of an image in which every object that is meant has a colour of its own.

    image: (H, W, 3) uint8 RGB, the image that `answer` is about.

    The rival of an ambiguous answer is among them.
    """
    marked = [answer.candidates[n].mask for n in marked_candidates(answer)]
    return overlay_instances(image, marked) if marked else overlay(image, answer.mask)


def _figure(heading: Sequence[str], colour: str, rows: Sequence[_Row]) -> Figure:
    top = 0.05 + 1.25 * _LINE * len(heading)
    height = top + sum(_TITLE + row.height for row in rows) + _GAP
    figure = Figure(figsize=(_WIDTH, height), dpi=_DPI)
    figure.suptitle(
        '\n'.join(heading),
        y=1 - 0.1 / height,
        fontsize=15,
        color=colour,
        weight='bold',
        parse_math=False,
    )
    for row in rows:
        top += _TITLE
        for number, panel in enumerate(row.panels):
            left, down, wide, tall = panel.place
            bottom = height - top - down - tall
            axes = figure.add_axes(
                ((_LEFT + left) / _WIDTH, bottom / height, wide / _WIDTH, tall / height)
            )
            panel.draw(axes)
            if panel.has_frame:
                axes.set_xticks([])
                axes.set_yticks([])
            if number == 0 and row.title:
                axes.set_ylabel(row.title, fontsize=13, weight='bold')
        top += row.height
    return figure


def _rows(title: str, draws: Sequence[Draw], aspect: float) -> list[_Row]:
    """Return panels of one size in as many rows as they need."""
    columns = min(max(len(draws), _FEWEST_COLUMNS), _MOST_COLUMNS)
    wide = (_WIDTH - _LEFT) / columns - _GAP
    tall = wide * aspect
    return [
        _Row(
            title if start == 0 else '',
            [
                _Panel((c * (wide + _GAP), 0, wide, tall), draw)
                for c, draw in enumerate(draws[start : start + columns])
            ],
            tall,
        )
        for start in range(0, len(draws), columns)
    ]


def _objects_row(image: NDArray[np.uint8], answer: Segmentation, report: PartsReport) -> _Row:
    """Return the picture of all objects with tables of their chances beside and below it."""
    shown = shown_candidates(answer, report)
    aspect = image.shape[0] / image.shape[1]
    wide = min(_OBJECTS_WIDTH, _OBJECTS_HEIGHT / aspect)
    tall = wide * aspect

    def picture(axes: Axes) -> None:
        draw_objects(axes, image, answer, shown, wide)
        hidden = len(answer.candidates) - len(shown)
        title = f'objects by chance; {hidden} more are not drawn' if hidden else 'objects by chance'
        axes.set_title(title if shown else 'no objects', fontsize=11)

    meant = marked_candidates(answer)
    arrows = relation_arrows(report, meant)
    width = _WIDTH - _LEFT - _GAP
    tables = [part for table in tables_of(report) for part in split_table(table, width)]
    header = header_height(tables)
    sizes = [(table.width, table_height(header, len(shown))) for table in tables]
    places = place_tables(sizes, wide + 2 * _GAP, width, tall)
    panels = [_Panel((0, 0, wide, tall), picture)]
    for table, size, place in zip(tables, sizes, places, strict=True):

        def chances(axes: Axes, table: Table = table) -> None:
            serving = {arrow.target for arrow in arrows if arrow.anchor == table.phrase}
            draw_table(axes, table, header, shown, set(meant) if table.is_whole else serving)

        panels.append(_Panel((*place, *size), chances, has_frame=False))
    height = max(tall, *(top + each[1] for (_, top), each in zip(places, sizes, strict=True)))

    def legend(axes: Axes) -> None:
        axes.set_axis_off()
        axes.text(0, 0.5, _LEGEND, va='center', fontsize=9.5, color='#444444')

    panels.append(_Panel((0, height + _GAP, width, _LINE), legend, has_frame=False))
    return _Row('objects', panels, height + _GAP + _LINE)


def _answer_row(image: NDArray[np.uint8], answer: Segmentation, lines: Sequence[str]) -> list[Draw]:
    def picture(axes: Axes) -> None:
        axes.imshow(answer_overlay(image, answer))
        axes.set_title(_answer_title(answer))

    def heat(axes: Axes) -> None:
        draw_over(axes, image, answer.heatmap)
        weighted = 'heatmap, weighted by the chances'
        axes.set_title(
            weighted if answer.parts else f'heatmap, match {answer.match_probability:.2f}'
        )

    def facts(axes: Axes) -> None:
        axes.set_axis_off()
        axes.text(
            0,
            1,
            '\n'.join(lines),
            va='top',
            fontsize=10.5,
            linespacing=1.5,
            parse_math=False,
        )

    return [picture, heat, facts]


def _answer_title(answer: Segmentation) -> str:
    if not answer.mask.any():
        return 'image (no mask)'
    if answer.status is Status.AMBIGUOUS and len(answer.candidates) > 1:
        return 'answer (green) and rival (orange)'
    return f'answer: {answer.instance_count} objects' if answer.instance_count > 1 else 'answer'


def _facts(answer: Segmentation) -> list[str]:
    """Return the lines beside the answer, none too long for their place."""
    facts = []
    if answer.command:
        command, shown = answer.command, answer.command.expression
        if len(shown) > _EXPRESSION_CHARACTERS:
            shown = f'{shown[:_EXPRESSION_CHARACTERS]} …'
        facts += [
            f'verb: {command.action_verb or "none"}',
            f'expression: {shown}',
            f'primary word: {_primary_word(answer)}',
        ]
    facts += [f'{stage}: {spent:.0f} ms' for stage, spent in answer.milliseconds.items()]
    if answer.word_heatmaps and not has_word_heatmaps(answer):
        facts.append('words: no heatmap of their own in this fusion block')
    if answer.parts:
        facts.append(f'objects: {len(answer.candidates)}, ranked by their chance')
    elif answer.candidates:
        facts.append(f'masks: ranked by {_RANKS[answer.ranked_by]}')
    facts += [f'note: {note}' for note in answer.notes]
    return [line for fact in facts for line in wrap(fact, _FACT_CHARACTERS)]


def _primary_word(answer: Segmentation) -> str:
    """Return the word that is the primary word or stands for it."""
    chosen = [word_text(answer, each) for each in answer.word_heatmaps if each.is_primary]
    command = answer.command
    if not chosen and command and command.primary_word:
        chosen = [command.expression[slice(*command.primary_word)]]
    return chosen[0] if chosen else 'none'
