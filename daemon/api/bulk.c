/*
 * api/bulk.c - POST /v1/votes: many votes in one request, answered while they come.
 *
 * Lines are gathered into jobs of up to BULK_LINES_MAX, and several jobs are with the writer at
 * once. They may come back in another order (a poll whose voters are being loaded waits), so
 * answers leave from the front of the list only. Reading pauses while too much is on its way, of
 * this request or of all, or too many answers wait to be taken; votes that were handed over count
 * whatever becomes of the connection.
 *
 * Threads: the loop of the exchange; a job between submission and return the writer's.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/bulk_line.h"
#include "api/lines.h"
#include "api/routes.h"
#include "api/streams.h"

#define JOBS_MAX 16                        /* with the writer at once, of one request */
#define UNSENT_BYTES_MAX ((size_t)1 << 20) /* the contract's: more, and reading pauses */
#define UNSENT_BYTES_LOW ((size_t)256 << 10)

struct call_of_bulk;

struct bulk_job {
    struct job job; /* first: a job is its bulk_job */
    struct bulk_job *next;
    struct call_of_bulk *call;
    bool is_back;
    struct refusal refusal; /* of all of it: busy, store-unavailable, outcome-unknown */
    struct bulk bulk;
};

struct sums { /* of lines, for the log */
    uint64_t counted;
    uint64_t changed;
    uint64_t already;
    uint64_t refused;
};

struct call_of_bulk {
    struct stream stream; /* first: a stream is its call */
    struct who who;
    struct sums sums;
    struct writer *writer;
    struct api_loop *loop;
    struct exchange *exchange;
    struct bulk_reader reader;
    struct lines lines;
    struct bulk_job *first; /* to be answered, in order; the last may still be filling */
    struct bulk_job *last;
    struct bulk_job *filling;
    size_t n_with_writer;
    bool ended;             /* the body is complete, or no more of it is read */
    bool broken;            /* nobody can be answered any more */
    struct refusal refusal; /* of the line at hand */
};

static void bulk_job_free(struct bulk_job *job)
{
    if (!job)
        return;
    buf_free(&job->bulk.details);
    free(job);
}
AUTO_FREE(bulk_job);

static void call_free(struct call_of_bulk *call)
{
    struct bulk_job *next;

    for (struct bulk_job *job = call->first; job; job = next) {
        next = job->next;
        bulk_job_free(job);
    }
    bulk_reader_forget(&call->reader);
    lines_clear(&call->lines);
    streams_leave(&call->stream);
    free(call);
}

static const char *word_of(enum job_result result)
{
    return result == JOB_COUNTED ? "counted" : result == JOB_CHANGED ? "changed" : "already";
}

static void refused_render(enum problem problem, struct str detail, struct buf *out)
{
    buf_text(out, ",\"status\":");
    buf_uint(out, problem_status(problem));
    buf_text(out, ",\"error\":\"");
    buf_text(out, problem_slug(problem));
    buf_text(out, "\",\"detail\":");
    buf_json_string(out, detail.len > 0 ? detail : str_of(problem_title(problem)));
    buf_text(out, "}\n");
}

static void line_render(const struct bulk_job *job, const struct bulk_line *line, struct buf *out)
{
    const struct buf *details = &job->bulk.details;

    buf_text(out, "{\"line\":");
    buf_uint(out, line->number);
    if (line->problem != PROBLEM_NONE && line->detail_len > 0) {
        refused_render(line->problem,
                       (struct str){ details->bytes + line->detail, line->detail_len }, out);
    } else if (line->problem != PROBLEM_NONE) {
        refused_render(line->problem, (struct str){ NULL, 0 }, out);
    } else if (job->job.result == JOB_REFUSED) {
        refused_render(job->refusal.problem, str_of(job->refusal.detail), out);
    } else {
        buf_text(out, ",\"result\":\"");
        buf_text(out, word_of(line->result));
        buf_text(out, "\",\"seq\":");
        buf_uint(out, line->seq);
        buf_text(out, "}\n");
    }
}

static void job_answer(struct call_of_bulk *call, const struct bulk_job *job)
{
    struct buf *out = &call->loop->out;

    buf_clear(out);
    for (size_t i = 0; i < job->bulk.n; i++)
        line_render(job, &job->bulk.lines[i], out);
    if (buf_ok(out))
        exchange_add(call->exchange, buf_str(out));
    else
        call->broken = true; /* a line without its answer: the client must see it cut */
}

static void sum_up(struct call_of_bulk *call, const struct bulk_job *job)
{
    struct sums *sums = &call->sums;

    for (size_t i = 0; i < job->bulk.n; i++) {
        const struct bulk_line *line = &job->bulk.lines[i];
        enum problem problem = line->problem ? line->problem : job->refusal.problem;

        tell_add(&call->loop->refused_lines[problem], problem != PROBLEM_NONE);
        if (problem != PROBLEM_NONE)
            sums->refused++;
        else if (line->result == JOB_COUNTED)
            sums->counted++;
        else if (line->result == JOB_CHANGED)
            sums->changed++;
        else
            sums->already++;
    }
}

/* What changed nothing needs no line. */
static void tell(const struct call_of_bulk *call)
{
    const struct sums *sums = &call->sums;
    char what[160];

    if (sums->counted + sums->changed == 0)
        return;
    (void)snprintf(what, sizeof what,
                   "sent votes in bulk: %" PRIu64 " counted, %" PRIu64 " changed, %" PRIu64
                   " there already, %" PRIu64 " refused",
                   sums->counted, sums->changed, sums->already, sums->refused);
    change_log(&call->who, what, NULL);
}

/* May free the call. */
static void go_on(struct call_of_bulk *call)
{
    while (call->first && call->first->is_back) {
        AUTO(bulk_job) job = call->first;

        call->first = job->next;
        if (!call->first)
            call->last = NULL;
        sum_up(call, job);
        if (!call->broken)
            job_answer(call, job);
    }
    if (call->n_with_writer > 0) {
        /* comes again */
        return;
    }
    if (!call->broken && !call->ended)
        return;
    tell(call);
    if (call->broken)
        exchange_abort(call->exchange);
    else
        exchange_end(call->exchange);
    call_free(call);
}

/* A request with nothing at the writer goes on even where others have much there: the answer to a
 * job is what wakes it again, and so each gets its turn. */
static bool is_full(const struct call_of_bulk *call)
{
    return call->n_with_writer >= JOBS_MAX ||
           (call->n_with_writer > 0 && writer_has_much_bulk(call->writer)) ||
           exchange_unsent(call->exchange) > UNSENT_BYTES_MAX;
}

static void read_on(struct call_of_bulk *call)
{
    if (call->ended || call->broken)
        return;
    if (is_full(call))
        exchange_pause(call->exchange);
    else
        exchange_resume(call->exchange);
}

static void job_back(struct job *back)
{
    struct bulk_job *job = (struct bulk_job *)back;
    struct call_of_bulk *call = job->call;

    job->is_back = true;
    call->n_with_writer--;
    read_on(call);
    go_on(call);
}

static void submit(struct call_of_bulk *call)
{
    struct bulk_job *job = call->filling;

    if (!job)
        return;
    call->filling = NULL;
    call->n_with_writer++;
    writer_submit_bulk(call->writer, &job->job);
}

/* The job that takes the next line, or NULL: no memory. */
static struct bulk_job *job_to_fill(struct call_of_bulk *call)
{
    struct bulk_job *job = call->filling;

    if (job && job->bulk.n < BULK_LINES_MAX)
        return job;
    submit(call);
    job = malloc(sizeof *job); /* 40 kB, of which what is used is written */
    if (!job)
        return NULL;
    job->job = (struct job){ .home = &call->loop->answers,
                             .back = job_back,
                             .kind = JOB_BULK,
                             .bulk = &job->bulk,
                             .refusal = &job->refusal };
    job->next = NULL;
    job->call = call;
    job->is_back = false;
    job->refusal.problem = PROBLEM_NONE;
    job->bulk.n = 0;
    job->bulk.details = (struct buf){ 0 };
    if (call->last)
        call->last->next = job;
    else
        call->first = job;
    call->last = job;
    call->filling = job;
    return job;
}

static bool is_blank(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] != ' ' && text.at[i] != '\t' && text.at[i] != '\r')
            return false;
    }
    return true;
}

/* false: no memory. */
static bool take_line(struct call_of_bulk *call, struct str text, bool too_long)
{
    struct bulk_job *job;
    struct bulk_line *line;

    if (!too_long && is_blank(text))
        return true; /* blank lines are counted, and passed over */
    job = job_to_fill(call);
    if (!job)
        return false;
    line = &job->bulk.lines[job->bulk.n++];
    *line = (struct bulk_line){ .number = call->lines.number };
    call->refusal.problem = PROBLEM_NONE;
    call->refusal.n_errors = 0;
    if (too_long)
        refuse(&call->refusal, PROBLEM_TOO_LARGE, "a line has at most %d bytes", LINE_BYTES_MAX);
    else if (bulk_line_read(&call->reader, text, &line->ballot, &call->refusal))
        return true;
    bulk_refuse(&job->bulk, line, &call->refusal);
    return true;
}

static void take_bytes(struct call_of_bulk *call, struct str bytes, bool last)
{
    bool ok = true;

    while (ok && !call->broken) {
        struct str text = { NULL, 0 };
        enum line what = lines_next(&call->lines, &bytes, last, &text);

        if (what == LINE_MORE)
            break;
        ok = what != LINE_NO_MEMORY && take_line(call, text, what == LINE_TOO_LONG);
    }
    bulk_reader_forget(&call->reader); /* the poll may be another one until the next piece */
    submit(call);
    call->broken |= !ok;
}

static void take(void *context, struct str bytes)
{
    struct call_of_bulk *call = context;

    take_bytes(call, bytes, false);
    read_on(call);
    go_on(call);
}

static void end(void *context)
{
    struct call_of_bulk *call = context;

    take_bytes(call, (struct str){ NULL, 0 }, true);
    call->ended = true;
    go_on(call);
}

static void room(void *context)
{
    read_on(context);
}

static void gone(void *context)
{
    struct call_of_bulk *call = context;

    call->broken = true;
    go_on(call);
}

/* What was taken is answered; the client sees from the last answer where to go on. */
static void drain(struct stream *stream)
{
    struct call_of_bulk *call = (struct call_of_bulk *)stream;

    if (call->ended || call->broken)
        return;
    exchange_pause(call->exchange);
    call->ended = true;
    go_on(call);
}

static bool begin(const struct call *call, struct refusal *reterr)
{
    struct call_of_bulk *bulk;

    if (!call_type_ok(call, "application/x-ndjson application/json", reterr))
        return false;
    bulk = calloc(1, sizeof *bulk);
    if (!bulk)
        return refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
    bulk->stream.drain = drain;
    bulk->who = caller_who(&call->caller);
    bulk->writer = call->api->writer;
    bulk->loop = call->loop;
    bulk->exchange = call->exchange;
    bulk->reader = (struct bulk_reader){ .board = call->api->board,
                                         .keys = call->api->keys,
                                         .caller = call->caller };
    bulk->reader.caller.bearer = (struct str){ NULL, 0 }; /* it goes with the request */
    streams_enter(call->loop, &bulk->stream);
    /* Before the head: a client that waits for 100 Continue gets it first. */
    exchange_read(call->exchange, &(struct body_reader){ bulk, take, end });
    if (!answer_begin(call->exchange, call->loop,
                      &(struct answer){ .status = 200,
                                        .content_type = "application/x-ndjson",
                                        .caching = CACHE_PRIVATE })) {
        call_free(bulk);
        return true;
    }
    exchange_on_gone(call->exchange, gone, bulk);
    exchange_on_room(call->exchange, UNSENT_BYTES_LOW, room, bulk);
    if (call->loop->draining)
        drain(&bulk->stream);
    return true;
}

void bulk_post(struct call *call)
{
    if (!begin(call, &call->loop->refusal))
        answer_refusal(call->exchange, call->loop, &call->loop->refusal, (struct str){ NULL, 0 });
}
