/*
 * top.c - `tally top`: a table of the best polls.
 *
 * Threads: main.
 */
#include <string.h>

#include "answers.h"
#include "commands.h"
#include "json.h"
#include "table.h"

/* What is asked for, as options and as query parameters. */
static const struct {
    const char *name;
    enum option_id id;
    bool number;
} passed[] = {
    { "sort", OPTION_SORT, false },  { "min_votes", OPTION_MIN_VOTES, true },
    { "kind", OPTION_KIND, false },  { "state", OPTION_STATE, false },
    { "limit", OPTION_LIMIT, true }, { "prefix", OPTION_PREFIX, false },
};

static const struct {
    const char *heading;
    const char *member;
    bool right;
} columns[] = {
    { "ID", "id", false },       { "KIND", "kind", false },    { "STATE", "state", false },
    { "VOTES", "votes", true },  { "RATING", "rating", true }, { "SCORE", "score", true },
    { "TITLE", "title", false },
};

#define COLUMNS (sizeof columns / sizeof columns[0])

/* What has no number, as the rating of a choice, is a dash. */
static void cell_add(struct table *table, struct str value)
{
    AUTO_BUF text = { 0 };

    if (json_is_string(value))
        json_text(&text, value);
    else if (json_is_number(value))
        buf_str_add(&text, value);
    else
        buf_char(&text, '-');
    table_cell(table, buf_str(&text));
}

static void table_fill(struct table *table, struct str polls)
{
    struct str rest = json_inside(polls);
    struct str poll;

    for (size_t i = 0; i < COLUMNS; i++) {
        table->right[i] = columns[i].right;
        table_cell(table, str_of(columns[i].heading));
    }
    while (json_next(&rest, &poll)) {
        for (size_t i = 0; i < COLUMNS; i++)
            cell_add(table, json_member(poll, columns[i].member));
    }
}

/* On a terminal a title ends with the line. */
static enum outcome table_show(const struct session *session, const struct table *table)
{
    AUTO_BUF whole = { 0 };
    AUTO_BUF out = { 0 };
    struct str lines;
    struct str line;

    table_write(&whole, table);
    lines = buf_str(&whole);
    while (str_next(&lines, '\n', &line)) {
        struct str rest = line;

        if (session->screen.terminal)
            (void)screen_line(&rest, session->screen.cells, &line);
        buf_str_add(&out, line);
        buf_char(&out, '\n');
    }
    return buf_ok(&whole) ? written(&out) : failed_here("no memory");
}

/* false, and told: a number is none. */
static bool path_add(struct buf *out, const struct options *options)
{
    char before = '?';
    uint64_t n;

    buf_text(out, "/v1/top");
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
        const char *value = options_value(options, passed[i].id);

        if (!value)
            continue;
        if (passed[i].number && !str_uint64(str_of(value), INT64_MAX, &n)) {
            misused("--%s wants a number", option_rows[passed[i].id].name);
            return false;
        }
        buf_format(out, "%c%s=", before, passed[i].name);
        http_encode(out, value);
        before = '&';
    }
    return true;
}

enum outcome top_run(struct session *session)
{
    AUTO_BUF path = { 0 };
    AUTO_ANSWER answer = { 0 };
    AUTO_TABLE table = { .columns = COLUMNS };
    struct http_request request = { .method = "GET" };
    struct str json;
    enum outcome outcome;

    if (!path_add(&path, session->options))
        return OUTCOME_MISUSED;
    if (!buf_ok(&path))
        return failed_here("no memory");
    request.path = buf_str(&path);
    outcome = session_ask(session, &request, NULL, &answer);
    if (outcome != OUTCOME_DONE)
        return outcome;
    if (!answer_json(&answer, &json))
        return OUTCOME_FAILED;
    table_fill(&table, json_member(json, "top"));
    return table_show(session, &table);
}
