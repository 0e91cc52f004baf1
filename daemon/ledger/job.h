/*
 * ledger/job.h - one thing that a loop asks of the writer, and the answer.
 *
 * The loop makes it and puts it into the writer's inbox; from then on it is the writer's, until it
 * comes back in `home`. The loop then reads the answer and frees it.
 */
#ifndef TALLYD_LEDGER_JOB_H
#define TALLYD_LEDGER_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/ballot.h"
#include "core/board.h"
#include "core/definition.h"
#include "core/queue.h"
#include "core/refusal.h"
#include "ledger/reading.h"

enum job_kind {
    JOB_VOTE,    /* ballot */
    JOB_RETRACT, /* ballot, marks 0 */
    JOB_ASK,     /* ballot without marks: what stands of this voter */
    JOB_EDIT,    /* edit */
    JOB_DELETE,  /* id */
    JOB_BULK,    /* bulk: many ballots in one */
    JOB_SCAN,    /* scan: a slice of a poll's rows; a job_reads(), as … */
    JOB_HOURS,   /* … hours: a slice of a poll's history, … */
    JOB_STATUS,  /* … and status */
    JOB_BACKUP,  /* backup */
    JOB_VOID,    /* voiding */
    JOB_FORGET,  /* forgetting */
    JOB_RUN      /* run: what blocks on the disk, beside the store */
};

enum job_result {
    JOB_COUNTED,
    JOB_CHANGED,
    JOB_ALREADY,
    JOB_RETRACTED,
    JOB_FOUND,     /* ASK: `standing` holds */
    JOB_NOT_FOUND, /* ASK: this voter has no vote in the poll */
    JOB_CREATED,   /* EDIT */
    JOB_REPLACED,  /* EDIT: changed, or nothing differed */
    JOB_DELETED,
    JOB_BACKED_UP,
    JOB_READ,   /* BULK: each line has its own result; all behind it: filled in */
    JOB_REFUSED /* `refusal` says why (also busy, store-unavailable, outcome-unknown) */
};

#define BULK_LINES_MAX 512 /* of one job */

/* One line of a bulk: a ballot and what became of it. */
struct bulk_line {
    uint64_t number; /* the loop's: of the line in its body */
    struct ballot ballot;
    /* Set to JOB_REFUSED by a loop that could not read the line, with problem and detail: the
     * writer passes over it. Else by the writer: COUNTED, CHANGED, ALREADY or REFUSED. */
    enum job_result result;
    bool decided; /* by the writer */
    uint32_t seq;
    enum problem problem; /* REFUSED */
    uint32_t detail;      /* REFUSED: where its sentence begins in `details`, … */
    uint32_t detail_len;  /* … and its length; 0: the problem's title has to do */
};

struct bulk {
    size_t n;
    struct bulk_line lines[BULK_LINES_MAX];
    struct buf details; /* owned; one that finds no memory only loses sentences */
};

#define SEQS_MAX 512 /* of one job */

/* Votes that the operator takes back: those of `seqs` that still stand. */
struct voiding {
    uint64_t poll;
    size_t n;
    uint32_t seqs[SEQS_MAX];
    size_t voided; /* the answer: how many did */
};

/* Who voted in a closed poll is forgotten: all of them, or the voter whose rows are `seqs`. */
struct forgetting {
    uint64_t poll;
    bool all;
    uint32_t end; /* not `all`: the newest row when `seqs` were found */
    size_t n;
    uint32_t seqs[SEQS_MAX];
    struct voter_hash random; /* in place of the voter's */
};

/* Refuses one line; its sentence goes to `details`. Whoever has the bulk. */
void bulk_refuse(struct bulk *bulk, struct bulk_line *line, const struct refusal *refusal);

/* Takes back what the writer has decided of its lines: they are as the loop handed them over. */
void bulk_undecide(struct bulk *bulk);

/* Made in one piece with its path: free() it. */
struct backup_order {
    uint64_t bytes; /* of the database; BACKED_UP: these three are the answer */
    uint64_t votes; /* that stand in it, without what is carried */
    bool has_key;   /* PATH.key lies beside it; else the key is kept elsewhere */
    char path[];    /* what it is to be called; never overwritten */
};

struct job {
    struct queue_node node;        /* first: a node is its job */
    struct queue *home;            /* where the answer goes; outlives the job */
    void (*back)(struct job *job); /* the loop calls it once the answer is there */
    enum job_kind kind;
    struct ballot ballot;           /* VOTE, RETRACT, ASK */
    struct edit *edit;              /* EDIT: owned by the loop's side */
    char id[POLL_ID_BYTES_MAX + 1]; /* DELETE */
    union {                         /* owned by the loop's side */
        struct bulk *bulk;
        struct scan *scan;
        struct hours *hours;
        struct store_status *status;
        struct voiding *voiding;
        struct forgetting *forgetting;
        void *context;
    };
    void (*run)(void *context);  /* RUN: on the writer's thread */
    struct backup_order *backup; /* BACKUP: owned by the loop's side; until the answer it is the
                                    writer's */

    /* The answer: written by the writer, all of it durable before it comes back. */
    enum job_result result;
    uint32_t seq;      /* COUNTED, CHANGED, RETRACTED: its row; ALREADY: the one that stands */
    bool has_standing; /* FOUND; also REFUSED as already-voted */
    struct standing standing;
    struct published *published; /* what the board shows with this commit or a later one; one
                                    reference, the loop's. NULL: refused before a poll was found,
                                    or deleted */
    struct refusal *refusal;     /* REFUSED: room given by the loop, never NULL */
};

/* What is answered to a ballot of which this was decided. */
enum job_result job_result_of(enum decision decision);

/* Whether it only reads, and may take its time: it is answered between batches. */
static inline bool job_reads(const struct job *job)
{
    return job->kind == JOB_SCAN || job->kind == JOB_HOURS || job->kind == JOB_STATUS;
}

/* How many ballots it stands for: what a batch and the queue are limited by. */
static inline size_t job_weight(const struct job *job)
{
    return job->kind == JOB_BULK ? job->bulk->n : job->kind == JOB_VOID ? job->voiding->n : 1;
}

#endif
