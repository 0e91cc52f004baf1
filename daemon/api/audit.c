/*
 * api/audit.c - GET …/audit: where and when the votes of a poll came from.
 *
 * Two passes over the rows that stand: the first finds the address groups with the most votes and
 * counts by the minute, the second counts exactly, and looks into the bursts. Groups are told as
 * hashes; nobody learns an address from them.
 *
 * Threads: the loop of the call.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "api/routes.h"
#include "api/rows.h"
#include "core/frequent.h"

#define MINUTE_MS 60000
#define GROUPS_DEFAULT 20
#define GROUPS_MAX 1000
#define MINUTES_SHOWN 60
#define BURSTS_MAX 10
#define BURST_VOTES_MIN 10 /* in a minute; fewer are none, however quiet the poll is */
#define BURST_FACTOR 5     /* and so many times the usual minute */
#define ROOM_MIN 256

struct minute {
    int64_t minute; /* since 1970 */
    uint64_t votes;
};

struct burst {
    int64_t from; /* minutes since 1970 */
    int64_t to;   /* behind the last one */
    uint64_t votes;
    struct frequent *groups;
};

struct audit {
    struct rows rows; /* first: rows are their audit's */
    struct api_loop *loop;
    struct exchange *exchange;
    struct published *published;
    uint64_t limit;
    bool second; /* the second pass */
    uint64_t votes;
    uint64_t with_address;
    struct frequent *groups;
    struct minute *minutes;
    size_t n_minutes;
    size_t room;
    struct burst bursts[BURSTS_MAX];
    size_t n_bursts;
};

static void audit_free(struct audit *audit)
{
    if (!audit)
        return;
    for (size_t i = 0; i < audit->n_bursts; i++)
        frequent_free(audit->bursts[i].groups);
    frequent_free(audit->groups);
    published_free(audit->published);
    rows_clear(&audit->rows);
    free(audit->minutes);
    free(audit);
}
AUTO_FREE(audit);

/* Rows come in the order of their commits, so nearly always the last minute is the one. A clock
 * that was set back makes a minute twice, which is put right before they are looked at. */
static bool count_minute(struct audit *audit, int64_t minute)
{
    if (audit->n_minutes > 0 && audit->minutes[audit->n_minutes - 1].minute == minute) {
        audit->minutes[audit->n_minutes - 1].votes++;
        return true;
    }
    if (audit->n_minutes == audit->room) {
        size_t room = audit->room < ROOM_MIN ? ROOM_MIN : audit->room * 2;
        struct minute *more = realloc(audit->minutes, room * sizeof *more);

        if (!more)
            return false;
        audit->minutes = more;
        audit->room = room;
    }
    audit->minutes[audit->n_minutes++] = (struct minute){ minute, 1 };
    return true;
}

static struct burst *burst_of(struct audit *audit, int64_t minute)
{
    for (size_t i = 0; i < audit->n_bursts; i++) {
        if (minute >= audit->bursts[i].from && minute < audit->bursts[i].to)
            return &audit->bursts[i];
    }
    return NULL;
}

static void look_again(struct audit *audit, const struct scanned *row)
{
    struct burst *burst = burst_of(audit, row->at_ms / MINUTE_MS);

    if (!row->has_address)
        return;
    frequent_count(audit->groups, row->address_group);
    if (burst && burst->groups)
        frequent_add(burst->groups, row->address_group);
}

/* false: no memory. */
static bool take_row(struct audit *audit, const struct scanned *row)
{
    if (audit->second) {
        look_again(audit, row);
        return true;
    }
    audit->votes++;
    audit->with_address += row->has_address;
    if (row->has_address)
        frequent_add(audit->groups, row->address_group);
    return count_minute(audit, row->at_ms / MINUTE_MS);
}

static int by_minute(const void *a, const void *b)
{
    const struct minute *left = a;
    const struct minute *right = b;

    return left->minute < right->minute ? -1 : left->minute > right->minute;
}

static int by_votes(const void *a, const void *b)
{
    const struct minute *left = a;
    const struct minute *right = b;

    if (left->votes != right->votes)
        return left->votes > right->votes ? -1 : 1;
    return by_minute(a, b);
}

static void join_minutes(struct audit *audit)
{
    size_t n = 0;

    if (audit->n_minutes == 0)
        return;
    qsort(audit->minutes, audit->n_minutes, sizeof *audit->minutes, by_minute);
    for (size_t i = 1; i < audit->n_minutes; i++) {
        if (audit->minutes[i].minute == audit->minutes[n].minute)
            audit->minutes[n].votes += audit->minutes[i].votes;
        else
            audit->minutes[++n] = audit->minutes[i];
    }
    audit->n_minutes = n + 1;
}

/* Minutes are by votes, the most first: the usual one stands in the middle. */
static uint64_t burst_votes(const struct audit *audit)
{
    uint64_t usual = audit->minutes[audit->n_minutes / 2].votes;

    return usual * BURST_FACTOR > BURST_VOTES_MIN ? usual * BURST_FACTOR : BURST_VOTES_MIN;
}

static void add_burst(struct audit *audit, const struct minute *minute)
{
    for (size_t i = 0; i < audit->n_bursts; i++) {
        struct burst *burst = &audit->bursts[i];

        if (minute->minute != burst->to && minute->minute + 1 != burst->from)
            continue;
        burst->from = minute->minute < burst->from ? minute->minute : burst->from;
        burst->to = minute->minute < burst->to ? burst->to : minute->minute + 1;
        burst->votes += minute->votes;
        return;
    }
    if (audit->n_bursts < BURSTS_MAX)
        audit->bursts[audit->n_bursts++] = (struct burst){ .from = minute->minute,
                                                           .to = minute->minute + 1,
                                                           .votes = minute->votes,
                                                           .groups = frequent_new() };
}

/* Behind it the minutes are the busiest, in the order of time. */
static void find_bursts(struct audit *audit)
{
    uint64_t least;

    join_minutes(audit);
    if (audit->n_minutes == 0)
        return;
    qsort(audit->minutes, audit->n_minutes, sizeof *audit->minutes, by_votes);
    least = burst_votes(audit);
    for (size_t i = 0; i < audit->n_minutes && audit->minutes[i].votes >= least; i++)
        add_burst(audit, &audit->minutes[i]);
    if (audit->n_minutes > MINUTES_SHOWN)
        audit->n_minutes = MINUTES_SHOWN;
    qsort(audit->minutes, audit->n_minutes, sizeof *audit->minutes, by_minute);
}

static void group_render(const struct frequent_key *group, struct buf *out)
{
    buf_format(out, "{\"address_group\":\"%016" PRIx64 "\",\"votes\":%" PRIu64 "}", group->key,
               group->times);
}

static void groups_render(const struct audit *audit, struct buf *out)
{
    struct frequent_key largest[GROUPS_MAX];
    size_t n = frequent_largest(audit->groups, largest, (size_t)audit->limit);

    buf_text(out, ",\"address_groups\":");
    if (frequent_is_exact(audit->groups))
        buf_uint(out, n);
    else
        buf_text(out, "null");
    buf_text(out, ",\"groups\":[");
    for (size_t i = 0; i < n && i < audit->limit; i++) {
        if (i > 0)
            buf_char(out, ',');
        group_render(&largest[i], out);
    }
    buf_char(out, ']');
}

static void minutes_render(const struct audit *audit, struct buf *out)
{
    buf_text(out, ",\"minutes\":[");
    for (size_t i = 0; i < audit->n_minutes; i++) {
        buf_text(out, i > 0 ? ",{\"at\":\"" : "{\"at\":\"");
        buf_time(out, audit->minutes[i].minute * MINUTE_MS);
        buf_text(out, "\",\"votes\":");
        buf_uint(out, audit->minutes[i].votes);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void burst_render(const struct burst *burst, struct buf *out)
{
    struct frequent_key largest;
    size_t n = burst->groups ? frequent_largest(burst->groups, &largest, 1) : 0;

    buf_text(out, "{\"from\":\"");
    buf_time(out, burst->from * MINUTE_MS);
    buf_text(out, "\",\"to\":\"");
    buf_time(out, burst->to * MINUTE_MS);
    buf_text(out, "\",\"votes\":");
    buf_uint(out, burst->votes);
    buf_text(out, ",\"address_groups\":");
    if (burst->groups && frequent_is_exact(burst->groups))
        buf_uint(out, n);
    else
        buf_text(out, "null");
    buf_text(out, ",\"largest\":");
    if (n > 0)
        group_render(&largest, out);
    else
        buf_text(out, "null");
    buf_char(out, '}');
}

static void answer_audit(struct audit *audit)
{
    struct buf *out = &audit->loop->out;

    buf_clear(out);
    buf_text(out, "{\"id\":\"");
    buf_text(out, audit->published->poll->id);
    buf_text(out, "\",\"votes\":");
    buf_uint(out, audit->votes);
    buf_text(out, ",\"with_address\":");
    buf_uint(out, audit->with_address);
    groups_render(audit, out);
    minutes_render(audit, out);
    buf_text(out, ",\"bursts\":[");
    for (size_t i = 0; i < audit->n_bursts; i++) {
        if (i > 0)
            buf_char(out, ',');
        burst_render(&audit->bursts[i], out);
    }
    buf_text(out, "]}");
    answer_out(audit->exchange, audit->loop,
               &(struct answer){ .status = 200, .caching = CACHE_PRIVATE });
    audit_free(audit);
}

static void failed(struct rows *rows)
{
    struct audit *audit = (struct audit *)rows;

    answer_refusal(audit->exchange, audit->loop, &rows->refusal, (struct str){ NULL, 0 });
    audit_free(audit);
}

static void slice(struct rows *rows)
{
    struct audit *audit = (struct audit *)rows;
    bool ok = !exchange_gone(audit->exchange) && !audit->loop->draining;

    for (size_t i = 0; ok && i < rows->scan.n; i++) {
        if (rows_stands(rows, &rows->scan.rows[i]))
            ok = take_row(audit, &rows->scan.rows[i]);
    }
    if (!ok) {
        refuse(&rows->refusal, PROBLEM_BUSY, "no memory for this audit, or the server ends");
        failed(rows);
    } else if (!rows->scan.done) {
        rows_ask(rows);
    } else if (audit->second) {
        answer_audit(audit);
    } else {
        audit->second = true;
        find_bursts(audit);
        frequent_count_again(audit->groups);
        rows_again(rows);
    }
}

static bool start(const struct call *call, struct refusal *reterr)
{
    AUTO(audit) audit = calloc(1, sizeof *audit);

    if (audit)
        audit->groups = frequent_new();
    if (!audit || !audit->groups)
        return refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
    audit->published = call_poll(call, reterr);
    if (!audit->published || !url_number(&call->loop->url, "limit", 1, GROUPS_MAX, GROUPS_DEFAULT,
                                         &audit->limit, reterr))
        return false;
    audit->loop = call->loop;
    audit->exchange = call->exchange;
    audit->rows.needs_standing = true;
    audit->rows.slice = slice;
    audit->rows.failed = failed;
    rows_begin(&audit->rows, call->loop, audit->published->poll->number);
    rows_ask(&TAKE(audit)->rows);
    return true;
}

void audit_get(struct call *call)
{
    if (!start(call, &call->loop->refusal))
        answer_refusal(call->exchange, call->loop, &call->loop->refusal, (struct str){ NULL, 0 });
}
