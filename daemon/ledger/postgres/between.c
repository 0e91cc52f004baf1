/*
 * ledger/postgres/between.c - what there is to do between batches: gathering, the news, the clock,
 * tidying up.
 *
 * Threads: the writer.
 */
#include <time.h>

#include "base/log.h"
#include "ledger/postgres/admin.h"

#define GATHER_US_MAX 10000 /* no longer than a batch or two take */
#define NEWS_MS 100         /* other nodes' votes are looked for so often, … */
#define NEWS_DOWN_MS 500    /* … and an engine that is not there */
#define NEWS_WAIT_MS 4000   /* an answer may take so long */
#define SWEEP_MS 500
#define SWEEP_POLLS 8 /* in one turn */
#define TIDY_MS 1000
#define SWEEP_REST_MS (10 * 60 * 1000)

/* Where other nodes count in the same polls, the next batch will wait for their locks, and whatever
 * comes in that time has to wait for the batch behind it. So half of the wait is spent before the
 * batch is taken: with 66 connections on each of three nodes it then holds 62 votes, not 46. */
static void gather(struct postgres *store)
{
    int64_t us = clock_sooner(store->shared_us / 2, GATHER_US_MAX);

    store->shared_us = 0;
    if (us > 0)
        (void)nanosleep(&(struct timespec){ .tv_nsec = (long)us * 1000 }, NULL);
}

static void look(struct postgres *store, int64_t now_ms)
{
    bool up;

    if (now_ms < store->look_again_ms)
        return;
    up = postgres_up(store, link_now_ms());
    if (up && news_read(store, link_now_ms() + NEWS_WAIT_MS) != LINK_DONE)
        up = false;
    store->look_again_ms = clock_mono_ms(store->clock) + (up ? NEWS_MS : NEWS_DOWN_MS);
}

/* Polls that the clock has something to do with. */
struct sweep {
    uint64_t numbers[SWEEP_POLLS];
    size_t n;
};

static bool is_to_be_forgotten(const struct postgres *store, const struct poll *poll,
                               int64_t now_ms)
{
    int64_t closed_ms = poll_closed_since_ms(poll, now_ms);

    return store->forget_after_ms < INT64_MAX && !poll->forgotten && closed_ms != WHEN_NEVER &&
           now_ms - closed_ms >= store->forget_after_ms;
}

static enum turn_step ask(struct turn *turn, void *context)
{
    const struct sweep *sweep = context;

    return turn_about(turn, sweep->numbers, sweep->n);
}

/* Whether another node has done it already is seen under the lock. */
static enum turn_step decide(struct turn *turn, void *context)
{
    enum turn_step step = STEP_DONE;

    (void)context;
    for (size_t i = 0; step == STEP_DONE && i < turn->n; i++) {
        struct draft *draft = &turn->drafts[i];

        if (!draft->poll)
            continue;
        if (is_to_be_forgotten(turn->store, draft->poll, draft->now_ms))
            step = turn_forget_poll(turn, draft);
        if (poll_phase(draft->poll, draft->now_ms) != draft->phase)
            turn->writes = true;
    }
    return step;
}

/* A clock that is a little behind another node's sees no phase that is over come back. */
static bool is_due(const struct postgres *store, const struct book *book, int64_t now_ms)
{
    int64_t last_ms = book->counts.updated_at_ms;
    int64_t then_ms = last_ms > now_ms && last_ms - now_ms <= CLOCKS_APART_MS ? last_ms : now_ms;

    return poll_phase(book->poll, then_ms) != book->phase ||
           is_to_be_forgotten(store, book->poll, then_ms);
}

static void sweep_phases(struct postgres *store)
{
    int64_t wall_ms = clock_wall_ms(store->clock);
    struct sweep sweep = { .n = 0 };
    struct turn_task task = { .ask = ask, .decide = decide, .context = &sweep, .locks = true };

    for (size_t i = 0; sweep.n < SWEEP_POLLS && i < store->n_books; i++) {
        if (is_due(store, store->books[i], wall_ms))
            sweep.numbers[sweep.n++] = store->books[i]->poll->number;
    }
    if (sweep.n > 0) /* what fails is tried again */
        (void)turn_run(store, &task, wall_ms, link_now_ms() + NEWS_WAIT_MS);
}

/* When the next poll opens or closes, at most SWEEP_MS from now. */
static int64_t next_phase_ms(const struct postgres *store)
{
    int64_t wall_ms = clock_wall_ms(store->clock);
    int64_t next_ms = SWEEP_MS;

    for (size_t i = 0; i < store->n_books; i++) {
        int64_t due_ms = poll_next_phase_ms(store->books[i]->poll, wall_ms);

        if (due_ms != WHEN_NEVER)
            next_ms = clock_sooner(next_ms, due_ms - wall_ms);
    }
    return next_ms;
}

static void sweep(struct postgres *store, int64_t now_ms)
{
    if (now_ms < store->sweep_again_ms)
        return;
    sweep_phases(store);
    store->sweep_again_ms = clock_mono_ms(store->clock) + next_phase_ms(store);
}

/* Batches of this node whose outcome nobody will ask for any more. */
static void queue_tidy(struct postgres *store)
{
    struct values values = { .n = 0 };

    values_int(&values, store->node);
    values_int(&values, store->batch);
    link_queue(store->link, "DELETE FROM batch WHERE node = $1 AND n < $2", &values);
}

/* What ended nodes have left, and voters of polls that are deleted or forgotten: no hash of theirs
 * can be tied to anybody any more, so there is no hurry. */
static void queue_sweep_rest(struct postgres *store)
{
    link_queue(store->link, "DELETE FROM batch WHERE at < now() - interval '1 day'", NULL);
    link_queue(store->link,
               "DELETE FROM voter WHERE ctid = ANY(ARRAY(SELECT v.ctid FROM tally t, LATERAL "
               "(SELECT w.ctid FROM voter w WHERE w.poll = t.poll LIMIT 5000) v "
               "WHERE t.deleted OR t.forgotten LIMIT 5000))",
               NULL);
}

/* It is waited for by nobody, nor does it wait: for a disk, or for a standby that is not there,
 * where each attempt would leave a session behind that waits on. */
static void tidy(struct postgres *store, int64_t now_ms)
{
    if (now_ms < store->tidy_again_ms || !link_is_up(store->link))
        return;
    store->tidy_again_ms = now_ms + TIDY_MS;
    link_queue(store->link, "SELECT set_config('synchronous_commit', 'off', true)", NULL);
    queue_tidy(store);
    if (now_ms >= store->sweep_rest_ms) {
        store->sweep_rest_ms = now_ms + SWEEP_REST_MS;
        queue_sweep_rest(store);
    }
    /* One transaction. What fails, the next one does. */
    (void)link_flush(store->link, link_now_ms() + NEWS_WAIT_MS);
}

enum store_result postgres_work(struct store *base, bool idle, struct queue_list *answered,
                                int64_t *ret_next_ms)
{
    struct postgres *store = postgres_of(base);
    int64_t now_ms;

    (void)idle;
    (void)answered; /* no job is ever kept */
    gather(store);
    now_ms = clock_mono_ms(store->clock);
    look(store, now_ms);
    sweep(store, now_ms);
    tidy(store, now_ms); /* also under load: a batch leaves a row */
    now_ms = clock_mono_ms(store->clock);
    *ret_next_ms = clock_sooner(store->look_again_ms, store->sweep_again_ms) - now_ms;
    if (*ret_next_ms < 0)
        *ret_next_ms = 0;
    return STORE_DONE;
}
