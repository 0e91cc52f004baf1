/*
 * ledger/store.h - all that the writer knows of where votes are kept.
 *
 * A store decides each job of a batch by the rules of core/, writes what follows, and commits the
 * batch as one. It holds in memory what it needs to decide (who has voted, counts, versions) and
 * rolls that back with the batch. One thread only, the writer's, once store_open() has returned.
 */
#ifndef TALLYD_LEDGER_STORE_H
#define TALLYD_LEDGER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/why.h"
#include "core/board.h"
#include "core/poll.h"
#include "ledger/job.h"
#include "ledger/keys.h"

struct store; /* opaque */

struct store_settings {
    const char *url;                         /* its scheme says the kind: "sqlite:PATH" */
    uint64_t ballast_bytes;                  /* kept free for a full disk; 0: none */
    const struct clock *clock;               /* outlives the store */
    const struct keys *keys;                 /* outlives the store */
    const char *keys_path;                   /* their file, for backups; NULL: not in a file */
    void (*random)(void *bytes, size_t len); /* salts, epoch */
    unsigned prefix_v4;                      /* fixed into a poll at its creation */
    unsigned prefix_v6;
    int64_t forget_after_ms; /* behind its close a poll forgets who voted; INT64_MAX: never */
    bool (*ended)(void);     /* asked while the opening waits: give it up? NULL: never */
};

enum store_result {
    STORE_DONE,    /* everything answered with a verdict is durable */
    STORE_REFUSED, /* some was not written, and nothing of it is in memory; every job that would
                      have written it is answered store-unavailable or busy; the store goes on.
                      Or it was written, but not as it should be (a full disk keeps what was to
                      be forgotten), or nobody can be asked now whether it was: then they are
                      answered outcome-unknown */
    STORE_BROKEN   /* nobody knows what is on disk: every job that wrote is answered
                      outcome-unknown; no further call but store_abandon() and store_free() */
};

/* Ballots of one batch at the most (job_weight()), and so jobs. */
#define BATCH_JOBS_MAX 4096

/* A batch: jobs in the order they came, and what the commit made visible. */
struct batch {
    struct job **jobs;
    size_t n;
    size_t weight;  /* ballots of what batch_fill() put in */
    int64_t now_ms; /* one reading of the wall clock for all of it */
};

/* Takes from the head of `from` while the batch has no more than this many ballots. */
void batch_fill(struct batch *batch, struct queue_list *from, size_t ballots_max);

/*
 * Opens or makes the store and loads polls and counts (not voters).
 *
 *   board    gets every poll as it stands, phases as of the clock now
 *   returns  NULL: *reterr_why names file, error and remedy; nothing was changed
 */
MUST_USE struct store *store_open(const struct store_settings *settings, struct board *board,
                                  struct why *reterr_why);
enum store_found {
    STORE_FOUND,  /* there is one with something in it, so that its keys must be there too */
    STORE_NONE,   /* there is none: new keys may be made */
    STORE_UNKNOWN /* it cannot be asked now; *reterr_why says why */
};

/* Main looks before it opens the keys. `ended` is as in store_settings. */
MUST_USE enum store_found store_find(const char *url, bool (*ended)(void), struct why *reterr_why);

/* Could it be opened, for all that the URL itself tells? Connects to nothing. */
MUST_USE bool store_url_ok(const char *url, struct why *reterr_why);

/* A copy of a store's URL to be shown, to free(): without a password. NULL: no memory. */
MUST_USE char *store_url_shown(const char *url);

/* The last call but store_free(): a checkpoint whose failure is told, as SQLite swallows that of
 * its own at the close. A full disk is STORE_DONE: the log is kept. */
MUST_USE enum store_result store_finish(struct store *store);

void store_free(struct store *store); /* checkpoints where it can */
AUTO_FREE(store);

/*
 * Decides, writes, commits, and publishes to the board what changed: all at once, or in pieces, in
 * the order of the jobs. None of them job_reads(). Jobs whose poll's voters are still being loaded
 * are taken out of the batch and kept: they come back in store_work(). When it returns, every other
 * job has its answer.
 *
 *   ret_kept  how many were kept
 */
enum store_result store_commit(struct store *store, struct batch *batch, size_t *ret_kept);

/* Answers a job that reads, as the last commit left things. Between batches; about 0.3 ms.
 * STORE_REFUSED: no memory for it, and that is its answer. */
enum store_result store_read(struct store *store, struct job *job);

/* What the store knows of itself without looking into the ledger. Between batches; quick: it asks
 * the file system how large two files are. */
void store_figures(const struct store *store, struct store_figures *ret_figures);

/* What the board shows of the poll of this number; NULL: it is gone. The store's, until the next
 * batch. Quick, and allowed until store_free(). */
const struct published *store_shown(struct store *store, uint64_t number);

/*
 * What there is to do between batches, a slice at a time: loading voters, phases that the clock
 * changed, checkpoints, dropping voter sets of polls closed long ago, the ballast, a backup.
 *
 *   answered     jobs that were kept and now have their answer are added
 *   idle         no ballot waits: a good moment for a checkpoint
 *   ret_next_ms  how long the writer may sleep if nothing comes: 0 = call again at once
 */
enum store_result store_work(struct store *store, bool idle, struct queue_list *answered,
                             int64_t *ret_next_ms);

/* When, on the clock's monotonic side, the board was last known to show all that is committed; a
 * store that nobody else writes to says INT64_MAX: always. */
int64_t store_fresh_ms(const struct store *store);

/*
 * How a thread that works for the store, on the files of a backup, tells that store_work() is due.
 * Before the first batch; without it store_work() has to be called now and then.
 *
 *   wake    called by that thread; not after store_free()
 *   turned  called by the writer's thread, in the midst of what may take long: it is not stuck
 */
void store_set_wake(struct store *store, void (*wake)(void *context), void (*turned)(void *context),
                    void *context);

/* The process is to end soon: what takes long, a backup, is given up or not begun, and answered
 * store-unavailable. Votes go on. May be called again. */
void store_end_soon(struct store *store, struct queue_list *answered);

/* That of the library below, at run time, as 3.40.1. Any thread. */
const char *store_sqlite_version(void);

/* Answers store-unavailable to every job that is kept. After STORE_BROKEN, before store_free(). */
void store_abandon(struct store *store, struct queue_list *answered);

#endif
