"""What is in a saved recording of Rerun."""

from rerun.chunk import RrdReader


class Recording:
    """A recording, read back.

    timeline: the one by whose times its values are found.
    """

    def __init__(self, path, timeline):
        self.values, self.static, self.timelines = {}, [], set()
        for chunk in RrdReader(path).stream():
            entity = str(chunk.entity_path).lstrip('/')
            rows = chunk.to_record_batch().to_pydict()
            self.timelines.update(chunk.timeline_names)
            if chunk.is_static:
                self.static.append(entity)
            times = [None] * chunk.num_rows if chunk.is_static else rows[timeline]
            for component, column in rows.items():
                if ':' in component:
                    known = self.values.setdefault((entity, component), {})
                    known.update(
                        {t: v for t, v in zip(times, column, strict=True) if v is not None}
                    )

    @property
    def entities(self):
        return {entity for entity, _ in self.values}

    def rows(self, entity, component):
        """Return {time: values} of a component."""
        return self.values.get((entity, component), {})

    def scalars(self, entity):
        """Return {time: value} of a curve."""
        return {t: value for t, (value,) in self.rows(entity, 'Scalars:scalars').items()}
