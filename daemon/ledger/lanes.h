/*
 * ledger/lanes.h - what waits at the writer, by who goes before whom.
 *
 * Ballots that came one by one go first: somebody waits for each of them, while a bulk has waited
 * for its first line already. What reads the ledger has its turn between batches.
 */
#ifndef TALLYD_LEDGER_LANES_H
#define TALLYD_LEDGER_LANES_H

#include <stdbool.h>

#include "core/queue.h"
#include "ledger/store.h"

struct lanes { /* the writer's, all of it; zeroed is empty */
    struct queue_list singles;
    struct queue_list bulks;
    struct queue_list reads; /* one slice each: a long read comes again, behind the others */
};

/* Takes all of `taken`, in order. */
void lanes_sort(struct lanes *lanes, struct queue_list *taken);
bool lanes_have_ballots(const struct lanes *lanes);
bool lanes_have_any(const struct lanes *lanes);

/* Fills an empty batch. Where bulks wait, one is in every batch, however many others there are. */
void lanes_fill(struct lanes *lanes, struct batch *batch);

#endif
