/*
 * api/charts.c - GET …/chart.svg and …/chart.png: a tally, or how it came to be, as a picture.
 *
 * A picture is rendered once for each version, language and look, then kept. SVG is made here: with
 * 64 options of 1,000 bytes it takes 2 ms, mostly 0.1. PNG is the painter's work.
 *
 * Threads: the loop of the call; render() the painter's too.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/hours_reading.h"
#include "api/painter.h"
#include "api/pending.h"
#include "api/pictures.h"
#include "api/routes.h"
#include "api/viewing.h"
#include "web/chart.h"
#include "web/png.h"
#include "web/svg.h"

#define MOMENTS 240 /* of a history, about: more than that many steps cannot be told apart */
#define MINUTE_MS 60000
#define HOUR_MS (INT64_C(1000) * HOUR_S)

enum format { FORMAT_SVG, FORMAT_PNG };
enum stage { STAGE_ASK, STAGE_HOURS, STAGE_PAINT };

struct chart_call { /* the loop's; while it is painted the painter reads it */
    enum stage stage;
    enum format format;
    bool of_history;
    bool has_history; /* `history` is read */
    bool is_had;      /* the caller has what `etag` names */
    struct chart chart;
    struct published *published; /* a reference */
    char language[LANGUAGE_TAG_BYTES_MAX + 1];
    struct ballot ballot;
    enum caching caching;
    int64_t now_ms;
    struct chart_history history;
    struct hours_reading reading;
    struct painting painting;
    struct png *png;                       /* the api's; the painter's to use */
    char etag[PICTURE_NAME_BYTES_MAX + 2]; /* the picture's name in quotes */
};

static void chart_call_free(struct chart_call *mine)
{
    if (!mine)
        return;
    published_free(mine->published);
    picture_free(mine->painting.picture);
    chart_history_free(&mine->history);
    free(mine);
}
AUTO_FREE(chart_call);

static void chart_call_drop(void *detail)
{
    chart_call_free(detail);
}

static struct picture *render(void *context, struct why *reterr_why)
{
    const struct chart_call *mine = context;
    AUTO_DRAWING drawing = { 0 };
    AUTO_BUF out = { 0 };

    if (mine->of_history)
        chart_draw_history(&mine->chart, &mine->history, &drawing);
    else
        chart_draw_tally(&mine->chart, &drawing);
    if (mine->format == FORMAT_SVG)
        svg_render(&drawing, &out);
    else if (png_render(mine->png, &drawing, &out, reterr_why) != PNG_RENDERED)
        return NULL;
    return buf_ok(&out) ? picture_new(buf_str(&out)) : NULL;
}

/* A history ends when its poll did, else now; whole minutes, so that a picture holds for one. */
static void set_span(struct chart_call *mine)
{
    const struct poll *poll = mine->published->poll;
    int64_t ends_ms = poll_closed_since_ms(poll, mine->now_ms);
    int64_t from_ms = poll->created_at_ms;
    int64_t to_ms = ends_ms == WHEN_NEVER ? mine->now_ms : ends_ms;

    from_ms -= from_ms % MINUTE_MS;
    to_ms -= to_ms % MINUTE_MS;
    mine->history.from_ms = from_ms;
    mine->history.to_ms = to_ms > from_ms ? to_ms : from_ms + MINUTE_MS;
}

/* The name that the picture is kept by, and its ETag: all that its bytes depend on, the program
 * that draws it too. false: no memory for the tally's. */
static bool name_it(struct chart_call *mine)
{
    const struct chart *chart = &mine->chart;
    const struct rendered *tally = published_json(mine->published, chart->language);
    char moment[32] = "";
    int len;

    if (!tally)
        return false;
    if (mine->of_history)
        (void)snprintf(moment, sizeof moment, "%" PRIx64,
                       (uint64_t)mine->history.to_ms / MINUTE_MS);
    len = snprintf(mine->painting.name, sizeof mine->painting.name,
                   "%.*s-" TALLYD_VERSION "-%s-%s-%c%u%c%s", (int)tally->etag_len - 2,
                   tally->etag + 1, chart->words->tag, mine->format == FORMAT_PNG ? "png" : "svg",
                   chart->theme == THEME_DARK ? 'd' : 'l', chart->width_px,
                   mine->of_history ? 'h' : 't', moment);
    assert(len > 0 && (size_t)len < sizeof mine->painting.name);
    (void)snprintf(mine->etag, sizeof mine->etag, "\"%s\"", mine->painting.name);
    return true;
}

/* Shows this publication, in the language that the call was promised. */
static bool settle(struct chart_call *mine, struct published *published)
{
    published_free(mine->published);
    mine->published = published_ref(published);
    mine->chart.published = mine->published;
    mine->chart.language = language_find(mine->published, mine->language);
    set_span(mine);
    return name_it(mine);
}

static void answer_with(const struct pending *pending, const struct chart_call *mine,
                        const struct picture *picture)
{
    struct answer reply = { .status = picture ? 200 : 304,
                            .caching = mine->caching,
                            .etag = mine->etag,
                            .language = mine->published->languages[mine->chart.language],
                            .varies = true };

    reply.content_type = "image/png";
    if (mine->format == FORMAT_SVG) {
        reply.content_type = "image/svg+xml";
        reply.more = STR("Content-Security-Policy: " SVG_POLICY "\r\n");
    }
    if (picture)
        reply.body[0] = (struct str){ picture->bytes, picture->len };
    answer(pending->exchange, pending->loop, &reply);
}

static void answer_no(struct pending *pending)
{
    answer_refusal(pending->exchange, pending->loop, &pending->refusal, (struct str){ NULL, 0 });
}

static void answer_not_here(struct pending *pending, const char *why)
{
    refuse(&pending->refusal, PROBLEM_NOT_IMPLEMENTED, "%s; chart.svg is there", why);
    answer_no(pending);
}

static void answer_busy(struct pending *pending, const char *detail)
{
    refuse(&pending->refusal, PROBLEM_BUSY, "%s", detail);
    answer_no(pending);
}

static void take_point(void *context, int64_t at_ms, const uint64_t *votes)
{
    struct chart_call *mine = context;
    struct chart_history *history = &mine->history;

    if (at_ms < history->from_ms)
        at_ms = history->from_ms;
    if (at_ms > history->to_ms)
        at_ms = history->to_ms;
    buf_add(&history->at_ms, &at_ms, sizeof at_ms);
    buf_add(&history->votes, votes, mine->published->poll->n_options * sizeof *votes);
}

static void read_history(struct pending *pending, struct chart_call *mine)
{
    int64_t hours = (mine->history.to_ms - mine->history.from_ms) / HOUR_MS;

    mine->stage = STAGE_HOURS;
    mine->reading.point = take_point;
    mine->reading.context = mine;
    hours_reading_begin(&mine->reading, mine->published->poll->number, hours / MOMENTS + 1,
                        mine->now_ms);
    hours_reading_ask(&mine->reading, &pending->jobs[0].job);
    pending_again(pending);
}

static void order(struct pending *pending, struct chart_call *mine)
{
    mine->stage = STAGE_PAINT;
    mine->painting.job = &pending->jobs[0].job;
    mine->painting.render = render;
    mine->painting.context = mine;
    if (painter_submit(pending->api->painter, &mine->painting))
        pending_wait(pending);
    else
        answer_busy(pending, "too many pictures are being drawn; ask again");
}

/* Answers, or has done what is needed first. */
static void go_on(struct pending *pending, struct chart_call *mine)
{
    struct pictures *pictures = pending->api->pictures;
    AUTO(picture) picture = pictures_get(pictures, mine->painting.name);

    if (!picture && mine->of_history && !mine->has_history) {
        read_history(pending, mine);
        return;
    }
    if (!picture && mine->format == FORMAT_PNG) {
        order(pending, mine);
        return;
    }
    if (!picture) {
        picture = render(mine, NULL);
        if (picture)
            pictures_put(pictures, mine->painting.name, picture);
    }
    if (picture)
        answer_with(pending, mine, picture);
    else
        answer_busy(pending, "no memory for this picture; ask again");
}

static void asked(struct pending *pending, struct chart_call *mine)
{
    const struct job *job = &pending->jobs[0].job;
    char etag[sizeof mine->etag];

    memcpy(etag, mine->etag, sizeof etag);
    if (!viewing_allowed(job)) {
        viewing_refuse(&pending->refusal);
        answer_no(pending);
    } else if (!settle(mine, job->published)) {
        answer_busy(pending, "no memory for this picture; ask again");
    } else if (mine->is_had && strcmp(etag, mine->etag) == 0) {
        answer_with(pending, mine, NULL);
    } else {
        go_on(pending, mine);
    }
}

static void hours_back(struct pending *pending, struct chart_call *mine)
{
    if (hours_reading_take(&mine->reading, &pending->jobs[0].job)) {
        pending_again(pending);
        return;
    }
    hours_reading_end(&mine->reading, mine->published, mine->history.to_ms);
    if (!buf_ok(&mine->history.at_ms) || !buf_ok(&mine->history.votes)) {
        answer_busy(pending, "no memory for this picture; ask again");
        return;
    }
    mine->has_history = true;
    go_on(pending, mine);
}

static void chart_back(struct pending *pending)
{
    struct chart_call *mine = pending->detail;

    if (mine->stage == STAGE_PAINT) {
        if (mine->painting.picture)
            answer_with(pending, mine, mine->painting.picture);
        else if (mine->painting.why.text[0] != '\0')
            answer_not_here(pending, mine->painting.why.text);
        else
            answer_busy(pending, "this picture could not be drawn now; ask again");
    } else if (pending->jobs[0].job.result == JOB_REFUSED) {
        answer_no(pending);
    } else if (mine->stage == STAGE_ASK) {
        asked(pending, mine);
    } else {
        hours_back(pending, mine);
    }
}

/* One of two words, the first where the parameter is not given. */
static bool either(const struct url *url, const char *name, const char *first, const char *second,
                   bool *ret_second, struct refusal *reterr)
{
    struct str given = url_parameter(url, name);

    *ret_second = given.at && str_eq(given, str_of(second));
    return !given.at || *ret_second || str_eq(given, str_of(first)) ||
           refuse_parameter(reterr, name, "must be %s or %s", first, second);
}

static bool look_read(const struct call *call, struct chart_call *mine, struct refusal *reterr)
{
    const struct url *url = &call->loop->url;
    uint64_t width;
    bool dark;

    if (!either(url, "theme", "light", "dark", &dark, reterr) ||
        !either(url, "of", "tally", "history", &mine->of_history, reterr) ||
        !url_number(url, "width", CHART_WIDTH_MIN, CHART_WIDTH_MAX, CHART_WIDTH_DEFAULT, &width,
                    reterr))
        return false;
    mine->chart.theme = dark ? THEME_DARK : THEME_LIGHT;
    mine->chart.width_px = (unsigned)width;
    if (mine->format == FORMAT_PNG && width == CARD_WIDTH)
        mine->chart.height_px = CARD_HEIGHT;
    return true;
}

static void language_read(const struct call *call, const struct published *published,
                          struct chart_call *mine)
{
    language_keep(published, call_language(call, published), mine->language);
    mine->chart.words =
        words_choose(url_parameter(&call->loop->url, "lang"),
                     http1_field(call->request, STR("Accept-Language")), str_of(mine->language));
}

/* Answers at once, or has the pending come back. */
static bool begin(const struct call *call, struct pending *pending, struct chart_call *mine,
                  enum viewing viewing, struct refusal *reterr)
{
    if (viewing == VIEW_HIDDEN)
        return viewing_refuse(reterr);
    mine->caching = viewing == VIEW_PUBLIC ? CACHE_TALLY : CACHE_PRIVATE;
    mine->is_had = etag_matches(call->request, str_of(mine->etag));
    if (viewing == VIEW_ASK) {
        mine->stage = STAGE_ASK;
        viewing_ask(&pending->jobs[0].job, &mine->ballot);
        pending_again(pending);
    } else if (mine->is_had) {
        answer_with(pending, mine, NULL);
    } else {
        go_on(pending, mine);
    }
    return true;
}

static bool start(const struct call *call, enum format format, struct refusal *reterr)
{
    AUTO(published) published = NULL;
    AUTO(chart_call) mine = calloc(1, sizeof *mine);
    AUTO(pending) pending = pending_new(call, 1, chart_back);
    struct chart_call *detail = mine;

    if (!mine || !pending)
        return refuse(reterr, PROBLEM_BUSY, "no memory for this request; send it again");
    mine->format = format;
    mine->png = call->api->png;
    if (format == FORMAT_PNG && !png_is_built_in())
        return refuse(reterr, PROBLEM_NOT_IMPLEMENTED,
                      "this tallyd was built without cairo; chart.svg is there");
    published = call_poll(call, reterr);
    if (!published || !look_read(call, mine, reterr))
        return false;
    mine->now_ms = loop_wall_ms(exchange_loop(call->exchange));
    language_read(call, published, mine);
    if (!settle(mine, published))
        return refuse(reterr, PROBLEM_BUSY, "no memory for this picture; ask again");
    pending->detail = TAKE(mine);
    pending->drop = chart_call_drop;
    pending->again = false;
    if (!begin(call, pending, detail, viewing_of(call, published, &detail->ballot), reterr))
        return false;
    if (pending->again)
        (void)TAKE(pending); /* it comes back */
    return true;
}

static void get(struct call *call, enum format format)
{
    if (!start(call, format, &call->loop->refusal))
        answer_refusal(call->exchange, call->loop, &call->loop->refusal, (struct str){ NULL, 0 });
}

void chart_svg_get(struct call *call)
{
    get(call, FORMAT_SVG);
}

void chart_png_get(struct call *call)
{
    get(call, FORMAT_PNG);
}
