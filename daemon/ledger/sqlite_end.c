/*
 * ledger/sqlite_end.c - what becomes of jobs that wait when the store is to end, or has failed.
 *
 * Threads: the writer's.
 */
#include <sqlite3.h>

#include "core/problem.h"
#include "ledger/job.h"
#include "ledger/sqlite.h"

void sqlite_end_soon(struct store *base, struct queue_list *answered)
{
    struct sqlite_store *store = sqlite_of(base);

    store->ending = true;
    backup_end(store, answered);
}

static void abandon_waiting(struct queue_list *waiting, struct queue_list *answered)
{
    struct queue_node *node;

    while ((node = queue_list_take(waiting)) != NULL) {
        struct job *job = (struct job *)node;

        refuse(job->refusal, PROBLEM_STORE_UNAVAILABLE, "the store failed; send it again");
        job->result = JOB_REFUSED;
        queue_list_add(answered, node);
    }
}

void sqlite_abandon(struct store *base, struct queue_list *answered)
{
    struct sqlite_store *store = sqlite_of(base);

    for (size_t i = 0; i < store->n_books; i++)
        abandon_waiting(&store->books[i]->waiting, answered);
    abandon_waiting(&store->orphans, answered);
    backup_abandon(store, answered);
    /* Nothing is synced again behind a sync that failed: the next start writes the log anew. */
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    store->ends_well = false; /* nor is anything written */
}
