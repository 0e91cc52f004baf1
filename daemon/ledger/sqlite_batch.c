/*
 * ledger/sqlite_batch.c - a batch as a whole: all of it, or none of it, on disk and in memory.
 *
 * Everything that can fail is done before COMMIT, the making of what will be shown included; behind
 * it nothing can fail any more.
 *
 * Threads: the writer.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "ledger/sqlite.h"

#define ROOM_MIN 64

struct touched *batch_touch(struct sqlite_store *store, struct book *book)
{
    struct touched *touched;

    if (book->touched)
        return book->touched;
    if (store->n_touched == store->room_touched) {
        size_t room = store->room_touched < ROOM_MIN ? ROOM_MIN : store->room_touched * 2;
        struct touched **more = realloc(store->touched, room * sizeof(struct touched *));

        if (!more)
            return NULL;
        store->touched = more;
        store->room_touched = room;
    }
    touched = calloc(1, sizeof *touched);
    if (!touched)
        return NULL;
    touched->book = book;
    touched->poll = poll_ref(book->poll);
    touched->counts = book->counts;
    touched->phase = book->phase;
    touched->seq = book->seq;
    touched->rows_sum = book->rows_sum;
    touched->definition_sum = book->definition_sum;
    store->touched[store->n_touched++] = touched;
    book->touched = touched;
    return touched;
}

static void undo_one(const struct undo *undo)
{
    struct book *book = undo->book;
    bool ok = true;

    switch (undo->kind) {
    case UNDO_ADDED:
        voters_remove(book->voters, &undo->voter, undo->new_seq);
        break;
    case UNDO_MOVED:
        voters_move(book->voters, &undo->voter, undo->new_seq, undo->old_seq);
        break;
    case UNDO_REMOVED:
        /* It was there a moment ago, and tables do not shrink: there is room. */
        ok = voters_add(book->voters, &undo->voter, undo->old_seq) == VOTERS_ADDED;
        break;
    case UNDO_ADDRESS_ADDED:
        addresses_remove(book->addresses, undo->group);
        break;
    case UNDO_ADDRESS_REMOVED:
        ok = addresses_add(book->addresses, undo->group);
        break;
    }
    assert(ok);
}

/* Their poll is not there any more. Lines of a bulk may be for others. */
static void orphan(struct sqlite_store *store, struct book *book)
{
    struct queue_node *node;

    if (book->loading)
        store->n_loading--;
    book->loading = false;
    while ((node = queue_list_take(&book->waiting)) != NULL)
        queue_list_add(&store->orphans, node);
}

static void touched_free(struct touched *touched)
{
    published_free(touched->published);
    poll_free(touched->poll);
    free(touched);
}

static void put_back(struct sqlite_store *store, struct touched *touched)
{
    struct book *book = touched->book;

    book->touched = NULL;
    if (touched->created) {
        orphan(store, book);
        book_take_out(store, book);
        book_free(book);
    } else {
        poll_free(book->poll);
        book->poll = poll_ref(touched->poll);
        book->counts = touched->counts;
        book->phase = touched->phase;
        book->seq = touched->seq;
        book->rows_sum = touched->rows_sum;
        book->definition_sum = touched->definition_sum;
    }
    touched_free(touched);
}

enum fault batch_roll_back(struct sqlite_store *store)
{
    enum fault fault = FAULT_NONE;

    /* NOMEM, FULL and IOERR may have rolled back by themselves; then a ROLLBACK is an error, and
     * without asking, what followed would have been committed alone. */
    if (store->in_transaction && !sqlite3_get_autocommit(store->db) &&
        sql_run(store, SQL_ROLLBACK) != FAULT_NONE) {
        /* Where it was memory that was short, nobody has said so. */
        log_line(LOG_ERROR,
                 "no memory to roll back in %s, or its disk failed; ending, the next "
                 "start recovers it",
                 store->path);
        fault = FAULT_BROKEN;
    }
    store->in_transaction = false;
    while (store->n_undo > 0)
        undo_one(&store->undo[--store->n_undo]);
    while (store->n_touched > 0)
        put_back(store, store->touched[--store->n_touched]);
    store->forgets = false;
    return fault;
}

/* Stated again when the store is loaded: the options sum to the votes. */
static void assert_sums(const struct book *book)
{
    uint64_t marks = 0;

    for (size_t i = 0; i < OPTIONS_MAX; i++)
        marks += book->counts.marks[i];
    assert(book->poll->max_choices > 1 ? marks >= book->counts.voters
                                       : marks == book->counts.voters);
}

static enum fault prepare(struct sqlite_store *store, struct touched *touched)
{
    struct book *book = touched->book;
    enum fault fault;

    if (touched->deleted)
        return write_poll(store, touched);
    assert_sums(book);
    book->phase = poll_phase(book->poll, store->now_ms);
    if (touched->seen || book->phase != touched->phase || touched->created) {
        book->counts.version++;
        book->counts.updated_at_ms = store->now_ms;
    }
    touched->published = published_new(book->poll, &book->counts, book->phase, store->epoch);
    if (!touched->published)
        return FAULT_NO_MEMORY;
    fault = write_poll(store, touched);
    if (fault == FAULT_NONE)
        fault = write_counts(store, touched);
    return fault;
}

/* Whether another set of polls is there behind the batch. */
static bool polls_differ(const struct sqlite_store *store)
{
    for (size_t i = 0; i < store->n_touched; i++) {
        if (store->touched[i]->created != store->touched[i]->deleted)
            return true;
    }
    return false;
}

static size_t count_created(const struct sqlite_store *store)
{
    size_t n = 0;

    for (size_t i = 0; i < store->n_touched; i++)
        n += store->touched[i]->created;
    return n;
}

/* Sets that are being loaded are begun anew. */
static void sets_are_over(struct book *book)
{
    book_drop_sets(book);
    book->loaded_seq = 0;
}

static void show(struct sqlite_store *store, struct touched *touched)
{
    struct book *book = touched->book;
    bool shown;

    book->touched = NULL;
    if (touched->created || touched->defined)
        store->look_again_ms = INT64_MIN; /* it may open or close by time */
    if (touched->deleted) {
        board_remove(store->board, book->poll->id);
        orphan(store, book);
        book_take_out(store, book);
        book_free(book);
    } else {
        published_free(book->published);
        book->published = touched->published;
        touched->published = NULL;
        if (touched->drops_sets)
            sets_are_over(book);
        if (touched->forgotten)
            log_line(LOG_NOTICE, "poll %s: who voted is forgotten", book->poll->id);
        shown = board_publish(store->board, published_ref(book->published));
        assert(shown); /* the room was made before the commit */
    }
    touched_free(touched);
}

/* A poll that was deleted and one that took its id in the same batch are shown in that order. */
static void show_all(struct sqlite_store *store)
{
    for (size_t i = 0; i < store->n_touched; i++)
        show(store, store->touched[i]);
    store->n_touched = 0;
    store->n_undo = 0;
}

/* Where memory runs out behind the sync, as it can for the index of the log, the commit is on disk
 * and a crash would show it: busy, which says that nothing was written, could be a lie. */
static enum fault commit(struct sqlite_store *store)
{
    enum fault fault = sql_run(store, SQL_COMMIT);

    if (fault != FAULT_NO_MEMORY)
        return fault;
    log_line(LOG_ERROR, "no memory in a commit of %s; ending, the next start recovers it",
             store->path);
    return FAULT_BROKEN;
}

enum fault batch_finish(struct sqlite_store *store)
{
    enum fault fault = store->n_touched > 0 ? write_begin(store) : FAULT_NONE;

    for (size_t i = 0; fault == FAULT_NONE && i < store->n_touched; i++)
        fault = prepare(store, store->touched[i]);
    if (fault == FAULT_NONE && !board_reserve(store->board, count_created(store)))
        fault = FAULT_NO_MEMORY;
    if (fault == FAULT_NONE && polls_differ(store))
        fault = sums_write_live(store);
    if (fault == FAULT_NONE && store->forgets)
        fault = sql_run(store, SQL_FORGET_BEGUN);
    if (fault == FAULT_NONE && store->in_transaction)
        fault = commit(store);
    if (fault != FAULT_NONE)
        return fault;
    store->in_transaction = false;
    show_all(store);
    if (!store->forgets)
        return FAULT_NONE;
    store->forgets = false;
    return batch_forget(store);
}
