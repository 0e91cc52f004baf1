/*
 * api/export.c - GET …/votes: the rows of a poll's ledger, streamed, as of one moment.
 *
 * The next slice is asked for when the peer has taken most of the last one.
 *
 * Threads: the loop of the call.
 */
#include <stdio.h>
#include <stdlib.h>

#include "api/ballots.h"
#include "api/routes.h"
#include "api/rows.h"

#define UNSENT_BYTES_LOW ((size_t)64 << 10)
#define UNSENT_BYTES_HIGH ((size_t)256 << 10)

enum export_format { FORMAT_NDJSON, FORMAT_CSV };

struct export
{
    struct rows rows; /* first: rows are their export's */
    struct api_loop *loop;
    struct exchange *exchange;
    struct published *published; /* a reference: the poll whose rows these are */
    enum export_format format;
    bool all; /* rows that were replaced too */
    bool is_head;
    bool begun; /* the head has been sent */
    bool gone;
};

static void export_free(struct export *export)
{
    if (!export)
        return;
    published_free(export->published);
    rows_clear(&export->rows);
    free(export);
}
AUTO_FREE(export);

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

static void rows_render(const struct export *export, struct buf *out)
{
    const char *poll = export->published->poll->id;

    for (size_t i = 0; i < export->rows.scan.n; i++) {
        const struct scanned *row = &export->rows.scan.rows[i];

        if (!export->all && !rows_stands(&export->rows, row))
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

    if (!export->rows.asked)
        rows_ask(&export->rows);
}

/* Nobody hears it: only frees the exchange, which may have ended before the first slice came. */
static void drop(struct export *export)
{
    if (export->begun)
        exchange_abort(export->exchange);
    else
        exchange_reply(export->exchange, &(struct reply){ .status = 503, .close = true });
    export_free(export);
}

static void gone(void *context)
{
    struct export *export = context;

    export->gone = true;
    if (!export->rows.asked) /* else the job is still the writer's */
        drop(export);
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

static void end(struct export *export, bool whole)
{
    if (!export->begun)
        answer_refusal(export->exchange, export->loop, &export->rows.refusal,
                       (struct str){ NULL, 0 });
    else if (whole)
        exchange_end(export->exchange);
    else
        exchange_abort(export->exchange);
    export_free(export);
}

static bool drop_gone(struct export *export)
{
    if (!export->gone)
        return false;
    drop(export);
    return true;
}

static void slice(struct rows *rows)
{
    struct export *export = (struct export *)rows;
    struct buf *out = &export->loop->out;

    if (drop_gone(export))
        return;
    if (!export->begun && !begin(export)) {
        export_free(export);
        return;
    }
    buf_clear(out);
    rows_render(export, out);
    if (!buf_ok(out)) {
        end(export, false);
        return;
    }
    exchange_add(export->exchange, buf_str(out));
    if (rows->scan.done || export->is_head)
        end(export, true);
    else if (exchange_unsent(export->exchange) <= UNSENT_BYTES_HIGH)
        rows_ask(rows);
}

/* Deleted meanwhile, or the store gave up: the peer sees it cut. */
static void failed(struct rows *rows)
{
    struct export *export = (struct export *)rows;

    if (!drop_gone(export))
        end(export, false);
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
    export->rows.needs_standing = !export->all;
    export->rows.slice = slice;
    export->rows.failed = failed;
    rows_begin(&export->rows, call->loop, export->published->poll->number);
    exchange_on_gone(call->exchange, gone, export);
    rows_ask(&TAKE(export)->rows);
    return true;
}

void export_get(struct call *call)
{
    if (!start(call, &call->loop->refusal))
        answer_refusal(call->exchange, call->loop, &call->loop->refusal, (struct str){ NULL, 0 });
}
