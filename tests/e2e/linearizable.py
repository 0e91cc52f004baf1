"""Whether what concurrent clients asked of one poll, and heard, could have come one by one.

A history is linearizable if there is one order of its operations, each at a moment between being
asked and being answered, in which a poll that does one thing at a time gives the same answers
(Herlihy and Wing). The search is Wing and Gong's with Lowe's memory of what was tried: exact, and
quick for few voters and clients.

A vote is two steps: it is decided at one moment, with its receipt, and its answer shows the tally
of that moment or a later one. So are edits. Versions grow with what can be seen, and only then.
"""
import collections

# What a client asked and heard. `asked` and `answered` are moments of one clock that never tie.
# kind: vote, retract, read, close, open. result: as answered, or the slug of the refusal.
Op = collections.namedtuple("Op", "kind voter option result seq tally asked answered")
# votes: per option; state: open or closed.
Tally = collections.namedtuple("Tally", "votes state version")
# standing: per voter (option, seq) or None; seen: the last tally that was read; moved: whether
# something has happened since.
State = collections.namedtuple("State", "standing rows closed seen moved")


class Poll:
    """The rules of a poll, without anything that happens at once."""

    def __init__(self, voters, options, revote):
        self.voters = voters
        self.options = options
        self.revote = revote

    def start(self):
        return State((None,) * self.voters, 0, False, Tally((0,) * self.options, "open", 0), True)

    def vote(self, state, op):
        """(result, seq) and the state behind it."""
        standing = state.standing[op.voter]
        if standing and standing[0] == op.option:
            return ("already", standing[1]), state
        if state.closed:
            return ("poll-closed", None), state
        if standing and not self.revote:
            return ("already-voted", standing[1]), state
        return (("changed" if standing else "counted", state.rows + 1),
                self._put(state, op.voter, (op.option, state.rows + 1)))

    def retract(self, state, op):
        if state.closed:
            return ("poll-closed", None), state
        if state.standing[op.voter] is None:
            return ("no-such-vote", None), state
        if not self.revote:
            return ("revote-not-allowed", None), state
        return ("retracted", None), self._put(state, op.voter, None)

    @staticmethod
    def close(state, _):
        return ("done", None), state._replace(closed=True, moved=state.moved or not state.closed)

    @staticmethod
    def open(state, _):
        return ("done", None), state._replace(closed=False, moved=state.moved or state.closed)

    @staticmethod
    def _put(state, voter, standing):
        before = state.standing
        return state._replace(standing=before[:voter] + (standing,) + before[voter + 1:],
                              rows=state.rows + 1, moved=True)

    def read(self, state, tally):
        """The state behind it, or None: this cannot be seen now."""
        votes = [0] * self.options
        for standing in state.standing:
            if standing:
                votes[standing[0] - 1] += 1
        if tally[:2] != (tuple(votes), "closed" if state.closed else "open"):
            return None
        grown = tally.version - state.seen.version
        differs = tally[:2] != state.seen[:2]
        if grown < 0 or (grown == 0 and differs) or (grown > 0 and not state.moved):
            return None
        return state._replace(seen=tally, moved=False)


class Step:
    """A part of an operation that happens at one moment."""

    def __init__(self, op, shows, after):
        self.op = op
        self.shows = shows  # the tally, instead of deciding
        self.after = after  # the number of the step that comes before it, or None

    def behind(self, poll, state):
        """The state behind it, or None: its answer would have been another."""
        op = self.op
        if self.shows:
            return poll.read(state, op.tally)
        answer, behind = getattr(poll, op.kind)(state, op)
        return behind if answer == (op.result, op.seq) else None


def steps_of(history):
    steps = []
    for op in history:
        decides = op.kind != "read"
        if decides:
            steps.append(Step(op, False, None))
        if op.tally:
            steps.append(Step(op, True, len(steps) - 1 if decides else None))
    return steps


def candidates(steps, done):
    """Those that may come next: asked before any that is not done yet was answered."""
    left = [i for i in range(len(steps)) if not done >> i & 1]
    first = min(steps[i].op.answered for i in left)
    return [i for i in left if steps[i].op.asked < first and
            (steps[i].after is None or done >> steps[i].after & 1)]


def linearize(poll, history):
    """The steps in an order that explains every answer, or None: there is none."""
    steps = steps_of(history)
    everything = (1 << len(steps)) - 1
    tried = set()
    order = []
    trail = [(0, poll.start(), iter(candidates(steps, 0)) if steps else iter(()))]
    while trail:
        done, state, choices = trail[-1]
        if done == everything:
            return [steps[i] for i in order]
        for i in choices:
            behind = steps[i].behind(poll, state)
            now = done | 1 << i
            if behind is None or (now, behind) in tried:
                continue
            tried.add((now, behind))
            order.append(i)
            trail.append((now, behind, iter(candidates(steps, now) if now != everything else ())))
            break
        else:
            trail.pop()
            if order:
                order.pop()
    return None


def explain(history):
    """For people: one line an operation, in the order they were asked."""
    return "\n".join(
        f"{op.asked:4}..{op.answered:<4} {op.kind}"
        f"{'' if op.voter is None else f' voter {op.voter}'}"
        f"{'' if op.option is None else f' option {op.option}'}: {op.result}"
        f"{'' if op.seq is None else f' seq {op.seq}'}"
        f"{'' if op.tally is None else f' {op.tally.votes} {op.tally.state} v{op.tally.version}'}"
        for op in sorted(history, key=lambda op: op.asked))
