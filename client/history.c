/*
 * history.c - `tally history`: how a poll's votes grew, a line for each step with a change.
 *
 * Threads: main.
 */
#include <inttypes.h>

#include "answers.h"
#include "commands.h"
#include "figures.h"
#include "json.h"
#include "paths.h"
#include "sparks.h"

#define LABEL_CELLS_MAX 20
#define GAP_CELLS 2
#define OPTIONS_MAX SPARKS_OPTIONS_MAX

struct table {
    size_t time_cells;
    size_t cells[OPTIONS_MAX];
    struct buf headings[OPTIONS_MAX]; /* labels, cut */
    size_t options;
};

static void table_autofree(struct table *table)
{
    for (size_t i = 0; i < OPTIONS_MAX; i++)
        buf_free(&table->headings[i]);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* A dash for what is no number. */
static struct str cell_of(struct str votes)
{
    return json_is_number(votes) ? votes : STR("-");
}

static void labels_measure(struct table *table, struct str tally)
{
    struct str rest = json_inside(json_member(tally, "options"));
    struct str option = { NULL, 0 };

    while (table->options < OPTIONS_MAX && json_next(&rest, &option)) {
        AUTO_BUF label = { 0 };
        struct buf *heading = &table->headings[table->options];
        struct str text;
        struct str line = { NULL, 0 };

        json_text(&label, json_member(option, "label"));
        text = buf_str(&label);
        (void)screen_line(&text, LABEL_CELLS_MAX, &line);
        screen_text(heading, line);
        table->cells[table->options++] = screen_cells(line);
    }
}

static void points_measure(struct table *table, struct str points)
{
    struct str rest = json_inside(points);
    struct str point;

    while (json_next(&rest, &point)) {
        AUTO_BUF at = { 0 };
        struct str votes = json_inside(json_member(point, "votes"));
        struct str number = { NULL, 0 };

        json_text(&at, json_member(point, "at"));
        table->time_cells = larger(table->time_cells, screen_cells(buf_str(&at)));
        for (size_t i = 0; i < OPTIONS_MAX && json_next(&votes, &number); i++) {
            table->cells[i] = larger(table->cells[i], cell_of(number).len);
            table->options = larger(table->options, i + 1);
        }
    }
}

static void right_add(struct buf *out, struct str text, size_t cells)
{
    size_t taken = screen_cells(text);

    screen_spaces(out, GAP_CELLS + (taken < cells ? cells - taken : 0));
    screen_text(out, text);
}

static void table_add(struct buf *out, const struct table *table, struct str points)
{
    struct str rest = json_inside(points);
    struct str point;

    screen_padded(out, STR("TIME"), table->time_cells);
    for (size_t i = 0; i < table->options; i++)
        right_add(out, buf_str(&table->headings[i]), table->cells[i]);
    buf_char(out, '\n');
    while (json_next(&rest, &point)) {
        AUTO_BUF at = { 0 };
        struct str votes = json_inside(json_member(point, "votes"));
        struct str number = { NULL, 0 };

        json_text(&at, json_member(point, "at"));
        screen_padded(out, buf_str(&at), table->time_cells);
        for (size_t i = 0; i < OPTIONS_MAX && json_next(&votes, &number); i++)
            right_add(out, cell_of(number), table->cells[i]);
        buf_char(out, '\n');
    }
}

static enum outcome ask(struct session *session, const char *tail, struct http_answer *answer,
                        struct str *ret_json)
{
    const char *id = session->operands[0];
    AUTO_BUF path = { 0 };
    struct http_request request = { .method = "GET", .path = path_of_poll(&path, id, tail) };
    enum outcome outcome;

    if (!buf_ok(&path))
        return failed_here("no memory");
    outcome = session_ask(session, &request, id, answer);
    if (outcome == OUTCOME_DONE && !answer_json(answer, ret_json))
        outcome = OUTCOME_FAILED;
    return outcome;
}

enum outcome history_run(struct session *session)
{
    __attribute__((cleanup(table_autofree))) struct table table = { 0 };
    const char *step = options_value(session->options, OPTION_STEP);
    uint64_t seconds = 3600;
    AUTO_BUF tail = { 0 };
    AUTO_BUF out = { 0 };
    AUTO_ANSWER history_answer = { 0 };
    AUTO_ANSWER tally_answer = { 0 };
    struct str history = { NULL, 0 };
    struct str tally = { NULL, 0 };
    enum outcome outcome;

    if (step && !figure_read_duration(str_of(step), &seconds))
        return misused("--step %s is no time, as 3600, 1h or 1d", step);
    buf_format(&tail, "/history?step=%" PRIu64, seconds);
    buf_char(&tail, '\0');
    if (!buf_ok(&tail))
        return failed_here("no memory");
    outcome = ask(session, tail.bytes, &history_answer, &history);
    if (outcome == OUTCOME_DONE)
        outcome = ask(session, "/tally", &tally_answer, &tally);
    if (outcome != OUTCOME_DONE)
        return outcome;
    table.time_cells = sizeof "TIME" - 1;
    labels_measure(&table, tally);
    points_measure(&table, json_member(history, "points"));
    table_add(&out, &table, json_member(history, "points"));
    if (session->screen.terminal && session->screen.utf8) {
        buf_char(&out, '\n');
        sparks_add(&out, history, table.headings, table.options, session->screen.cells);
    }
    return written(&out);
}
