/*
 * ledger/sqlite_phases.c - what the clock changes: polls that open and close by time.
 *
 * The wall clock decides, also when it is set back, so polls with times are looked at twice a
 * second, whatever the next time is.
 *
 * Threads: the writer; main while the store opens.
 */
#include "ledger/sqlite_phases.h"

#define LOOK_MS 500
#define SETS_LOOK_MS (60 * 1000) /* for voter sets that nobody needs any more */

static bool has_times(const struct poll *poll)
{
    return poll->opens_at_ms != WHEN_NEVER || poll->closes_at_ms != WHEN_NEVER;
}

/* Nobody's repeated vote needs them any more. */
static bool sets_are_done(const struct sqlite_store *store, const struct book *book)
{
    int64_t closed_ms = poll_closed_since_ms(book->poll, store->now_ms);

    return book->voters && !book->loading && closed_ms != WHEN_NEVER &&
           store->now_ms - closed_ms > ALREADY_AFTER_CLOSE_MS;
}

/* It is closed for as long as voters are remembered behind a close. */
static bool is_to_be_forgotten(const struct sqlite_store *store, const struct book *book)
{
    int64_t closed_ms = poll_closed_since_ms(book->poll, store->now_ms);

    return store->forget_after_ms < INT64_MAX && !book->poll->forgotten &&
           closed_ms != WHEN_NEVER && store->now_ms - closed_ms >= store->forget_after_ms;
}

static enum fault look(struct sqlite_store *store, struct book *book, int64_t *next_ms)
{
    int64_t due_ms = poll_next_phase_ms(book->poll, store->now_ms);

    if (sets_are_done(store, book))
        book_drop_sets(book);
    if (has_times(book->poll) && *next_ms > LOOK_MS)
        *next_ms = LOOK_MS;
    if (due_ms != WHEN_NEVER && due_ms - store->now_ms < *next_ms)
        *next_ms = due_ms - store->now_ms;
    if (*next_ms > SETS_LOOK_MS)
        *next_ms = SETS_LOOK_MS;
    if (is_to_be_forgotten(store, book))
        return forget_poll(store, book);
    if (poll_phase(book->poll, store->now_ms) == book->phase)
        return FAULT_NONE;
    return batch_touch(store, book) ? FAULT_NONE : FAULT_NO_MEMORY;
}

enum store_result phases_sweep(struct sqlite_store *store, int64_t *ret_next_ms)
{
    int64_t mono_ms = clock_mono_ms(store->clock);
    int64_t next_ms = INT64_MAX;
    enum fault fault = FAULT_NONE;
    enum store_result result;

    if (mono_ms < store->look_again_ms) {
        *ret_next_ms =
            store->look_again_ms == INT64_MAX ? INT64_MAX : store->look_again_ms - mono_ms;
        return STORE_DONE;
    }
    store->now_ms = clock_wall_ms(store->clock);
    for (size_t i = 0; fault == FAULT_NONE && i < store->n_books; i++)
        fault = look(store, store->books[i], &next_ms);
    if (fault == FAULT_NONE && store->n_touched > 0)
        fault = batch_finish(store);
    result = store_failed(store, fault);
    if (result != STORE_DONE)
        next_ms = LOOK_MS; /* tried again; what it would have shown is not lost */
    store->look_again_ms = next_ms == INT64_MAX ? INT64_MAX : mono_ms + next_ms;
    *ret_next_ms = next_ms;
    return result;
}
