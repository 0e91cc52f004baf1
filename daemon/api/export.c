/*
 * api/export.c - GET …/votes: the rows of a poll's ledger, streamed, as of one moment.
 *
 * The moment is the newest row when the first slice is read. Whether a row stands at that moment is
 * told by the rows behind it, so a poll in which votes were changed is read twice: first for which
 * rows were replaced (a bit each), then for the rows. The next slice is asked for when the peer has
 * taken most of the last one.
 *
 * Threads: the loop of the call; the job while it is asked for the writer's.
 */
#include <stdio.h>
#include <stdlib.h>

#include "api/ballots.h"
#include "api/routes.h"
#include "ledger/job.h"

#define UNSENT_BYTES_LOW ((size_t)64 << 10)
#define UNSENT_BYTES_HIGH ((size_t)256 << 10)
#define WORD_BITS 64

enum export_format { FORMAT_NDJSON, FORMAT_CSV };

struct export
{
    struct job job; /* first: a job is its export */
    struct api_loop *loop;
    struct exchange *exchange;
    struct published *published; /* a reference: the poll whose rows these are */
    enum export_format format;
    bool all;            /* rows that were replaced too */
    bool finds_replaced; /* the first of two passes */
    bool is_head;
    bool asked; /* the job is the writer's */
    bool begun; /* the head has been sent */
    bool gone;
    uint64_t *replaced; /* bit (seq - 1), or NULL: none was */
    struct refusal refusal;
    struct scan scan;
};

static void export_free(struct export *export)
{
    if (!export)
        return;
    published_free(export->published);
    free(export->replaced);
    free(export);
}
AUTO_FREE(export);

static void ask(struct export *export)
{
    export->asked = true;
    queue_list_add(&export->loop->submissions, &export->job.node);
}

static bool is_replaced(const struct export *export, uint32_t seq)
{
    return export->replaced &&
           (export->replaced[(seq - 1) / WORD_BITS] >> ((seq - 1) % WORD_BITS) & 1) != 0;
}

static void note_replaced(struct export *export)
{
    for (size_t i = 0; i < export->scan.n; i++) {
        uint32_t seq = export->scan.rows[i].replaces;

        if (seq > 0 && seq <= export->scan.end)
            export->replaced[(seq - 1) / WORD_BITS] |= UINT64_C(1) << ((seq - 1) % WORD_BITS);
    }
}

static void hash_render(const struct voter_hash *voter, struct buf *out)
{
    static const char digits[] = "0123456789abcdef";
    char hex[2 * sizeof voter->bytes];

    for (size_t i = 0; i < sizeof voter->bytes; i++) {
        hex[2 * i] = digits[voter->bytes[i] >> 4];
        hex[2 * i + 1] = digits[voter->bytes[i] & 15];
    }
    buf_add(out, hex, sizeof hex);
}

static void ndjson_render(const char *poll, const struct scanned *row, struct buf *out)
{
    buf_text(out, "{\"poll\":\"");
    buf_text(out, poll); /* an id has no character that JSON escapes */
    buf_text(out, "\",\"seq\":");
    buf_uint(out, row->seq);
    buf_text(out, ",\"at\":\"");
    buf_time(out, row->at_ms);
    buf_text(out, "\",\"options\":[");
    options_render(row->marks, ',', out);
    buf_text(out, "],\"replaces\":");
    if (row->replaces > 0)
        buf_uint(out, row->replaces);
    else
        buf_text(out, "null");
    buf_text(out, ",\"voter\":\"");
    hash_render(&row->voter, out);
    buf_text(out, "\"}\n");
}

/* No cell is one that a spreadsheet would run: an id begins with a letter or a digit, and the rest
 * are numbers, a time and hex digits. */
static void csv_render(const char *poll, const struct scanned *row, struct buf *out)
{
    buf_text(out, poll);
    buf_char(out, ',');
    buf_uint(out, row->seq);
    buf_char(out, ',');
    buf_time(out, row->at_ms);
    buf_char(out, ',');
    options_render(row->marks, '|', out);
    buf_char(out, ',');
    if (row->replaces > 0)
        buf_uint(out, row->replaces);
    buf_char(out, ',');
    hash_render(&row->voter, out);
    buf_text(out, "\r\n"); /* RFC 4180 §2 */
}

/* A retraction or a void is a row, but no vote. */
static bool is_wanted(const struct export *export, const struct scanned *row)
{
    return export->all || (row->marks != 0 && !is_replaced(export, row->seq));
}

static void rows_render(const struct export *export, struct buf *out)
{
    const char *poll = export->published->poll->id;

    for (size_t i = 0; i < export->scan.n; i++) {
        const struct scanned *row = &export->scan.rows[i];

        if (!is_wanted(export, row))
            continue;
        if (export->format == FORMAT_CSV)
            csv_render(poll, row, out);
        else
            ndjson_render(poll, row, out);
    }
}

static void room(void *context)
{
    struct export *export = context;

    if (!export->asked)
        ask(export);
}

static void gone(void *context)
{
    struct export *export = context;

    export->gone = true;
    if (export->asked)
        return; /* the job is still the writer's */
    exchange_abort(export->exchange);
    export_free(export);
}

/* false: there was no memory for the head, and that was answered. */
static bool begin(struct export *export)
{
    bool csv = export->format == FORMAT_CSV;
    char name[POLL_ID_BYTES_MAX + 16];

    (void)snprintf(name, sizeof name, "%s.%s", export->published->poll->id, csv ? "csv" : "ndjson");
    if (!answer_begin(
            export->exchange, export->loop,
            &(struct answer){ .status = 200,
                              .content_type = csv ? "text/csv; charset=utf-8; header=present"
                                                  : "application/x-ndjson",
                              .caching = CACHE_PRIVATE,
                              .file_name = name }))
        return false;
    export->begun = true;
    exchange_on_room(export->exchange, UNSENT_BYTES_LOW, room, export);
    if (csv)
        exchange_add(export->exchange, STR("poll,seq,at,options,replaces,voter\r\n"));
    return true;
}

/* The first slice of two passes: room for a bit a row. false: no memory. */
static bool begin_to_find(struct export *export)
{
    export->finds_replaced = !export->all && !export->scan.all_replace_none && export->scan.end > 0;
    if (!export->finds_replaced || export->replaced)
        return true;
    export->replaced = calloc(export->scan.end / WORD_BITS + 1, sizeof *export->replaced);
    return export->replaced != NULL;
}

static void end(struct export *export, bool whole)
{
    if (!export->begun)
        answer_refusal(export->exchange, export->loop, &export->refusal, (struct str){ NULL, 0 });
    else if (whole)
        exchange_end(export->exchange);
    else
        exchange_abort(export->exchange);
    export_free(export);
}

/* More of the first pass, or the start of the second. */
static void find_on(struct export *export)
{
    note_replaced(export);
    if (export->scan.done) {
        export->finds_replaced = false;
        export->scan.after = 0;
    } else {
        export->scan.after = export->scan.rows[export->scan.n - 1].seq;
    }
    ask(export);
}

static void show(struct export *export)
{
    struct buf *out = &export->loop->out;

    buf_clear(out);
    rows_render(export, out);
    if (!buf_ok(out)) {
        end(export, false);
        return;
    }
    exchange_add(export->exchange, buf_str(out));
    if (export->scan.done || export->is_head) {
        end(export, true);
        return;
    }
    export->scan.after = export->scan.rows[export->scan.n - 1].seq;
    if (exchange_unsent(export->exchange) <= UNSENT_BYTES_HIGH)
        ask(export);
}

static void back(struct job *job)
{
    struct export *export = (struct export *)job;
    bool first = !export->begun && !export->replaced;

    export->asked = false;
    if (export->gone) {
        exchange_abort(export->exchange);
        export_free(export);
        return;
    }
    if (job->result == JOB_REFUSED) {
        end(export, false); /* deleted meanwhile, or the store gave up */
        return;
    }
    if (first && !begin_to_find(export)) {
        refuse(&export->refusal, PROBLEM_BUSY, "no memory for this export; try again");
        end(export, false);
        return;
    }
    if (export->finds_replaced) {
        find_on(export);
        return;
    }
    if (!export->begun && !begin(export)) {
        export_free(export);
        return;
    }
    show(export);
}

static bool parameters_read(const struct url *url, struct export *export, struct refusal *reterr)
{
    struct str format = url_parameter(url, "format");
    uint64_t all;

    if (!url_number(url, "all", 0, 1, 0, &all, reterr))
        return false;
    export->all = all == 1;
    if (!format.at || str_eq(format, STR("ndjson")))
        export->format = FORMAT_NDJSON;
    else if (str_eq(format, STR("csv")))
        export->format = FORMAT_CSV;
    else
        return refuse_parameter(reterr, "format", "must be ndjson or csv");
    return true;
}

static bool start(const struct call *call, struct refusal *reterr)
{
    AUTO(export) export = calloc(1, sizeof *export);

    if (!export)
        return refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
    export->published = call_poll(call, reterr);
    if (!export->published || !parameters_read(&call->loop->url, export, reterr))
        return false;
    export->loop = call->loop;
    export->exchange = call->exchange;
    export->is_head = call->request->method == METHOD_HEAD;
    export->scan.poll = export->published->poll->number;
    export->job = (struct job){ .home = &call->loop->answers,
                                .back = back,
                                .kind = JOB_SCAN,
                                .scan = &export->scan,
                                .refusal = &export->refusal };
    exchange_on_gone(call->exchange, gone, export);
    ask(TAKE(export));
    return true;
}

void export_get(struct call *call)
{
    if (!start(call, &call->loop->refusal))
        answer_refusal(call->exchange, call->loop, &call->loop->refusal, (struct str){ NULL, 0 });
}
