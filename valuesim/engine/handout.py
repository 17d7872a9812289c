"""Which worker is handed which episode next, and what becomes of those of a worker that is lost."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from valuesim.engine.budget import Ledger
from valuesim.engine.chains import Chains
from valuesim.engine.crew import Hired
from valuesim.engine.experience import cell
from valuesim.engine.parcels import Made, Named, Parcel, Report
from valuesim.engine.shutdown import Shutdown
from valuesim.engine.waiting import Waiting
from valuesim.episode import EpisodeSpec
from valuesim.log import RunWriter
from valuesim.log.lines import GONE

MOST_LOSSES = 3
"""How many workers are lost in an episode before it is given up."""
_ALONE_AFTER = 2


@dataclass(kw_only=True, slots=True)
class Post:
    """The place of one worker, whoever fills it: what it has, and what was told of that.

    `chained` are those that follow, in their chains, on what it finished. `pending` is the report
    that is waited for.
    """

    index: int
    segment: str
    worker: Hired | None = None
    pending: asyncio.Future[Report] | None = None
    under_way: dict[str, EpisodeSpec] = field(default_factory=dict)
    chained: deque[EpisodeSpec] = field(default_factory=deque)
    told: dict[str, Made] = field(default_factory=dict)
    paused: Mapping[str, str] = field(default_factory=dict)
    idle_losses: int = 0
    is_over: bool = False


def cells_of(specs: Sequence[EpisodeSpec]) -> list[EpisodeSpec]:
    """Return the first episode of each cell of a plan, in its order."""
    return list({cell(spec): spec for spec in reversed(specs)}.values())[::-1]


class Handout:
    """The episodes of a run that have not begun, and those that were lost; hands them to posts.

    Each post has at most `seats` episodes under way, and as many in reserve where nothing limits
    what is spent. What was lost with a worker comes first again; what was lost twice comes last,
    and is played with nothing beside it, so that an episode that ends its worker is told apart
    from those that were under way there by chance.
    """

    def __init__(
        self,
        plan: Sequence[EpisodeSpec],
        to_begin: Sequence[EpisodeSpec],
        *,
        seats: int,
        posts: Sequence[Post],
        writer: RunWriter,
        chains: Chains,
        ledger: Ledger,
        stop: Shutdown,
    ) -> None:
        self._cells = {cell(spec): place for place, spec in enumerate(cells_of(plan))}
        self._seats, self._posts = seats, posts
        self._writer, self._chains, self._ledger, self._stop = writer, chains, ledger, stop
        self._waiting = Waiting(to_begin, seats * len(posts), ledger.experience)
        self._again: deque[EpisodeSpec] = deque()
        self._suspects: deque[EpisodeSpec] = deque()
        self._losses: Counter[str] = Counter()
        self._segments = len(posts)

    def may_need(self, post: Post) -> bool:
        """Return whether `post` has, or may come to have, something to play."""
        if post.under_way:
            return True
        if self._stop.begun.is_set():
            return False
        return bool(self._left) or any(each.under_way or each.chained for each in self._posts)

    def parcels(self, post: Post) -> list[Parcel]:
        """Return what `post` is to be given now; it then has that under way.

        Where a budget has no room for what would be next, the run's end begins.
        """
        picked: list[Parcel] = []
        while (spec := self._following(post)) is not None:
            if refusal := self._ledger.refusal(spec):
                self._stop.spend(refusal)
            elif self._ledger.has_room(spec):
                self._pop(post)
                self._ledger.begin(spec)
                post.under_way[spec.id] = spec
                picked.append(self._parcel(spec))
                continue
            break
        return picked

    def ended(self, post: Post, id: str) -> EpisodeSpec:
        """Take an episode from `post`, and return it."""
        post.told.pop(id, None)
        post.idle_losses = 0
        return post.under_way.pop(id)

    def go_on(self, post: Post, spec: EpisodeSpec) -> None:
        """Let `post` play what follows in the chain of `spec`, which it finished."""
        post.chained.extend(self._chains.behind(spec)[:1])

    def lost(self, spec: EpisodeSpec) -> str | None:
        """Take back an episode of a worker that is lost; return why, where it is given up."""
        self._losses[spec.id] += 1
        times = self._losses[spec.id]
        if times >= MOST_LOSSES:
            return f"{GONE}, {times} times"
        if self._stop.begun.is_set():
            return GONE
        (self._suspects if times >= _ALONE_AFTER else self._again).append(spec)
        return None

    def vacate(self, post: Post, *, renamed: bool) -> None:
        """Free `post` for another worker, with a segment of another name where it is `renamed`."""
        post.under_way.clear()
        post.told.clear()
        self._again.extend(post.chained)
        post.chained.clear()
        post.paused, post.pending, post.worker, post.is_over = {}, None, None, False
        if renamed:
            post.segment = f"w{self._segments:03d}"
            self._segments += 1

    @property
    def under_way(self) -> int:
        """How many episodes are played at the moment; those in reserve have not begun."""
        return sum(min(len(post.under_way), self._seats) for post in self._posts)

    @property
    def _left(self) -> int:
        return len(self._waiting) + len(self._again) + len(self._suspects)

    def _following(self, post: Post) -> EpisodeSpec | None:
        """Return what `post` would be given next; None where it has enough, or nothing is left."""
        if self._stop.begun.is_set() or len(post.under_way) >= self._room(post):
            return None
        for queue in (post.chained, self._again):
            if queue:
                return queue[0]
        if (spec := self._waiting.peek()) is not None:
            return spec
        return self._suspects[0] if self._suspects and not post.under_way else None

    def _pop(self, post: Post) -> None:
        for queue in (post.chained, self._again):
            if queue:
                queue.popleft()
                return
        if len(self._waiting):
            self._waiting.take()
        else:
            self._suspects.popleft()

    def _room(self, post: Post) -> int:
        """Return how many episodes `post` may have."""
        if any(self._losses[id] >= _ALONE_AFTER for id in post.under_way):
            return 0
        reserve = 0 if self._ledger.is_limited else min(self._seats, self._left // 4)
        under_way = sum(len(each.under_way) for each in self._posts)
        share = -(-(self._left + under_way) // len(self._posts))
        return min(self._seats + reserve // len(self._posts), max(share, 1))

    def _parcel(self, spec: EpisodeSpec) -> Parcel:
        writer = self._writer
        before = self._chains.before(spec)
        late = next(
            (each for each in self._chains.behind(spec)[:1] if each.id in writer.finished), None
        )
        return Parcel(
            episode=self._named(spec),
            place=writer.places[spec.id],
            play=writer.play(spec.id),
            before=None if before is None else self._named(before),
            carried={} if before is None else writer.carried.get(before.id, {}),
            late=None if late is None else self._named(late),
            late_play=0 if late is None else writer.play(late.id),
        )

    def _named(self, spec: EpisodeSpec) -> Named:
        return Named(cell=self._cells[cell(spec)], seed=spec.seed, chain=spec.chain)
