/*
 * ledger/postgres/turn_write.c - the rows of the polls that a turn has changed.
 *
 * Threads: the writer.
 */
#include <assert.h>

#include "base/log.h"
#include "core/definition.h"
#include "ledger/postgres/turn_parts.h"

#define HOUR_MS (3600 * 1000)

/* Columns of one statement for all of them. */
enum tally_column {
    TALLY_POLL,
    TALLY_REVISION,
    TALLY_DELETED,
    TALLY_FORGOTTEN,
    TALLY_PHASE,
    TALLY_SEQ,
    TALLY_VOTERS,
    TALLY_VERSION,
    TALLY_UPDATED_AT,
    TALLY_MARKS, /* as texts: there are no arrays of arrays of different lengths */
    TALLY_COLUMNS
};

struct rows {
    struct column tally[TALLY_COLUMNS];
    struct column hour[4]; /* poll, hour, option, votes */
};

static void rows_free(struct rows *rows)
{
    for (size_t i = 0; i < TALLY_COLUMNS; i++)
        column_free(&rows->tally[i]);
    for (size_t i = 0; i < 4; i++)
        column_free(&rows->hour[i]);
}

static bool marks_add(const struct draft *draft, struct column *column)
{
    AUTO_BUF text = { 0 };

    buf_char(&text, '{');
    for (size_t i = 0; i < draft->poll->n_options; i++) {
        if (i > 0)
            buf_char(&text, ',');
        buf_uint(&text, draft->counts.marks[i]);
    }
    buf_char(&text, '}');
    column_text(column, buf_str(&text));
    return buf_ok(&text);
}

static bool tally_add(const struct draft *draft, struct rows *rows)
{
    const int64_t numbers[TALLY_MARKS] = {
        [TALLY_POLL] = (int64_t)draft->number,
        [TALLY_REVISION] = (int64_t)draft->poll->revision,
        [TALLY_DELETED] = draft->deleted,
        [TALLY_FORGOTTEN] = draft->poll->forgotten,
        [TALLY_PHASE] = (int64_t)draft->phase,
        [TALLY_SEQ] = draft->seq,
        [TALLY_VOTERS] = (int64_t)draft->counts.voters,
        [TALLY_VERSION] = (int64_t)draft->counts.version,
        [TALLY_UPDATED_AT] = draft->counts.updated_at_ms,
    };

    for (size_t i = 0; i < TALLY_MARKS; i++)
        column_int(&rows->tally[i], numbers[i]);
    return marks_add(draft, &rows->tally[TALLY_MARKS]);
}

static void hours_add(const struct draft *draft, struct rows *rows)
{
    bool redefined = draft->created || draft->defined;

    for (size_t i = 0; i < draft->poll->n_options; i++) {
        uint64_t votes = draft->counts.marks[i];

        if (votes == draft->before.marks[i] && !redefined)
            continue;
        column_int(&rows->hour[0], (int64_t)draft->number);
        column_int(&rows->hour[1], draft->now_ms / HOUR_MS);
        column_int(&rows->hour[2], (int64_t)i + 1);
        column_int(&rows->hour[3], (int64_t)(votes + draft->poll->carried.marks[i]));
    }
}

static void queue_created(struct link *link, const struct draft *draft, struct str definition)
{
    const struct poll *poll = draft->poll;
    struct values values = { .n = 0 };

    values_int(&values, (int64_t)draft->number);
    values_text(&values, str_of(poll->id));
    values_text(&values, definition);
    values_bytes(&values, (struct str){ (const char *)poll->salt, sizeof poll->salt });
    values_int(&values, poll->prefix_v4);
    values_int(&values, poll->prefix_v6);
    link_queue(
        link,
        "WITH made AS (INSERT INTO poll (poll, id, definition, salt, prefix_v4, prefix_v6) "
        "VALUES ($1, $2, $3, $4, $5, $6)) "
        "INSERT INTO tally (poll, revision, deleted, forgotten, phase, seq, voters, version, "
        "updated_at, marks, touched) "
        "VALUES ($1, 0, false, false, 0, 0, 0, 0, 0, '{}', pg_current_xact_id())",
        &values);
}

static void queue_definition(struct link *link, const struct draft *draft, struct str definition)
{
    struct values values = { .n = 0 };

    values_int(&values, (int64_t)draft->number);
    values_text(&values, definition);
    link_queue(link, "UPDATE poll SET definition = $2 WHERE poll = $1", &values);
}

static void queue_gone(struct link *link, const struct draft *draft)
{
    struct values values = { .n = 0 };

    values_int(&values, (int64_t)draft->number);
    values_int(&values, draft->now_ms);
    link_queue(link,
               draft->deleted
                   ? "UPDATE poll SET deleted_at = $2, salt = NULL WHERE poll = $1"
                   : "UPDATE poll SET salt = NULL WHERE poll = $1 AND $2::bigint IS NOT NULL",
               &values);
}

/* The poll's own row, which few turns change. */
static bool queue_poll(struct link *link, const struct draft *draft)
{
    AUTO_BUF definition = { 0 };

    if (draft->created || draft->defined)
        definition_store(draft->poll, &definition);
    if (!buf_ok(&definition))
        return false;
    if (draft->created)
        queue_created(link, draft, buf_str(&definition));
    else if (draft->defined)
        queue_definition(link, draft, buf_str(&definition));
    if (draft->deleted || draft->forgotten)
        queue_gone(link, draft);
    return true;
}

static void queue_rows(struct link *link, struct rows *rows)
{
    struct values tally = { .n = 0 };
    struct values hour = { .n = 0 };

    for (size_t i = 0; i < TALLY_MARKS; i++)
        values_ints(&tally, &rows->tally[i]);
    values_texts(&tally, &rows->tally[TALLY_MARKS]);
    link_queue(link, "SELECT tally_change($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", &tally);
    if (rows->hour[0].n == 0)
        return;
    for (size_t i = 0; i < 4; i++)
        values_ints(&hour, &rows->hour[i]);
    link_queue(link, "SELECT hour_change($1, $2, $3, $4)", &hour);
}

/* Version, phase and time as they will be seen; what is to be shown, made before the commit. */
static bool finish(struct turn *turn, struct draft *draft)
{
    enum poll_phase phase = poll_phase(draft->poll, draft->now_ms);

    if (draft->seen || phase != draft->phase) {
        draft->counts.version++;
        if (draft->counts.updated_at_ms < draft->now_ms)
            draft->counts.updated_at_ms = draft->now_ms; /* it never goes back */
    }
    draft->phase = phase;
    if (draft->deleted)
        return true;
    draft->published = published_new(draft->poll, &draft->counts, draft->phase, turn->store->epoch);
    return draft->published != NULL;
}

static bool is_changed(const struct draft *draft)
{
    return draft->poll && (draft->created || draft->deleted || draft->defined || draft->forgotten ||
                           draft->seen || draft->phase != poll_phase(draft->poll, draft->now_ms));
}

enum turn_step turn_write(struct turn *turn)
{
    struct rows rows = { .tally = { { .n = 0 } } };
    bool ok = books_reserve(turn->store, 1);
    size_t n = 0;

    for (size_t i = 0; ok && turn->writes && i < turn->n; i++) {
        struct draft *draft = &turn->drafts[i];

        if (!is_changed(draft))
            continue;
        n++;
        ok = finish(turn, draft) && queue_poll(turn->store->link, draft) && tally_add(draft, &rows);
        if (ok && !draft->deleted)
            hours_add(draft, &rows);
    }
    if (ok && n > 0)
        queue_rows(turn->store->link, &rows);
    rows_free(&rows);
    return ok ? STEP_DONE : STEP_NO_MEMORY;
}

void turn_show(struct turn *turn)
{
    for (size_t i = 0; i < turn->n; i++) {
        struct draft *draft = &turn->drafts[i];

        if (draft->deleted)
            book_drop(turn->store, draft->number);
        if (!draft->published)
            continue;
        if (draft->forgotten)
            log_line(LOG_NOTICE, "poll %s: who voted is forgotten", draft->poll->id);
        book_show(turn->store, draft->published, draft->seq);
        draft->published = NULL;
    }
}
