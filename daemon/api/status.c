/*
 * api/status.c - GET /v1/status: what an administrator looks at first.
 *
 * Threads: the loop of the call.
 */
#include <stdlib.h>
#include <string.h>

#include "api/metrics.h"
#include "api/pending.h"
#include "api/routes.h"

static int by_size(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

static void latency_add(const char *name, const uint32_t *us, size_t n, unsigned percent,
                        struct buf *out)
{
    char text[24] = "0";

    if (n > 0)
        tally_decimal(us[(n - 1) * percent / 100], 3, text);
    buf_text(out, name);
    buf_text(out, text);
}

static void commits_add(const struct writer *writer, const struct writer_counts *counts,
                        struct buf *out)
{
    uint32_t us[WRITER_LATENCIES_MAX];
    size_t n = writer_latencies(writer, us);

    qsort(us, n, sizeof us[0], by_size);
    buf_text(out, ",\"queue\":{\"waiting\":");
    buf_uint(out, counts->waiting);
    buf_text(out, "},\"commits\":{\"count\":");
    buf_uint(out, counts->commits);
    buf_text(out, ",\"votes\":");
    buf_uint(out, counts->votes);
    latency_add(",\"p50_ms\":", us, n, 50, out);
    latency_add(",\"p99_ms\":", us, n, 99, out);
    buf_char(out, '}');
}

static void time_add(const char *name, int64_t at_ms, struct buf *out)
{
    buf_text(out, name);
    if (at_ms == 0) {
        buf_text(out, "null");
        return;
    }
    buf_char(out, '"');
    buf_time(out, at_ms);
    buf_char(out, '"');
}

static uint64_t votes_of(const struct busiest_poll *poll)
{
    return poll->votes[VOTE_COUNTED] + poll->votes[VOTE_CHANGED] + poll->votes[VOTE_RETRACTED];
}

static int by_votes(const void *a, const void *b)
{
    const struct busiest_poll *left = a;
    const struct busiest_poll *right = b;
    uint64_t more = votes_of(right);
    uint64_t less = votes_of(left);

    return more != less ? (more > less ? 1 : -1) : strcmp(left->id, right->id);
}

/* Most votes first, since they were noticed: whoever looks again sees how fast they come. */
static void busiest_write(struct busiest_figures *busiest, struct buf *out)
{
    qsort(busiest->polls, busiest->n, sizeof busiest->polls[0], by_votes);
    buf_text(out, ",\"busiest\":[");
    for (size_t i = 0; i < busiest->n; i++) {
        buf_text(out, i > 0 ? ",{\"id\":" : "{\"id\":");
        buf_json_string(out, str_of(busiest->polls[i].id));
        buf_text(out, ",\"votes\":");
        buf_uint(out, votes_of(&busiest->polls[i]));
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void store_write(const struct api *api, const struct store_status *store, struct buf *out)
{
    buf_text(out, ",\"store\":{\"url\":");
    buf_json_string(out, str_of(api->store_url));
    buf_text(out, ",\"bytes\":");
    buf_uint(out, store->figures.bytes);
    buf_text(out, ",\"wal_bytes\":");
    buf_uint(out, store->figures.wal_bytes);
    buf_text(out, ",\"wal_waiting_bytes\":");
    buf_uint(out, store->figures.wal_waiting_bytes);
    buf_text(out, store->figures.ballast ? ",\"ballast\":true" : ",\"ballast\":false");
    buf_text(out, store->weakness[0] ? ",\"durable\":false" : ",\"durable\":true");
    buf_text(out, ",\"weakness\":");
    if (store->weakness[0])
        buf_json_string(out, str_of(store->weakness));
    else
        buf_text(out, "null");
    buf_text(out, ",\"age_ms\":");
    buf_int(out, writer_age_ms(api->writer));
    buf_char(out, '}');
}

static void status_render(const struct api *api, const struct store_status *store,
                          const struct writer_figures *figures, int64_t now_ms, struct buf *out)
{
    buf_text(out, "{\"version\":\"" TALLYD_VERSION "\"");
    time_add(",\"started_at\":", api->started_ms, out);
    buf_text(out, ",\"uptime_s\":");
    buf_int(out, now_ms > api->started_ms ? (now_ms - api->started_ms) / 1000 : 0);
    store_write(api, store, out);
    buf_text(out, ",\"polls\":");
    buf_uint(out, store->figures.polls);
    buf_text(out, ",\"votes\":");
    buf_uint(out, store->votes);
    buf_text(out, ",\"votes_last_minute\":");
    buf_uint(out, figures->votes_last_minute);
    commits_add(api->writer, &figures->counts, out);
    buf_text(out, ",\"takes_votes\":");
    buf_text(out, writer_takes_votes(api->writer) ? "true" : "false");
    buf_text(out, ",\"threads\":");
    buf_uint(out, api->n_loops);
    time_add(",\"last_checkpoint_at\":", store->figures.last_checkpoint_ms, out);
    time_add(",\"last_backup_at\":", store->figures.last_backup_ms, out);
    buf_text(out, ",\"last_backup_bytes\":");
    buf_uint(out, store->figures.last_backup_bytes);
}

static void status_back(struct pending *pending)
{
    struct buf *out = &pending->loop->out;
    const struct loop *loop = exchange_loop(pending->exchange);
    struct net_now net = loop_net_now(loop);
    struct writer_figures figures;

    if (pending->jobs[0].job.result == JOB_REFUSED) {
        answer_refusal(pending->exchange, pending->loop, &pending->refusal,
                       (struct str){ NULL, 0 });
        return;
    }
    writer_figures(pending->api->writer, &figures);
    metrics_leave_out(pending->api->board, VIEWER_TRUSTED, &figures.votes);
    buf_clear(out);
    status_render(pending->api, pending->detail, &figures, loop_wall_ms(loop), out);
    buf_text(out, ",\"connections\":");
    buf_uint(out, net.connections);
    buf_text(out, ",\"requests\":");
    buf_uint(out, net.requests);
    buf_text(out, ",\"refused_connections\":");
    buf_uint(out, net.refused);
    busiest_write(&figures.votes, out);
    buf_char(out, '}');
    answer_out(pending->exchange, pending->loop,
               &(struct answer){ .status = 200, .caching = CACHE_PRIVATE });
}

static bool start(const struct call *call, struct refusal *reterr)
{
    AUTO(pending) pending = pending_new(call, 1, status_back);
    struct store_status *status = calloc(1, sizeof *status);

    if (!pending || !status) {
        free(status);
        return refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
    }
    pending->detail = status;
    pending->drop = free;
    pending->jobs[0].job.kind = JOB_STATUS;
    pending->jobs[0].job.status = status;
    pending_submit(TAKE(pending));
    return true;
}

void status_get(struct call *call)
{
    if (!start(call, &call->loop->refusal))
        answer_refusal(call->exchange, call->loop, &call->loop->refusal, (struct str){ NULL, 0 });
}
