/*
 * outcome.h - how a run of tally ends: its exit status.
 */
#ifndef TALLY_OUTCOME_H
#define TALLY_OUTCOME_H

enum outcome {
    OUTCOME_DONE = 0,        /* also a vote that had been counted already */
    OUTCOME_FAILED = 1,      /* anything else */
    OUTCOME_MISUSED = 2,     /* the command line is wrong */
    OUTCOME_UNREACHABLE = 3, /* no daemon, or no answer from it */
    OUTCOME_NOT_ALLOWED = 4,
    OUTCOME_NOT_FOUND = 5,
    OUTCOME_REFUSED = 6, /* closed, already voted otherwise, invalid, exists */
};

/* Of two things done in one run: what failed first is how the run ends. */
static inline enum outcome outcome_first(enum outcome before, enum outcome now)
{
    return before == OUTCOME_DONE ? now : before;
}

#endif
