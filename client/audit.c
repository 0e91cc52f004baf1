/*
 * audit.c - `tally audit`: where and when a poll's votes came from, for whoever looks for a raid.
 *
 * Threads: main.
 */
#include <stdlib.h>

#include "answers.h"
#include "commands.h"
#include "json.h"
#include "paths.h"
#include "table.h"

#define AUDIT_MS_MAX (INT64_C(6) * 3600 * 1000) /* it reads all of the poll's rows, twice */
#define MINUTES_MAX 1024
#define MINUTES_SHOWN 10

struct minute {
    struct str json;
    size_t place; /* in time */
    double votes;
};

static int by_votes(const void *a, const void *b)
{
    const struct minute *left = a;
    const struct minute *right = b;

    if (left->votes < right->votes || left->votes > right->votes)
        return left->votes > right->votes ? -1 : 1;
    return left->place < right->place ? -1 : 1;
}

static int by_time(const void *a, const void *b)
{
    const struct minute *left = a;
    const struct minute *right = b;

    return left->place < right->place ? -1 : left->place > right->place;
}

/* A cell of a member: text or number; a dash for what is not there. */
static void member_cell(struct table *table, struct str object, const char *name)
{
    struct str value = json_member(object, name);
    AUTO_BUF text = { 0 };

    json_text(&text, value);
    if (json_is_string(value))
        table_cell(table, buf_str(&text));
    else
        table_cell(table, json_is_number(value) ? value : STR("-"));
    table->text.failed |= !buf_ok(&text);
}

/* Joined by |, one for each column. */
static void headings(struct table *table, struct str names)
{
    struct str name;

    while (str_next(&names, '|', &name))
        table_cell(table, name);
}

static void number_add(struct buf *out, struct str value)
{
    buf_str_add(out, json_is_number(value) ? value : STR("more than can be counted"));
}

/* `us-goals: 1234 votes, 1200 of them with an address; address groups: 35` */
static void first_line_add(struct buf *out, const char *id, struct str audit)
{
    buf_text(out, id);
    buf_text(out, ": ");
    number_add(out, json_member(audit, "votes"));
    buf_text(out, " votes, ");
    number_add(out, json_member(audit, "with_address"));
    buf_text(out, " of them with an address; address groups: ");
    number_add(out, json_member(audit, "address_groups"));
    buf_char(out, '\n');
}

static void groups_add(struct buf *out, struct str groups)
{
    AUTO_TABLE table = { .columns = 2, .right = { false, true } };
    struct str rest = json_inside(groups);
    struct str group;
    bool any = false;

    headings(&table, STR("ADDRESS GROUP|VOTES"));
    for (; json_next(&rest, &group); any = true) {
        member_cell(&table, group, "address_group");
        member_cell(&table, group, "votes");
    }
    if (!any)
        return;
    buf_text(out, "\nThe largest address groups:\n");
    table_write(out, &table);
}

static void bursts_add(struct buf *out, struct str bursts)
{
    AUTO_TABLE table = { .columns = 6, .right = { false, false, true, true, false, true } };
    struct str rest = json_inside(bursts);
    struct str burst;
    bool any = false;

    headings(&table, STR("FROM|TO|VOTES|GROUPS|LARGEST GROUP|ITS VOTES"));
    for (; json_next(&rest, &burst); any = true) {
        struct str largest = json_member(burst, "largest");

        member_cell(&table, burst, "from");
        member_cell(&table, burst, "to");
        member_cell(&table, burst, "votes");
        member_cell(&table, burst, "address_groups");
        member_cell(&table, largest, "address_group");
        member_cell(&table, largest, "votes");
    }
    if (!any) {
        buf_text(out, "\nNo bursts.\n");
        return;
    }
    buf_text(out, "\nBursts, many times the usual votes a minute:\n");
    table_write(out, &table);
}

/* The busiest, in the order of time. */
static void minutes_add(struct buf *out, struct str list)
{
    AUTO_TABLE table = { .columns = 2, .right = { false, true } };
    struct minute minutes[MINUTES_MAX];
    struct str rest = json_inside(list);
    struct str minute;
    size_t n = 0;

    for (; n < MINUTES_MAX && json_next(&rest, &minute); n++)
        minutes[n] = (struct minute){ minute, n, json_double(json_member(minute, "votes")) };
    if (n == 0)
        return;
    qsort(minutes, n, sizeof *minutes, by_votes);
    n = n < MINUTES_SHOWN ? n : MINUTES_SHOWN;
    qsort(minutes, n, sizeof *minutes, by_time);
    headings(&table, STR("MINUTE|VOTES"));
    for (size_t i = 0; i < n; i++) {
        member_cell(&table, minutes[i].json, "at");
        member_cell(&table, minutes[i].json, "votes");
    }
    buf_text(out, "\nThe busiest minutes:\n");
    table_write(out, &table);
}

static void hint_add(struct buf *out, const char *id, struct str audit)
{
    struct str rest = json_inside(json_member(audit, "groups"));
    struct str group = { NULL, 0 };
    AUTO_BUF hex = { 0 };

    if (json_is(json_member(audit, "votes"), "0"))
        return;
    if (json_next(&rest, &group))
        json_text(&hex, json_member(group, "address_group"));
    buf_format(out, "\nTo take votes back: tally void %s ", id);
    if (hex.len > 0) {
        buf_text(out, "--address-group ");
        screen_text(out, buf_str(&hex));
    } else {
        buf_text(out, "--from TIME --to TIME");
    }
    buf_text(out, " --dry-run\n");
}

static void audit_add(struct buf *out, const char *id, struct str audit)
{
    first_line_add(out, id, audit);
    groups_add(out, json_member(audit, "groups"));
    bursts_add(out, json_member(audit, "bursts"));
    minutes_add(out, json_member(audit, "minutes"));
    hint_add(out, id, audit);
}

enum outcome audit_run(struct session *session)
{
    const char *id = session->operands[0];
    AUTO_BUF path = { 0 };
    AUTO_BUF out = { 0 };
    AUTO_ANSWER answer = { 0 };
    struct http_request request = { .method = "GET",
                                    .path = path_of_poll(&path, id, "/audit"),
                                    .most_ms = AUDIT_MS_MAX };
    struct str audit = { NULL, 0 };
    enum outcome outcome;

    if (!buf_ok(&path))
        return failed_here("no memory");
    outcome = session_ask(session, &request, id, &answer);
    if (outcome != OUTCOME_DONE)
        return outcome;
    if (!answer_json(&answer, &audit))
        return OUTCOME_FAILED;
    if (session->screen.terminal) {
        audit_add(&out, id, audit);
    } else {
        json_compact(&out, audit);
        buf_char(&out, '\n');
    }
    return written(&out);
}
