/*
 * core/ballot.h - a submitted vote on its way to the ledger, and what becomes of it.
 */
#ifndef TALLYD_CORE_BALLOT_H
#define TALLYD_CORE_BALLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "core/poll.h"
#include "core/problem.h"
#include "core/refusal.h"
#include "core/tally.h"

/* Keyed, over the poll's salt, the kind of voter and the voter. */
struct voter_hash {
    unsigned char bytes[16];
};

/* The numbers are hashed: never change one. */
enum voter_kind { VOTER_ADDRESS = 1, VOTER_ANONYMOUS = 2, VOTER_NAMED = 3 };

struct ballot {
    uint64_t poll; /* struct poll's number when it was read */
    enum voter_kind kind;
    struct voter_hash voter;
    bool has_address;
    uint64_t address_group; /* keyed hash of the address group; only with has_address */
    uint64_t marks;         /* bit `option - 1` for each option chosen; 0 in a retraction */
};

/* The newest ledger row of a voter. */
struct standing {
    uint32_t seq;
    int64_t at_ms;
    uint64_t marks; /* 0: voided by the operator */
    bool has_address;
    uint64_t address_group;
};

enum decision {
    DECIDED_COUNTED,   /* a new vote: adds marks, a voter, a row */
    DECIDED_CHANGED,   /* replaces the standing one: a row that names it */
    DECIDED_ALREADY,   /* the same vote stands: nothing is written */
    DECIDED_RETRACTED, /* takes the standing one away: a row that names it */
    DECIDED_REFUSED    /* *reterr says why; nothing is written */
};

/* The index of an option counted from 1; 1 <= option <= OPTIONS_MAX. The only `option - 1`. */
size_t ballot_index(unsigned option);
/* And its bit. */
uint64_t ballot_mark(unsigned option);

/* Whether these marks can be a vote in this poll: options in range, not too few, not too many.
 * *reterr points at `pointer` ("/options" …). */
MUST_USE bool ballot_marks_ok(const struct poll *poll, uint64_t marks, const char *pointer,
                              struct refusal *reterr);

/* Whether a voter of this kind may vote in this poll at all (`voters`): else 401 or 403. */
MUST_USE bool ballot_voter_ok(const struct poll *poll, enum voter_kind kind,
                              struct refusal *reterr);

/*
 * Decides a vote by the poll's rules as they are now.
 *
 *   standing          the voter's newest row, or NULL
 *   address_standing  standing votes of the ballot's address group (0 without an address)
 *   counts            before this vote; checked for overflow
 *   now_ms            the batch's wall clock
 */
enum decision ballot_decide(const struct poll *poll, const struct counts *counts,
                            const struct ballot *ballot, const struct standing *standing,
                            uint64_t address_standing, int64_t now_ms, struct refusal *reterr);

enum decision ballot_decide_retraction(const struct poll *poll, const struct ballot *ballot,
                                       const struct standing *standing, int64_t now_ms,
                                       struct refusal *reterr);

/* Applies what was decided to the counts: `old_marks` go (0: none), `new_marks` come (0: none).
 * Voters follow. Version and updated_at are the caller's. Asserts that nothing wraps. */
void counts_apply(struct counts *counts, uint64_t old_marks, uint64_t new_marks);

#endif
