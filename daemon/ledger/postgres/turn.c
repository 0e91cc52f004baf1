/*
 * ledger/postgres/turn.c - one transaction about some polls, begun anew until it is certain.
 *
 * Threads: the writer.
 */
#include "ledger/postgres/turn.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>

#include "base/log.h"
#include "ledger/postgres/head.h"
#include "ledger/postgres/turn_parts.h"
#include "ledger/statistics.h"

#define STATEMENT_MS 4000 /* what was begun just before the deadline has so long */
#define RESOLVE_MS 5000   /* to ask what became of a COMMIT */
#define PAUSE_MS 10       /* before a turn is begun anew */

#define GREETING_STATEMENT 1 /* of a transaction: behind BEGIN */

static void draft_clear(struct draft *draft)
{
    published_free(draft->published);
    poll_free(draft->poll);
}

static void turn_clear(struct turn *turn)
{
    for (size_t i = 0; i < turn->n; i++)
        draft_clear(&turn->drafts[i]);
    free(turn->drafts);
    turn->drafts = NULL;
    turn->n = 0;
}

/* Room for one poll more than are asked for: a new one. */
static bool make_room(struct turn *turn, size_t n)
{
    turn->drafts = calloc(n + 1, sizeof *turn->drafts);
    turn->room = n + 1;
    return turn->drafts != NULL;
}

enum turn_step turn_about(struct turn *turn, const uint64_t *numbers, size_t n)
{
    struct column column = { .n = 0 };
    struct values values = { .n = 0 };

    if (!make_room(turn, n))
        return STEP_NO_MEMORY;
    for (size_t i = 0; i < n; i++) {
        assert(i == 0 || numbers[i - 1] < numbers[i]);
        turn->drafts[i] = (struct draft){ .number = numbers[i] };
        column_int(&column, (int64_t)numbers[i]);
    }
    turn->n = n;
    values_ints(&values, &column);
    link_queue(turn->store->link,
               turn->locks ? "SELECT " HEAD_COLUMNS " FROM tally_lock($1) t"
                           : "SELECT " HEAD_COLUMNS " FROM tally t WHERE t.poll = ANY($1)",
               &values);
    column_free(&column);
    turn->n_asked = link_queued(turn->store->link);
    return STEP_DONE;
}

struct draft *turn_draft(struct turn *turn, uint64_t number)
{
    for (size_t low = 0, high = turn->n; low < high;) {
        size_t middle = low + (high - low) / 2;
        struct draft *draft = &turn->drafts[middle];

        if (draft->number == number)
            return draft->poll && !draft->deleted ? draft : NULL;
        if (draft->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct draft *turn_create(struct turn *turn, struct poll *poll)
{
    struct draft *draft = &turn->drafts[turn->n];

    assert(turn->n < turn->room && (turn->n == 0 || draft[-1].number < poll->number));
    *draft = (struct draft){
        .number = poll->number, .poll = poll, .created = true, .seen = true, .now_ms = turn->now_ms
    };
    turn->n++;
    return draft;
}

const PGresult *turn_result(const struct turn *turn, size_t i)
{
    return link_get(turn->store->link, turn->n_asked + i);
}

static enum turn_step flush(struct turn *turn)
{
    int64_t until_ms = link_now_ms() + STATEMENT_MS;
    enum link_result result =
        link_flush(turn->store->link, until_ms > turn->deadline_ms ? until_ms : turn->deadline_ms);

    turn->link_result = result;
    return result == LINK_DONE ? STEP_DONE : STEP_LINK;
}

enum turn_step turn_look(struct turn *turn)
{
    return flush(turn);
}

/* The time for a poll: never before its last change, unless this clock was set back for good. */
static int64_t time_for(const struct head *head, int64_t now_ms)
{
    int64_t last_ms = head->counts.updated_at_ms;

    return last_ms > now_ms && last_ms - now_ms <= CLOCKS_APART_MS ? last_ms : now_ms;
}

static enum turn_step take_head(struct turn *turn, const struct head *head)
{
    const struct book *book = book_at(turn->store, head->number);
    struct draft *draft = turn->drafts;

    while (draft->number != head->number) /* both are sorted, but there may be fewer heads */
        draft++;
    if (head->deleted)
        return STEP_DONE;
    if (!book || book->poll->revision != head->revision || book->poll->forgotten != head->forgotten)
        return STEP_AGAIN;
    if (!head_fits(head, book->poll)) {
        log_line(LOG_ERROR, "poll %s: its tally cannot be that of its votes; restore a backup",
                 book->poll->id);
        return STEP_DONE; /* as if it were not there: nothing is counted on top of that */
    }
    if (head->seq > book->seq)
        turn->shared = true;
    draft->poll = poll_ref(book->poll);
    draft->counts = head->counts;
    draft->before = head->counts;
    draft->phase = head->phase;
    draft->seq = head->seq;
    draft->now_ms = time_for(head, turn->now_ms);
    return STEP_DONE;
}

static enum turn_step take_heads(struct turn *turn)
{
    const PGresult *result = link_get(turn->store->link, turn->n_asked - 1);

    for (int i = 0; i < pq.PQntuples(result); i++) {
        struct head head;
        enum turn_step step;

        if (!head_read(result, i, &head))
            continue; /* as above: it is not there */
        step = take_head(turn, &head);
        if (step != STEP_DONE)
            return step;
    }
    return STEP_DONE;
}

/* Settings are made anew for each: behind a pooler, those of a session would be another's. */
static void queue_begin(struct postgres *store, bool as_batch)
{
    struct values values = { .n = 0 };

    link_queue(store->link, "BEGIN", NULL);
    if (!as_batch) {
        link_queue(store->link, "SELECT turn_begin(NULL, NULL)", NULL);
        return;
    }
    store->batch++;
    values_int(&values, store->node);
    values_int(&values, store->batch);
    link_queue(store->link, "SELECT turn_begin($1, $2)", &values);
}

/* One attempt, up to where it is decided. */
static enum turn_step attempt(struct turn *turn, const struct turn_task *task)
{
    int64_t began_us = statistics_now_us();
    int64_t waited_us = 0;
    enum turn_step step;

    queue_begin(turn->store, turn->locks);
    step = task->ask(turn, task->context);
    if (step == STEP_DONE) {
        step = flush(turn);
        waited_us = statistics_now_us() - began_us;
    }
    if (step == STEP_DONE && !postgres_is_greeted(turn->store, GREETING_STATEMENT, 0))
        step = STEP_AGAIN;
    if (step == STEP_DONE)
        step = take_heads(turn);
    turn->store->shared_us = step == STEP_DONE && turn->locks && turn->shared ? waited_us : 0;
    if (step == STEP_DONE)
        step = task->decide(turn, task->context);
    return step;
}

/* What became of a COMMIT whose answer is not known. The question is a write of its own under the
 * same key: it waits for the commit if that is still under way, keeps it from ever being done if it
 * is not there, and, where it has to reach a standby, takes along what was committed before it. */
static bool ask_batch(struct turn *turn, int64_t deadline_ms, bool *ret_committed)
{
    struct postgres *store = turn->store;
    struct values values = { .n = 0 };

    if (!postgres_up(store, deadline_ms))
        return false;
    values_int(&values, store->node);
    values_int(&values, store->batch);
    queue_begin(store, false);
    link_queue(store->link,
               "INSERT INTO batch (node, n, lost) VALUES ($1, $2, true) "
               "ON CONFLICT (node, n) DO UPDATE SET at = now() RETURNING lost::int::bigint",
               &values);
    link_queue(store->link, "COMMIT", NULL);
    switch (link_flush(store->link, deadline_ms)) {
    case LINK_DONE:
        *ret_committed = value_int(link_get(store->link, 2), 0, 0) == 0;
        return postgres_is_greeted(store, GREETING_STATEMENT, 0) && !link_warned(store->link);
    case LINK_AGAIN:
    case LINK_REFUSED:
        link_roll_back(store->link);
        return false;
    case LINK_LOST:
    case LINK_NO_MEMORY:
        break;
    }
    return false;
}

static void pause_for(int64_t ms)
{
    (void)poll(NULL, 0, (int)ms);
}

/* STEP_DONE: it is committed. STEP_AGAIN: it never will be. STEP_LINK: nobody knows. */
static enum turn_step resolve(struct turn *turn)
{
    int64_t deadline_ms = link_now_ms() + RESOLVE_MS;
    bool committed = false;

    log_line(LOG_WARNING, "a commit's answer was lost: asking the engine what became of it");
    while (!ask_batch(turn, deadline_ms, &committed)) {
        if (link_now_ms() >= deadline_ms) {
            log_line(LOG_ERROR, "what became of a commit cannot be found out now: its votes are "
                                "answered outcome-unknown");
            return STEP_LINK;
        }
        pause_for(PAUSE_MS);
    }
    log_line(LOG_NOTICE, committed ? "the commit is there" : "the commit is not there: once more");
    return committed ? STEP_DONE : STEP_AGAIN;
}

static enum turn_end commit(struct turn *turn, bool *ret_again)
{
    enum turn_step step = turn_write(turn);
    bool sure = false;

    if (step == STEP_DONE) {
        link_queue(turn->store->link, "COMMIT", NULL);
        step = flush(turn);
        sure = step == STEP_DONE && !link_warned(turn->store->link);
        if ((step == STEP_DONE && !sure) || (step == STEP_LINK && turn->link_result == LINK_LOST)) {
            step = resolve(turn);
            if (step == STEP_LINK)
                return TURN_UNKNOWN;
        }
    }
    *ret_again = step == STEP_AGAIN || (step == STEP_LINK && turn->link_result == LINK_AGAIN);
    if (step == STEP_DONE) {
        turn_show(turn);
        return TURN_DONE;
    }
    if (step == STEP_NO_MEMORY || turn->link_result == LINK_NO_MEMORY) {
        link_roll_back(turn->store->link);
        return TURN_NO_MEMORY;
    }
    if (turn->link_result != LINK_LOST)
        link_roll_back(turn->store->link);
    return TURN_UNAVAILABLE;
}

/* *ret_again: it may be begun anew. */
static enum turn_end once(struct turn *turn, const struct turn_task *task, bool *ret_again)
{
    enum turn_step step = attempt(turn, task);

    *ret_again = false;
    if (step == STEP_DONE && (turn->writes || turn->lasts))
        return commit(turn, ret_again);
    link_roll_back(turn->store->link);
    if (step == STEP_DONE)
        return TURN_DONE;
    if (step == STEP_NO_MEMORY || (step == STEP_LINK && turn->link_result == LINK_NO_MEMORY))
        return TURN_NO_MEMORY;
    *ret_again = step == STEP_AGAIN || turn->link_result != LINK_REFUSED;
    return TURN_UNAVAILABLE;
}

enum turn_end turn_run(struct postgres *store, const struct turn_task *task, int64_t now_ms,
                       int64_t deadline_ms)
{
    for (;;) {
        struct turn turn = {
            .store = store, .now_ms = now_ms, .deadline_ms = deadline_ms, .locks = task->locks
        };
        enum turn_end end;
        bool again;

        if (!postgres_up(store, deadline_ms))
            return TURN_UNAVAILABLE;
        end = once(&turn, task, &again);
        turn_clear(&turn);
        if (!again || link_now_ms() >= deadline_ms)
            return end;
        pause_for(PAUSE_MS);
        if (link_is_up(store->link))
            (void)news_read(store, deadline_ms); /* if it fails, the next attempt finds out too */
    }
}
