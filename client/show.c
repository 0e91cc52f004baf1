/*
 * show.c - `tally show`: tallies for people.
 *
 * Percents come from the daemon as they are shown; nothing is worked out here but lengths.
 *
 * Threads: main.
 */
#include "show.h"

#include "answers.h"
#include "bars.h"
#include "commands.h"
#include "json.h"
#include "paths.h"
#include "summary.h"

#define INDENT_CELLS 2
#define GAP_CELLS 2
#define BAR_CELLS_MIN 10
#define LABEL_CELLS_MIN 8

/* How a line is shared out. */
struct columns {
    size_t label;
    size_t bar;
    size_t votes; /* with the percent */
    bool stacked; /* too narrow for three columns: the label stands above its bar */
};

static void line_end(struct buf *out)
{
    while (buf_ok(out) && out->len > 0 && out->bytes[out->len - 1] == ' ')
        out->len--;
    buf_char(out, '\n');
}

static struct columns columns_of(const struct screen *screen, struct str options)
{
    struct columns columns = { 0 };
    struct str rest = json_inside(options);
    struct str option;
    size_t left = screen->cells - INDENT_CELLS - GAP_CELLS;

    while (json_next(&rest, &option)) {
        AUTO_BUF label = { 0 };
        AUTO_BUF votes = { 0 };
        size_t cells;

        json_text(&label, json_member(option, "label"));
        summary_option_add(&votes, option);
        cells = screen_cells(buf_str(&label));
        columns.label = cells > columns.label ? cells : columns.label;
        cells = screen_cells(buf_str(&votes));
        columns.votes = cells > columns.votes ? cells : columns.votes;
    }
    left = left > columns.votes ? left - columns.votes : 0;
    if (left < LABEL_CELLS_MIN + GAP_CELLS + BAR_CELLS_MIN) {
        columns.stacked = true;
        columns.label = screen->cells - INDENT_CELLS;
        columns.bar = left;
        return columns;
    }
    left -= GAP_CELLS;
    if (columns.label > left / 2)
        columns.label = left / 2; /* a long label is wrapped: the bars are what is compared */
    columns.bar = left - columns.label;
    return columns;
}

static void bar_and_votes_add(struct buf *out, const struct screen *screen,
                              const struct columns *columns, struct str option)
{
    AUTO_BUF votes = { 0 };
    size_t cells;

    summary_option_add(&votes, option);
    cells = screen_cells(buf_str(&votes));
    screen_style(out, screen, STYLE_BAR);
    bar_add(out, json_double(json_member(option, "share")), columns->bar, screen->utf8);
    screen_plain(out, screen);
    screen_spaces(out, GAP_CELLS + (cells < columns->votes ? columns->votes - cells : 0));
    buf_str_add(out, buf_str(&votes));
    buf_char(out, '\n');
}

static void option_show(struct buf *out, const struct screen *screen, const struct columns *columns,
                        struct str option)
{
    AUTO_BUF label = { 0 };
    struct str rest;
    struct str line = { NULL, 0 };
    bool first = true;

    json_text(&label, json_member(option, "label"));
    rest = buf_str(&label);
    while (screen_line(&rest, columns->label, &line) || first) {
        screen_spaces(out, INDENT_CELLS);
        screen_padded(out, line, columns->label);
        if (first && !columns->stacked) {
            screen_spaces(out, GAP_CELLS);
            bar_and_votes_add(out, screen, columns, option);
        } else {
            line_end(out);
        }
        first = false;
    }
    if (columns->stacked) {
        screen_spaces(out, INDENT_CELLS);
        bar_and_votes_add(out, screen, columns, option);
    }
}

static void text_show(struct buf *out, const struct screen *screen, struct str value)
{
    AUTO_BUF text = { 0 };
    struct str rest;
    struct str line;

    json_text(&text, value);
    rest = buf_str(&text);
    while (screen_line(&rest, screen->cells, &line)) {
        screen_style(out, screen, STYLE_TITLE);
        screen_text(out, line);
        screen_plain(out, screen);
        buf_char(out, '\n');
    }
}

/* `closed`, or `scheduled, opens 2026-…`; nothing for an open poll. */
static void state_add(struct buf *out, struct str definition, struct str tally)
{
    AUTO_BUF text = { 0 };
    struct str opens = json_member(definition, "opens_at");
    bool scheduled = json_is(json_member(tally, "state"), "\"scheduled\"");

    if (json_is(json_member(tally, "state"), "\"open\""))
        return;
    buf_text(&text, "  ");
    json_text(&text, json_member(tally, "state"));
    if (scheduled && json_is_string(opens)) {
        buf_text(&text, ", opens ");
        json_text(&text, opens);
    }
    screen_text(out, buf_str(&text));
}

static void choice_show(struct buf *out, const struct screen *screen, struct str definition,
                        struct str tally)
{
    struct str options = json_member(tally, "options");
    struct columns columns = columns_of(screen, options);
    struct str most = json_member(definition, "max_choices");
    struct str rest = json_inside(options);
    struct str option;

    while (json_next(&rest, &option))
        option_show(out, screen, &columns, option);
    screen_style(out, screen, STYLE_NOTE);
    if (json_is(json_member(tally, "votes"), "0")) {
        buf_text(out, "(no votes yet)");
    } else if (most.len > 0 && !json_is(most, "1")) {
        buf_text(out, "(several answers possible, shares of ");
        screen_text(out, json_member(tally, "voters"));
        buf_text(out, " voters)");
    } else {
        buf_text(out, "(votes: ");
        screen_text(out, json_member(tally, "votes"));
        buf_char(out, ')');
    }
    state_add(out, definition, tally);
    screen_plain(out, screen);
    buf_char(out, '\n');
}

static void rating_show(struct buf *out, const struct screen *screen, struct str definition,
                        struct str tally)
{
    double scale = json_double(json_member(tally, "scale"));

    screen_style(out, screen, STYLE_BAR);
    stars_add(out, json_double(json_member(tally, "rating")), scale > 0 ? (size_t)scale : 0,
              screen->utf8);
    screen_plain(out, screen);
    buf_text(out, "  ");
    summary_rating_add(out, tally);
    screen_style(out, screen, STYLE_NOTE);
    state_add(out, definition, tally);
    screen_plain(out, screen);
    buf_char(out, '\n');
}

void show_add(struct buf *out, const struct screen *screen, struct str definition, struct str tally)
{
    text_show(out, screen, json_member(tally, "title"));
    if (json_is(json_member(tally, "kind"), "\"rating\""))
        rating_show(out, screen, definition, tally);
    else
        choice_show(out, screen, definition, tally);
}

static enum outcome tally_show(struct session *session, const char *id, struct str definition)
{
    AUTO_BUF out = { 0 };
    struct str tally = json_member(definition, "tally");

    if (!json_is_object(tally)) {
        complain("ask again after voting, or after the close", "%s: results are hidden for now",
                 id);
        return OUTCOME_NOT_ALLOWED;
    }
    if (session->shown)
        buf_char(&out, '\n');
    session->shown = true;
    show_add(&out, &session->screen, definition, tally);
    return written(&out);
}

static enum outcome show(struct session *session, const char *id)
{
    AUTO_BUF path = { 0 };
    AUTO_ANSWER answer = { 0 };
    /* The definition, not the tally alone: it knows whether several answers are possible. */
    struct http_request request = { .method = "GET", .path = path_of_poll(&path, id, "") };
    struct str definition;
    enum outcome outcome;

    if (!buf_ok(&path))
        return failed_here("no memory");
    outcome = session_ask(session, &request, id, &answer);
    if (outcome != OUTCOME_DONE)
        return outcome;
    if (!answer_json(&answer, &definition))
        return OUTCOME_FAILED;
    return tally_show(session, id, definition);
}

enum outcome show_run(struct session *session)
{
    return session_each(session, show);
}
