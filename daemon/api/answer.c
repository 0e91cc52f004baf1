/*
 * api/answer.c - replies: JSON with its header fields, and problem documents.
 *
 * Threads: the loop of the exchange.
 */
#include <inttypes.h>
#include <string.h>

#include "api/call.h"
#include "api/origin.h"

#define RETRY_AFTER_S 1

static const char *const cache_control[] = {
    [CACHE_NOT] = "no-store",
    [CACHE_PRIVATE] = "private, no-store",
    [CACHE_TALLY] = "public, max-age=1, stale-while-revalidate=5",
    [CACHE_AN_HOUR] = "public, max-age=3600",
    [CACHE_SCRIPT] = "public, max-age=300",
    [CACHE_FOR_EVER] = "public, max-age=31536000, immutable",
};

/* A value that would begin a line of its own is none (RFC 9110 §5.5): the answer fails. */
static void field(struct buf *out, const char *name, const char *value)
{
    if (strpbrk(value, "\r\n"))
        out->failed = true;
    buf_text(out, name);
    buf_text(out, ": ");
    buf_text(out, value);
    buf_text(out, "\r\n");
}

bool answer_note_origin(struct exchange *exchange, const struct api_loop *loop)
{
    struct str known = origin_known(loop->rules->origins, exchange_request(exchange));

    return known.len == 0 || exchange_set_note(exchange, known);
}

/* What browsers are told: which pages may read it, and that a type is what it says. An answer that
 * depends on the caller, or to a request that changes something, is for known pages alone. */
static void browser_fields(const struct exchange *exchange, bool depends_on_caller,
                           const char *vary, struct buf *fields)
{
    bool known_only = depends_on_caller || !exchange_is_safe(exchange);

    origin_write_fields(exchange_note(exchange), known_only ? READERS_KNOWN : READERS_ALL, vary,
                        fields);
    buf_text(fields, BROWSER_FIELDS);
}

/* Where the store is not to be reached, what is shown gets older, and caches are told so
 * (RFC 9111 §5.1). */
static void age_field(const struct api_loop *loop, struct buf *fields)
{
    int64_t age_s = writer_age_ms(loop->writer) / 1000;

    if (age_s > 0)
        buf_format(fields, "Age: %" PRId64 "\r\n", age_s);
}

#define NO_MEMORY(slug, detail)                                                                    \
    STR("{\"type\":\"/problems/" slug                                                              \
        "\",\"title\":\"No memory\",\"status\":503,\"detail\":\"" detail "\"}")

/* There is memory for no answer, so this one is no request for any. Where something was to be
 * changed it may be: busy, which is what nothing came of, would be a guess. */
static void busy(struct exchange *exchange, struct api_loop *loop)
{
    struct reply reply = {
        .status = 503,
        .content_type = "application/problem+json",
        .fields = STR(BUSY_FIELDS),
        .n_pieces = 1,
    };
    bool is_safe = exchange_is_safe(exchange);

    if (is_safe)
        reply.pieces[0] = NO_MEMORY("busy", "no memory for this answer; send it again");
    else
        reply.pieces[0] =
            NO_MEMORY("outcome-unknown", "no memory to say what came of it; send it again");
    tell_add(&loop->refused[is_safe ? PROBLEM_BUSY : PROBLEM_OUTCOME_UNKNOWN], 1);
    exchange_reply(exchange, &reply);
}

/* false: no memory, and busy() is said. */
static bool head_of(struct exchange *exchange, struct api_loop *loop, const struct answer *answer,
                    struct reply *ret_reply)
{
    struct buf *fields = &loop->fields;

    buf_clear(fields);
    field(fields, "Cache-Control", cache_control[answer->caching]);
    if (answer->caching == CACHE_TALLY)
        age_field(loop, fields);
    browser_fields(exchange, answer->caching == CACHE_PRIVATE,
                   answer->varies ? "Accept-Language" : NULL, fields);
    if (answer->etag)
        field(fields, "ETag", answer->etag);
    if (answer->language)
        field(fields, "Content-Language", answer->language);
    if (answer->location)
        field(fields, "Location", answer->location);
    if (answer->unbuffered)
        field(fields, "X-Accel-Buffering", "no");
    buf_str_add(fields, answer->more);
    if (answer->file_name)
        buf_format(fields, "Content-Disposition: attachment; filename=\"%s\"\r\n",
                   answer->file_name);
    if (!buf_ok(fields)) {
        busy(exchange, loop);
        return false;
    }
    *ret_reply = (struct reply){ .status = answer->status, .fields = buf_str(fields) };
    return true;
}

void answer(struct exchange *exchange, struct api_loop *loop, const struct answer *answer)
{
    struct reply reply;

    if (!head_of(exchange, loop, answer, &reply))
        return;
    for (size_t i = 0; i < sizeof answer->body / sizeof answer->body[0]; i++) {
        if (answer->body[i].len > 0)
            reply.pieces[reply.n_pieces++] = answer->body[i];
    }
    if (reply.n_pieces > 0)
        reply.content_type = answer->content_type ? answer->content_type : "application/json";
    exchange_reply(exchange, &reply);
}

bool answer_begin(struct exchange *exchange, struct api_loop *loop, const struct answer *answer)
{
    struct reply reply;

    if (!head_of(exchange, loop, answer, &reply))
        return false;
    reply.content_type = answer->content_type ? answer->content_type : "application/json";
    exchange_begin(exchange, &reply);
    return true;
}

void answer_out(struct exchange *exchange, struct api_loop *loop, struct answer *head)
{
    if (!buf_ok(&loop->out)) {
        busy(exchange, loop);
        return;
    }
    head->body[0] = buf_str(&loop->out);
    answer(exchange, loop, head);
}

static void errors_render(const struct refusal *refusal, struct buf *out)
{
    buf_text(out, ",\"errors\":[");
    for (size_t i = 0; i < refusal->n_errors; i++) {
        const struct refusal_error *error = &refusal->errors[i];

        buf_text(out, i > 0 ? ",{" : "{");
        buf_text(out, error->parameter ? "\"parameter\":" : "\"pointer\":");
        buf_json_string(out, str_of(error->where));
        buf_text(out, ",\"detail\":");
        buf_json_string(out, str_of(error->detail));
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

void problem_render(const struct refusal *refusal, struct str standing, struct buf *out)
{
    buf_text(out, "{\"type\":\"/problems/");
    buf_text(out, problem_slug(refusal->problem));
    buf_text(out, "\",\"title\":");
    buf_json_string(out, str_of(problem_title(refusal->problem)));
    buf_text(out, ",\"status\":");
    buf_uint(out, problem_status(refusal->problem));
    buf_text(out, ",\"detail\":");
    buf_json_string(out, str_of(refusal->detail));
    if (problem_status(refusal->problem) == 422)
        errors_render(refusal, out);
    if (standing.len > 0) {
        buf_text(out, ",\"standing\":");
        buf_str_add(out, standing);
    }
    buf_char(out, '}');
}

/* 401 and 403 depend on who asks: under after_vote they tell a page whether its reader has voted.
 */
void refusal_fields(const struct exchange *exchange, unsigned status, uint64_t retry_s,
                    struct buf *fields)
{
    buf_clear(fields);
    field(fields, "Cache-Control", "no-store");
    browser_fields(exchange, status == 401 || status == 403, NULL, fields);
    if (status == 401)
        field(fields, "WWW-Authenticate", "Bearer");
    if (status == 503 || status == 429)
        buf_format(fields, "Retry-After: %" PRIu64 "\r\n",
                   retry_s > RETRY_AFTER_S ? retry_s : RETRY_AFTER_S);
}

static void refusal_end(struct exchange *exchange, struct api_loop *loop,
                        const struct refusal *refusal, struct str standing)
{
    struct buf *out = &loop->out;

    buf_clear(out);
    problem_render(refusal, standing, out);
    if (!buf_ok(&loop->fields) || !buf_ok(out)) {
        busy(exchange, loop);
        return;
    }
    tell_add(&loop->refused[refusal->problem], 1);
    exchange_reply(exchange, &(struct reply){ .status = problem_status(refusal->problem),
                                              .content_type = "application/problem+json",
                                              .fields = buf_str(&loop->fields),
                                              .n_pieces = 1,
                                              .pieces = { buf_str(out) } });
}

void answer_not_allowed(struct exchange *exchange, struct api_loop *loop,
                        const struct refusal *refusal, const struct buf *methods)
{
    refusal_fields(exchange, problem_status(refusal->problem), 0, &loop->fields);
    buf_heed(&loop->fields, methods);
    buf_format(&loop->fields, "Allow: %.*s\r\n", (int)methods->len, methods->bytes);
    refusal_end(exchange, loop, refusal, (struct str){ NULL, 0 });
}

void answer_refusal_after(struct exchange *exchange, struct api_loop *loop,
                          const struct refusal *refusal, struct str standing, uint64_t retry_s)
{
    refusal_fields(exchange, problem_status(refusal->problem), retry_s, &loop->fields);
    refusal_end(exchange, loop, refusal, standing);
}

void answer_refusal(struct exchange *exchange, struct api_loop *loop, const struct refusal *refusal,
                    struct str standing)
{
    answer_refusal_after(exchange, loop, refusal, standing, 0);
}

void answer_fields(struct exchange *exchange, struct api_loop *loop, unsigned status)
{
    if (!buf_ok(&loop->fields))
        busy(exchange, loop);
    else
        exchange_reply(exchange,
                       &(struct reply){ .status = status, .fields = buf_str(&loop->fields) });
}

bool etag_matches(const struct http1_request *request, struct str etag)
{
    struct str rest = http1_field(request, STR("If-None-Match"));
    struct str piece;

    /* Ours hold no comma, so splitting at commas is enough to compare. */
    while (str_next(&rest, ',', &piece)) {
        piece = str_trim(piece);
        if (str_starts(piece, STR("W/")))
            piece = str_from(piece, 2);
        if (str_eq(piece, etag) || str_eq(piece, STR("*")))
            return true;
    }
    return false;
}
