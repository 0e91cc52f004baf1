/*
 * list.c - `tally list`: a table of the polls, page by page.
 *
 * Threads: main.
 */
#include "answers.h"
#include "commands.h"
#include "json.h"
#include "paths.h"

#define PAGE_POLLS 1000
#define COLUMNS 5

static const char *const members[COLUMNS] = { "id", "kind", "state", "votes", "title" };
static const char *const headings[COLUMNS] = { "ID", "KIND", "STATE", "VOTES", "TITLE" };

/* Columns only grow from page to page: what is written stays where it is. */
struct table {
    size_t cells[COLUMNS];
    bool begun;
};

/* What a cell holds; votes that are hidden are a dash. */
static void cell_add(struct buf *out, struct str poll, int column)
{
    struct str value = json_member(poll, members[column]);

    if (json_is_string(value))
        json_text(out, value);
    else if (json_is_number(value))
        buf_str_add(out, value);
    else
        buf_char(out, '-');
}

static void measure(struct table *table, struct str polls)
{
    struct str rest = json_inside(polls);
    struct str poll;

    while (json_next(&rest, &poll)) {
        for (int i = 0; i < COLUMNS; i++) {
            AUTO_BUF text = { 0 };
            size_t cells;

            cell_add(&text, poll, i);
            cells = screen_cells(buf_str(&text));
            table->cells[i] = cells > table->cells[i] ? cells : table->cells[i];
        }
    }
}

/* Numbers to the right; the last column unpadded, cut to the line on a terminal. */
static void cell_write(struct buf *out, const struct session *session, const struct table *table,
                       int column, struct str text)
{
    size_t before = 0;
    size_t taken = screen_cells(text);
    struct str rest = text;

    if (column == COLUMNS - 1) {
        for (int i = 0; i < COLUMNS - 1; i++)
            before += table->cells[i] + 2;
        if (session->screen.terminal && session->screen.cells > before + 2)
            (void)screen_line(&rest, session->screen.cells - before, &text);
        screen_text(out, text);
        buf_char(out, '\n');
        return;
    }
    if (column == 3)
        screen_spaces(out, taken < table->cells[column] ? table->cells[column] - taken : 0);
    screen_padded(out, text, column == 3 ? 0 : table->cells[column]);
    screen_spaces(out, 2);
}

static enum outcome page_write(const struct session *session, struct table *table, struct str polls)
{
    AUTO_BUF out = { 0 };
    struct str rest = json_inside(polls);
    struct str poll;

    measure(table, polls);
    for (int i = 0; i < COLUMNS && !table->begun; i++) {
        size_t cells = screen_cells(str_of(headings[i]));

        table->cells[i] = cells > table->cells[i] ? cells : table->cells[i];
    }
    for (int i = 0; i < COLUMNS && !table->begun; i++)
        cell_write(&out, session, table, i, str_of(headings[i]));
    table->begun = true;
    while (json_next(&rest, &poll)) {
        for (int i = 0; i < COLUMNS; i++) {
            AUTO_BUF text = { 0 };

            cell_add(&text, poll, i);
            cell_write(&out, session, table, i, buf_str(&text));
        }
    }
    return written(&out);
}

static void query_add(struct buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    buf_format(out, "&%s=", name);
    http_encode(out, value);
}

/* Gets and writes one page; *after becomes the cursor of the next, or empty at the end. */
static enum outcome page(struct session *session, struct table *table, struct buf *after)
{
    AUTO_BUF path = { 0 };
    AUTO_ANSWER answer = { 0 };
    struct http_request request = { .method = "GET" };
    struct str json;
    enum outcome outcome;

    buf_format(&path, "/v1/polls?limit=%d", PAGE_POLLS);
    query_add(&path, "kind", options_value(session->options, OPTION_KIND));
    query_add(&path, "state", options_value(session->options, OPTION_STATE));
    query_add(&path, "after", after->len > 0 ? after->bytes : NULL);
    if (!buf_ok(&path))
        return failed_here("no memory");
    request.path = buf_str(&path);
    outcome = session_ask(session, &request, NULL, &answer);
    if (outcome != OUTCOME_DONE)
        return outcome;
    if (!answer_json(&answer, &json))
        return OUTCOME_FAILED;
    outcome = page_write(session, table, json_member(json, "polls"));
    if (outcome != OUTCOME_DONE)
        return outcome;
    buf_clear(after);
    json_text(after, json_member(json, "next"));
    if (after->len > 0)
        buf_char(after, '\0');
    return buf_ok(after) ? OUTCOME_DONE : failed_here("no memory");
}

enum outcome list_run(struct session *session)
{
    struct table table = { { 0 }, false };
    AUTO_BUF after = { 0 };
    enum outcome outcome;

    do
        outcome = page(session, &table, &after);
    while (outcome == OUTCOME_DONE && after.len > 0);
    return outcome;
}
