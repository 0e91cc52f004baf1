/*
 * api/oembed.c - GET /oembed: what stands in another site's page for a link to a poll (oEmbed 1.0).
 *
 * Pages of polls name it: <link rel="alternate" type="application/json+oembed"
 * href="BASE/oembed?url=URL" title="…">, URL being the page's own, percent-encoded.
 *
 * Threads: the loop of the call.
 */
#include <inttypes.h>

#include "api/origin.h"
#include "api/routes.h"

#define WIDTH_DEFAULT 480
#define HEIGHT_MAX 900
#define HEIGHT_RATING 260
#define HEIGHT_CHOICE 200 /* and for each option: */
#define HEIGHT_OPTION 64
#define SIZE_MAX_ASKED 1000000

struct frame {
    struct published *published;
    struct str base;     /* where our pages are */
    struct str language; /* of the link, or empty */
    uint64_t width;
    uint64_t height;
};

/* The value of lang in a query, as far as it is a language tag. */
static struct str language_of(struct str query)
{
    struct str piece;

    while (str_next(&query, '&', &piece)) {
        if (str_starts(piece, STR("lang=")) && language_tag_ok(str_from(piece, strlen("lang="))))
            return str_from(piece, strlen("lang="));
    }
    return (struct str){ NULL, 0 };
}

/* /p/ID or /embed/ID, with or without query and fragment. The id needs no escapes in a URL. */
static bool link_read(struct str rest, struct str *ret_id, struct str *ret_language)
{
    struct str before = { rest.at, str_find(rest, '#') };
    struct str path = { before.at, str_find(before, '?') };
    struct str query = str_from(before, path.len);
    const struct str places[] = { STR("/p/"), STR("/embed/") };

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (!str_starts(path, places[i]))
            continue;
        *ret_id = str_from(path, places[i].len);
        *ret_language = language_of(query.len > 0 ? str_from(query, 1) : query);
        return true;
    }
    return false;
}

/* The poll of the link, one more reference; NULL: *reterr. Fills in base and language. */
static struct published *poll_find(const struct call *call, struct frame *frame,
                                   struct refusal *reterr)
{
    struct published *published = NULL;
    struct str url = url_parameter(&call->loop->url, "url");
    struct str rest;
    struct str id;

    if (url.len == 0) {
        refuse_parameter(reterr, "url", "name the poll's page: ?url=https://…/p/ID");
        return NULL;
    }
    if (!origin_own_url(call->loop->rules->origins, call->request, url, &frame->base, &rest) ||
        !link_read(rest, &id, &frame->language)) {
        refuse(reterr, PROBLEM_NO_SUCH_POLL, "this is not the address of a poll here");
        return NULL;
    }
    published = board_get(call->api->board, id);
    if (!published)
        refuse(reterr, PROBLEM_NO_SUCH_POLL, "there is no poll at this address");
    return published;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The page in the frame tells its true height when it has loaded: this is what it begins with. */
static uint64_t height_of(const struct poll *poll)
{
    if (poll->kind == POLL_RATING)
        return HEIGHT_RATING;
    return least(HEIGHT_CHOICE + poll->n_options * HEIGHT_OPTION, HEIGHT_MAX);
}

static bool size_read(const struct url *url, struct frame *frame, struct refusal *reterr)
{
    uint64_t width;
    uint64_t height;

    if (!url_number(url, "maxwidth", 1, SIZE_MAX_ASKED, SIZE_MAX_ASKED, &width, reterr) ||
        !url_number(url, "maxheight", 1, SIZE_MAX_ASKED, SIZE_MAX_ASKED, &height, reterr))
        return false;
    frame->width = least(WIDTH_DEFAULT, width);
    frame->height = least(height_of(frame->published->poll), height);
    return true;
}

/* Text as the value of an HTML attribute between double quotes. */
static void attribute_add(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.at[i]) {
        case '&':
            buf_text(out, "&amp;");
            break;
        case '<':
            buf_text(out, "&lt;");
            break;
        case '>':
            buf_text(out, "&gt;");
            break;
        case '"':
            buf_text(out, "&quot;");
            break;
        default:
            buf_char(out, text.at[i]);
        }
    }
}

static void html_add(struct buf *out, const struct frame *frame, struct str title)
{
    buf_text(out, "<iframe src=\"");
    attribute_add(out, frame->base);
    buf_text(out, "/embed/");
    buf_text(out, frame->published->poll->id);
    if (frame->language.len > 0) {
        buf_text(out, "?lang=");
        buf_str_add(out, frame->language);
    }
    buf_format(out, "\" width=\"%" PRIu64 "\" height=\"%" PRIu64 "\" title=\"", frame->width,
               frame->height);
    attribute_add(out, title);
    buf_text(out, "\" loading=\"lazy\" style=\"border:0;max-width:100%\"></iframe>");
}

static void frame_answer(const struct call *call, const struct frame *frame)
{
    struct published *published = frame->published;
    const char *language = published->languages[published_language(
        published, frame->language, http1_field(call->request, STR("Accept-Language")))];
    struct str title = str_of(text_value(&published->poll->title, language));
    struct buf *out = &call->loop->out;
    AUTO_BUF html = { 0 };
    AUTO_BUF home = { 0 };

    html_add(&html, frame, title);
    buf_str_add(&home, frame->base);
    buf_char(&home, '/');
    buf_clear(out);
    buf_text(out, "{\"version\":\"1.0\",\"type\":\"rich\",\"provider_name\":\"tallyd\","
                  "\"provider_url\":");
    buf_json_string(out, buf_str(&home));
    buf_text(out, ",\"title\":");
    buf_json_string(out, title);
    buf_format(out, ",\"width\":%" PRIu64 ",\"height\":%" PRIu64 ",\"html\":", frame->width,
               frame->height);
    buf_json_string(out, buf_str(&html));
    buf_char(out, '}');
    buf_heed(out, &html);
    buf_heed(out, &home);
    answer_out(call->exchange, call->loop,
               &(struct answer){
                   .status = 200, .caching = CACHE_TALLY, .language = language, .varies = true });
}

static bool get(struct call *call, struct refusal *reterr)
{
    struct str format = url_parameter(&call->loop->url, "format");
    AUTO(published) published = NULL;
    struct frame frame = { 0 };

    if (format.len > 0 && !str_eq(format, STR("json")))
        return refuse(reterr, PROBLEM_NOT_IMPLEMENTED, "oEmbed is given as JSON only");
    published = poll_find(call, &frame, reterr);
    frame.published = published;
    if (!published || !size_read(&call->loop->url, &frame, reterr))
        return false;
    frame_answer(call, &frame);
    return true;
}

void oembed_get(struct call *call)
{
    if (!get(call, &call->loop->refusal))
        answer_refusal(call->exchange, call->loop, &call->loop->refusal, (struct str){ NULL, 0 });
}
