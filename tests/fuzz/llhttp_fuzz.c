/*
 * llhttp_fuzz.c - what we take for requests, another reader takes for the same.
 *
 * llhttp 8.1, the parser of Node.js, reads the same connection. Of each request that ours takes, it
 * must find the method, the target, every field, the body, whether the connection stays, and the
 * end where we found them, and it must not find one more where ours waits for the rest: where two
 * readers of one connection differ, what one of them guards the other serves.
 *
 * Ours refuses more, and that is not looked at: behind a refusal the connection is closed.
 */
#include <regex.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <llhttp.h>

#include "base/auto.h"
#include "base/buf.h"
#include "net/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define REQUESTS_MAX 8

/* A request as a flat text, so that two of them are the same or not. */
struct heard {
    struct buf text; /* method LF target LF (name ':' value LF)… LF body */
    size_t end;      /* of it in the connection */
    bool keep_alive;
    bool has_trailers;
    bool may_close; /* ours: HTTP/1.0 with a Connection, which may say close and keep-alive */
};

struct hearing {
    struct heard requests[REQUESTS_MAX];
    size_t n;
    struct buf body;
    bool in_body;       /* behind the head: what follows of fields are trailers, which we drop */
    bool in_trailers;   /* it reads them as if they were fields, and may refuse them as such */
    bool met_extension; /* it stopped in a chunk's first line that the grammar has */
};

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static struct hearing *hearing_of(llhttp_t *parser)
{
    return parser->data;
}

static struct buf *text_of(llhttp_t *parser)
{
    struct hearing *hearing = hearing_of(parser);

    return &hearing->requests[hearing->n].text;
}

static int on_begin(llhttp_t *parser)
{
    struct hearing *hearing = hearing_of(parser);

    buf_clear(&hearing->body);
    hearing->in_body = hearing->in_trailers = false;
    return 0;
}

static int on_bytes(llhttp_t *parser, const char *at, size_t len)
{
    buf_add(text_of(parser), at, len);
    return 0;
}

static int on_line_done(llhttp_t *parser)
{
    buf_char(text_of(parser), '\n');
    return 0;
}

static int on_name(llhttp_t *parser, const char *at, size_t len)
{
    struct hearing *hearing = hearing_of(parser);

    hearing->in_trailers |= hearing->in_body;
    if (!hearing->in_body)
        buf_add(text_of(parser), at, len);
    return 0;
}

static int on_name_done(llhttp_t *parser)
{
    if (!hearing_of(parser)->in_body)
        buf_char(text_of(parser), ':');
    return 0;
}

static int on_value_done(llhttp_t *parser)
{
    struct buf *text = text_of(parser);

    if (hearing_of(parser)->in_body)
        return 0;
    /* White space behind a value is no part of it (RFC 9110 §5.5); llhttp leaves it there. */
    while (text->len > 0 &&
           (text->bytes[text->len - 1] == ' ' || text->bytes[text->len - 1] == '\t'))
        text->len--;
    buf_char(text, '\n');
    return 0;
}

static int on_head(llhttp_t *parser)
{
    hearing_of(parser)->in_body = true;
    buf_char(text_of(parser), '\n');
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    buf_add(&hearing_of(parser)->body, at, len);
    return 0;
}

/* Paused behind each request: where it ends is what is asked. */
static int on_end(llhttp_t *parser)
{
    struct hearing *hearing = hearing_of(parser);
    struct heard *heard = &hearing->requests[hearing->n];

    buf_str_add(&heard->text, buf_str(&hearing->body));
    heard->has_trailers = hearing->in_trailers;
    heard->keep_alive = llhttp_should_keep_alive(parser) != 0;
    return HPE_PAUSED;
}

static llhttp_settings_t settings_make(void)
{
    llhttp_settings_t settings;

    llhttp_settings_init(&settings);
    settings.on_message_begin = on_begin;
    settings.on_method = on_bytes;
    settings.on_method_complete = on_line_done;
    settings.on_url = on_bytes;
    settings.on_url_complete = on_line_done;
    settings.on_header_field = on_name;
    settings.on_header_field_complete = on_name_done;
    settings.on_header_value = on_name;
    settings.on_header_value_complete = on_value_done;
    settings.on_headers_complete = on_head;
    settings.on_body = on_body;
    settings.on_message_complete = on_end;
    return settings;
}

#define TOKEN "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
#define BWS "[ \t]*"
#define QUOTED "\"([^\"\\]|\\\\.)*\""

/* llhttp knows less of extensions than RFC 9112 §7.1.1 has: no white space, and not every quoted
 * string. The grammar itself, as an expression, says whether the line is a good one. */
static bool at_extension(const llhttp_t *parser, struct str whole)
{
    static const char grammar[] =
        "^[0-9A-Fa-f]+(" BWS ";" BWS TOKEN "(" BWS "=" BWS "(" TOKEN "|" QUOTED "))?)*$";
    const char *reason = llhttp_get_error_reason(parser);
    size_t from = (size_t)(llhttp_get_error_pos(parser) - whole.at);
    AUTO_BYTES char *line = NULL;
    regex_t regex;
    bool matches;

    if (!reason || !str_starts(str_of(reason), STR("Invalid character in chunk")))
        return false;
    while (from > 0 && whole.at[from - 1] != '\n')
        from--;
    line = str_copy((struct str){ whole.at + from, str_find(str_from(whole, from), '\r') });
    expect(line && regcomp(&regex, grammar, REG_EXTENDED | REG_NOSUB) == 0);
    matches = regexec(&regex, line, 0, NULL, 0) == 0;
    regfree(&regex);
    return matches;
}

/* A parser of its own for each request: what one of them says of the connection (Upgrade, close) is
 * ours to follow or not, and is compared by itself. */
static void other_reads(struct str whole, struct hearing *hearing)
{
    llhttp_settings_t settings = settings_make();
    size_t at = 0;

    while (hearing->n < REQUESTS_MAX && at < whole.len) {
        llhttp_t parser;
        llhttp_errno_t error;

        llhttp_init(&parser, HTTP_REQUEST, &settings);
        parser.data = hearing;
        error = llhttp_execute(&parser, whole.at + at, whole.len - at);
        hearing->met_extension = at_extension(&parser, whole);
        if (error != HPE_PAUSED)
            return;
        at = (size_t)(llhttp_get_error_pos(&parser) - whole.at);
        hearing->requests[hearing->n++].end = at;
    }
}

/* The target as it was sent, which ours takes apart. */
static struct str target_of(struct str head)
{
    size_t from;

    while (head.len > 0 && (head.at[0] == '\r' || head.at[0] == '\n'))
        head = str_from(head, 1);
    from = str_find(head, ' ') + 1;
    return (struct str){ head.at + from, str_find(str_from(head, from), ' ') };
}

static void flatten(struct str head, const struct http1_request *request, struct buf *text)
{
    buf_str_add(text, request->method_name);
    buf_char(text, '\n');
    buf_str_add(text, target_of(head));
    buf_char(text, '\n');
    for (size_t i = 0; i < request->n_fields; i++) {
        buf_str_add(text, request->fields[i].name);
        buf_char(text, ':');
        buf_str_add(text, request->fields[i].value);
        buf_char(text, '\n');
    }
    buf_char(text, '\n');
}

enum read { READ_WHOLE, READ_MORE, READ_REFUSED };

static enum read read_chunks(struct str bytes, size_t *used, struct buf *text)
{
    struct http1_chunked chunked = { 0 };

    for (;;) {
        struct str data = { NULL, 0 };
        size_t n;
        enum http1_chunk_result result = http1_chunked(&chunked, str_from(bytes, *used), &n, &data);

        *used += n;
        if (result == CHUNK_DATA)
            buf_str_add(text, data);
        else
            return result == CHUNK_DONE   ? READ_WHOLE
                   : result == CHUNK_MORE ? READ_MORE
                                          : READ_REFUSED;
    }
}

/* One request from the start of `bytes`, head and body. */
static enum read ours_reads(struct str bytes, struct heard *heard)
{
    static struct http1_request request;
    const char *what;
    size_t used;
    enum http1_result result = http1_head(bytes, &request, &used, &what);

    if (result == HTTP1_MORE)
        return READ_MORE;
    if (result != HTTP1_DONE || request.method == METHOD_OTHER)
        return READ_REFUSED;
    flatten((struct str){ bytes.at, used }, &request, &heard->text);
    heard->keep_alive = request.keep_alive;
    heard->may_close = request.minor == 0 && http1_field_count(&request, STR("connection")) > 0;
    if (request.body == BODY_CHUNKED) {
        enum read read = read_chunks(bytes, &used, &heard->text);

        heard->end = used;
        return read;
    }
    if (bytes.len - used < request.content_length)
        return READ_MORE;
    buf_add(&heard->text, bytes.at + used, (size_t)request.content_length);
    heard->end = used + (size_t)request.content_length;
    return READ_WHOLE;
}

/* Compares request number n, which ours has found whole behind `at`. */
static void compare_one(const struct heard *ours, const struct hearing *other, size_t n, size_t at)
{
    const struct heard *same = &other->requests[n];

    expect(other->n > n && same->end == at + ours->end);
    expect(buf_ok(&ours->text) && buf_ok(&same->text));
    expect(str_eq(buf_str(&ours->text), buf_str(&same->text)));
    /* llhttp follows a Connection among the trailers, where it says nothing (RFC 9110 §6.5.1), and
     * in HTTP/1.0 a keep-alive beside a close, where the close decides (RFC 9112 §9.3). */
    expect(ours->keep_alive == same->keep_alive || same->has_trailers ||
           (ours->may_close && !ours->keep_alive));
}

static void compare(struct str whole, const struct hearing *other)
{
    size_t at = 0;
    bool goes_on = true;

    for (size_t n = 0; n < REQUESTS_MAX && at < whole.len && goes_on; n++) {
        struct heard heard = { .end = 0 };
        enum read read = ours_reads(str_from(whole, at), &heard);
        bool is_stricter = other->n == n && (other->in_trailers || other->met_extension);

        if (read == READ_WHOLE && !is_stricter)
            compare_one(&heard, other, n, at);
        else if (read == READ_MORE)
            expect(other->n == n);
        goes_on = read == READ_WHOLE && !is_stricter && heard.keep_alive;
        at += heard.end;
        buf_free(&heard.text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str whole = { (const char *)bytes, len };
    struct hearing other = { .n = 0 };

    other_reads(whole, &other);
    compare(whole, &other);
    for (size_t i = 0; i < REQUESTS_MAX; i++)
        buf_free(&other.requests[i].text);
    buf_free(&other.body);
    return 0;
}
