/*
 * ledger_fixture.h - a store in a folder of its own, a clock that is set by hand, and jobs.
 */
#ifndef TALLYD_TESTS_LEDGER_FIXTURE_H
#define TALLYD_TESTS_LEDGER_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/board.h"
#include "ledger/job.h"
#include "ledger/keys.h"
#include "ledger/store.h"

struct fixture {
    char folder[64];
    char url[512];
    char keys_path[96];
    int64_t wall_ms;
    int64_t mono_ms;
    uint64_t ballast_bytes;
    struct clock clock;
    struct keys *keys;
    struct board *board;
    struct store *store;
    struct job asked; /* fixture_begin_asking() */
    struct refusal refusal;
    struct queue_list answered;
};

void fixture_make(struct fixture *fixture);
/* The tests of the store's interface run again with TALLYD_TEST_POSTGRES set: then each fixture has
 * a database of its own there. Whether this is so: some tests are about files. */
bool fixture_is_shared(void);
/* Opens the store. NULL on success, else what went wrong (valid until the next call). */
const char *fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);
void fixture_remove(struct fixture *fixture);
/* For cmocka: *state is a fixture whose store is open, and then it is gone. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
/* Closes the store, and makes it one as the very first tallyd had it. */
void fixture_make_version_1(struct fixture *fixture);

/* Makes or changes a poll by a PUT of this JSON. Asserts that it is not refused. */
void fixture_put(struct fixture *fixture, const char *id, const char *json);

/* One ballot in a batch of its own. `voter` a name; `address` 0: none. */
struct answer {
    enum store_result store;
    enum job_result result;
    enum problem problem;
    uint32_t seq;
    uint64_t votes; /* of the tally that came with it */
    size_t voided;  /* fixture_void() */
};
struct answer fixture_vote(struct fixture *fixture, const char *id, const char *voter,
                           unsigned option, uint32_t address);
struct answer fixture_retract(struct fixture *fixture, const char *id, const char *voter);

/* Votes for option 1 of v1, v2 … vn, many in a batch: they become the first rows. */
void fixture_vote_many(struct fixture *fixture, const char *id, size_t n);

/* Takes these rows back. */
struct answer fixture_void(struct fixture *fixture, const char *id, const uint32_t *seqs, size_t n);
/* Forgets the voter of these rows; n 0: everybody. */
struct answer fixture_forget(struct fixture *fixture, const char *id, const uint32_t *seqs,
                             size_t n);
/* Rows that were found when the newest was `end`. */
struct answer fixture_forget_found(struct fixture *fixture, const char *id, const uint32_t *seqs,
                                   size_t n, uint32_t end);

/* Asks what stands of a voter, where the answer has to wait for the sets of the poll. One at a
 * time. */
void fixture_begin_asking(struct fixture *fixture, const char *id, const char *voter);
void fixture_work(struct fixture *fixture, int times);
struct answer fixture_end_asking(struct fixture *fixture);

uint64_t fixture_votes(struct fixture *fixture, const char *id); /* what the board shows */

#endif
