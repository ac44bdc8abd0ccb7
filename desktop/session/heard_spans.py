"""HeardSpans: which parts of a file the running transcription has heard."""

from dataclasses import dataclass

SAME_S = 0.05  # the ends of neighbours differ by rounding only

Span = tuple[float, float]
"""Start and end in seconds."""


@dataclass(frozen=True, slots=True)
class HeardSpans:
    """Spans in order, apart from each other."""

    spans: tuple[Span, ...] = ()

    @property
    def edge_s(self) -> float:
        """Up to where everything has been heard."""
        return self.spans[0][1] if self.spans and self.spans[0][0] <= SAME_S else 0.0

    def with_span(self, start_s: float, end_s: float) -> "HeardSpans":
        """Add a span; one that was heard before begins the next round.

        Of a mix the drums are heard first, from start to end, then the pitched notes.
        """
        if any(start_s < end - SAME_S and end_s > start + SAME_S for start, end in self.spans):
            return HeardSpans(((start_s, end_s),))
        joined: list[Span] = []
        for start, end in sorted([*self.spans, (start_s, end_s)]):
            if joined and start - joined[-1][1] <= SAME_S:
                joined[-1] = (joined[-1][0], end)
            else:
                joined.append((start, end))
        return HeardSpans(tuple(joined))


NOTHING_HEARD = HeardSpans()
