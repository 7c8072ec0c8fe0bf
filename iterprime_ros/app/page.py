"""The page itself: what stands where, and what a click asks. Imports Gradio, so import it late."""

import html
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import torch
from numpy.typing import NDArray

from iterprime_ros.app.desk import Desk, description
from iterprime_ros.errors import InvalidImageError, InvalidSettingError, IterprimeError

QUEUED = 16  # requests that wait at most
_KEEP_S = 3600  # a file that was uploaded or drawn is kept for
_LAST_SCENE = 2**31 - 1
_HEIGHT = 490  # pixels of the pictures of an answer
_EXAMPLES = [
    [4, 'the capsule behind the yellow cube'],
    [2, 'all the cubes'],
    [7, 'the second bottle from the right'],
    [7, 'the orange mug behind the bottle'],
    [1, 'pick up the purple cylinder'],
    [3, 'the red mug'],
]
_FIRST_SCENE = 4
_INTRODUCTION = (
    '# Which object is meant?\n'
    'Take a picture, say which object you mean, and see the answer and what it was made of.'
)
CSS = """
.gradio-container {max-width: 1360px !important; margin: 0 auto}
#parse textarea {font-family: ui-monospace, monospace; font-size: 13px; white-space: pre;
  overflow-x: auto}
#rounds .thumbnail-item {aspect-ratio: 4 / 3}
"""


def theme() -> gr.Theme:
    """Return the theme, whose fonts are those of the system: none is fetched."""
    return gr.themes.Soft(font=['system-ui', 'sans-serif'], font_mono=['ui-monospace', 'monospace'])


def build_page(desk: Desk) -> gr.Blocks:
    """Return the page; its requests go to the desk. GRADIO_TEMP_DIR is where its files go."""
    with gr.Blocks(
        title='iterprime', analytics_enabled=False, delete_cache=(_KEEP_S // 6, _KEEP_S)
    ) as page:
        gr.Markdown(_INTRODUCTION)
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=360):
                picture = gr.Image(
                    label='Picture',
                    sources=['upload', 'webcam', 'clipboard'],
                    type='filepath',
                    format='png',
                    height=390,
                    # A mirrored picture would exchange left and right.
                    webcam_options=gr.WebcamOptions(mirror=False),
                    buttons=['fullscreen'],
                    elem_id='picture',
                )
                scene = _table_row(desk, picture)
                command = gr.Textbox(
                    label='Command',
                    placeholder='pick up the red mug',
                    max_lines=3,
                    elem_id='command',
                    submit_btn=False,
                )
                with gr.Row(equal_height=True):
                    profile = gr.Dropdown(
                        list(desk.profiles),
                        value=desk.profiles[0],
                        label='Profile',
                        scale=2,
                        elem_id='profile',
                    )
                    button = gr.Button('Find it', variant='primary', scale=1, elem_id='find')
                about = gr.Markdown(html.escape(description(desk.profiles[0])), elem_id='about')
            with gr.Column(scale=6, min_width=420):
                outputs = _answer()
        if scene is not None:
            _examples(desk, scene, command, picture)
        profile.change(_about, profile, about, api_visibility='private', show_progress='hidden')
        gr.on(
            [button.click, command.submit],
            _segmenter(desk),
            [picture, command, profile],
            outputs,
            api_name='segment',
            api_description='Answer a command about an image file.',
            preprocess=False,  # Gradio would decode the file, whatever its size and format
            concurrency_limit=1,
            trigger_mode='once',
        )
    return page.queue(max_size=QUEUED, default_concurrency_limit=1, api_open=False)


def _table_row(desk: Desk, picture: gr.Image) -> gr.Number | None:
    """Add what chooses a scene of the simulated table; None and a remark where there is none."""
    if not desk.has_table:
        gr.Markdown(html.escape(desk.table_remark), elem_id='no-table')
        return None
    with gr.Row(equal_height=True):
        scene = gr.Number(
            _FIRST_SCENE,
            label='Scene of the simulated table',
            precision=0,
            minimum=0,
            maximum=_LAST_SCENE,
            scale=2,
            elem_id='scene',
        )
        show = gr.Button('Show scene', scale=1, elem_id='show')
    gr.on(
        [show.click, scene.submit],
        _scene_renderer(desk),
        scene,
        picture,
        api_name='scene',
        api_description='Return the picture of a scene of the simulated table, by its number.',
        preprocess=False,
        concurrency_limit=1,
        show_progress='minimal',
    )
    return scene


def _examples(desk: Desk, scene: gr.Number, command: gr.Textbox, picture: gr.Image) -> None:
    render = _scene_renderer(desk)

    async def choose(number: Any, _: str) -> NDArray[np.uint8]:
        return await render(number)

    gr.Examples(
        _EXAMPLES,
        [scene, command],
        picture,
        choose,
        run_on_click=True,
        cache_examples=False,
        label='Examples',
        example_labels=[f'scene {number}: {text}' for number, text in _EXAMPLES],
        api_visibility='private',
    )


def _answer() -> list[gr.components.Component]:
    """Add what shows the answer, and return it in the order of the endpoint's results."""
    with gr.Row():
        status = gr.Textbox(
            label='Status', interactive=False, scale=1, min_width=130, elem_id='status'
        )
        text = gr.Textbox(label='Text', interactive=False, scale=4, max_lines=4, elem_id='text')
    with gr.Tabs():
        with gr.Tab('Answer'):
            picture = _shown_image('What is meant', 'answer')
        with gr.Tab('Mask'):
            mask = _shown_image('Mask', 'mask')
        with gr.Tab('Rounds and words'):
            rounds = _gallery('Heatmap of every round and of every word', 'rounds', preview=False)
        with gr.Tab('Candidates'):
            candidates = _gallery('Candidates', 'candidates', preview=True)
            table = gr.Dataframe(interactive=False, show_label=False, elem_id='table')
        with gr.Tab('Parse'):
            parse = gr.Textbox(
                label='How the command was understood',
                lines=20,
                max_lines=24,
                interactive=False,
                elem_id='parse',
            )
    notes = gr.Textbox(label='Notes', interactive=False, max_lines=6, elem_id='notes')
    return [picture, mask, status, text, notes, rounds, candidates, table, parse]


def _shown_image(label: str, name: str) -> gr.Image:
    return gr.Image(
        label=label,
        show_label=False,
        format='png',
        interactive=False,
        height=_HEIGHT,
        buttons=['download', 'fullscreen'],
        elem_id=name,
    )


def _gallery(label: str, name: str, preview: bool) -> gr.Gallery:
    return gr.Gallery(
        label=label,
        show_label=False,
        format='png',
        columns=2,
        height=_HEIGHT,
        object_fit='contain',
        preview=preview,
        interactive=False,
        buttons=['download', 'fullscreen'],
        elem_id=name,
    )


def _segmenter(desk: Desk) -> Any:
    async def segment(
        picture: Mapping[str, Any] | None, command: str | None, profile: str
    ) -> tuple[Any, ...]:
        """Answer a command about an image file."""
        with _sentences():
            path = picture.get('path') if picture else None
            if not picture or not path:
                raise InvalidImageError(
                    'There is no picture: upload one, use the camera, or show a scene.'
                )
            name = str(picture.get('orig_name') or 'The picture')
            shown = await desk.segment(Path(path), name, str(command or ''), str(profile))
        table = {'headers': shown.headers, 'data': shown.rows}
        return (
            *(shown.picture, shown.mask, shown.status, shown.text, shown.notes),
            *(shown.rounds, shown.candidates, table, shown.parse),
        )

    return segment


def _scene_renderer(desk: Desk) -> Any:
    async def render(number: Any) -> NDArray[np.uint8]:
        """Return the picture of a scene of the simulated table."""
        with _sentences():
            is_number = isinstance(number, int | float) and not isinstance(number, bool)
            if not is_number or number != int(number) or not 0 <= number <= _LAST_SCENE:
                raise InvalidSettingError(
                    f'There is no such scene: give a whole number from 0 to {_LAST_SCENE}.'
                )
            return await desk.scene(int(number))

    return render


def _about(profile: str) -> str:
    return html.escape(description(profile))


@contextmanager
def _sentences() -> Iterator[None]:
    """Turn errors into sentences on the page; what is not ours is also printed, as it is."""
    try:
        yield
    except IterprimeError as error:
        raise _sentence(str(error)) from None
    except (MemoryError, torch.OutOfMemoryError):
        raise _sentence('The memory is full: take a smaller profile or picture.') from None
    except Exception:
        traceback.print_exc()
        raise _sentence(
            'This is a fault of iterprime: report it with the lines that its terminal shows.'
        ) from None


def _sentence(text: str) -> gr.Error:
    # The page would draw what is HTML in a message.
    return gr.Error(html.escape(text, quote=False), duration=None, print_exception=False)
