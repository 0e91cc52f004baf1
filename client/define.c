/*
 * define.c - `tally create`, `set`, `open`, `close`, `delete` and `carry`.
 *
 * Threads: main.
 */
#include <stdio.h>
#include <string.h>

#include "answers.h"
#include "commands.h"
#include "json.h"
#include "paths.h"
#include "summary.h"

#define TAG_PRIMARY_MIN 2
#define TAG_PRIMARY_MAX 3

/* Options that become a member of the definition just as they are. */
static const struct {
    const char *member;
    enum option_id id;
    enum { AS_TEXT, AS_TIME, AS_NUMBER } form;
} plain[] = {
    { "opens_at", OPTION_OPENS, AS_TIME },
    { "closes_at", OPTION_CLOSES, AS_TIME },
    { "max_choices", OPTION_CHOICES, AS_NUMBER },
    { "results", OPTION_RESULTS, AS_TEXT },
    { "voters", OPTION_VOTERS, AS_TEXT },
    { "per_address", OPTION_PER_ADDRESS, AS_NUMBER },
    { "again_after", OPTION_AGAIN_AFTER, AS_NUMBER },
};

static void member_add(struct buf *out, struct str name)
{
    if (buf_ok(out) && out->len > 0 && out->bytes[out->len - 1] != '{')
        buf_char(out, ',');
    buf_json_string(out, name);
    buf_char(out, ':');
}

static bool count_add(struct buf *out, const char *name, const char *value)
{
    uint64_t n;

    if (!str_uint64(str_of(value), INT64_MAX, &n)) {
        misused("--%s wants a number, not %s", name, value);
        return false;
    }
    buf_uint(out, n);
    return true;
}

static bool plain_add(struct buf *out, const struct options *options)
{
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        const char *value = options_value(options, plain[i].id);

        if (!value)
            continue;
        member_add(out, str_of(plain[i].member));
        switch (plain[i].form) {
        case AS_NUMBER:
            if (!count_add(out, option_rows[plain[i].id].name, value))
                return false;
            break;
        case AS_TIME:
            if (strcmp(value, "none") == 0) {
                buf_text(out, "null");
                break;
            }
            buf_json_string(out, str_of(value));
            break;
        case AS_TEXT:
            buf_json_string(out, str_of(value));
            break;
        }
    }
    return true;
}

static bool revote_add(struct buf *out, const struct options *options)
{
    const char *value = options_value(options, OPTION_REVOTE);

    if (!options_has(options, OPTION_REVOTE))
        return true;
    if (value && strcmp(value, "yes") != 0 && strcmp(value, "no") != 0) {
        misused("--revote is yes or no");
        return false;
    }
    member_add(out, STR("revote"));
    buf_text(out, value && strcmp(value, "no") == 0 ? "false" : "true");
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The length of the language tag in front of `=`, as in `pt-BR=Título`, or 0. */
static size_t tag_of(const char *title)
{
    size_t len = strcspn(title, "=");
    size_t primary = 0;

    if (title[len] != '=')
        return 0;
    while (is_letter(title[primary]))
        primary++;
    if (primary < TAG_PRIMARY_MIN || primary > TAG_PRIMARY_MAX)
        return 0;
    for (size_t i = primary; i < len; i++) {
        if (!is_letter(title[i]) && !(title[i] >= '0' && title[i] <= '9') && title[i] != '-')
            return 0;
    }
    return primary == len || title[primary] == '-' ? len : 0;
}

/* How many titles were given with their language in front, or how many without. */
static size_t titles_count(const struct options *options, bool tagged)
{
    size_t count = 0;

    for (size_t i = 0; i < options->given_count; i++) {
        const struct option_given *given = &options->given[i];

        if (given->id == OPTION_TITLE && (tag_of(given->value) > 0) == tagged)
            count++;
    }
    return count;
}

static void title_map_add(struct buf *out, const struct options *options)
{
    buf_char(out, '{');
    for (size_t i = 0; i < options->given_count; i++) {
        const char *value = options->given[i].value;

        if (options->given[i].id != OPTION_TITLE)
            continue;
        member_add(out, (struct str){ value, tag_of(value) });
        buf_json_string(out, str_of(value + tag_of(value) + 1));
    }
    buf_char(out, '}');
}

static bool title_add(struct buf *out, const struct options *options)
{
    size_t tagged = titles_count(options, true);
    size_t bare = titles_count(options, false);

    if (bare + tagged == 0)
        return true;
    if (bare > 1 || (bare == 1 && tagged > 0)) {
        misused("--title is given once, or each time with its language: --title ru=...");
        return false;
    }
    member_add(out, STR("title"));
    if (tagged > 0)
        title_map_add(out, options);
    else
        buf_json_string(out, str_of(options_value(options, OPTION_TITLE)));
    return true;
}

static bool options_add(struct buf *out, const struct options *options)
{
    size_t count = 0;

    for (size_t i = 0; i < options->given_count; i++) {
        if (options->given[i].id != OPTION_OPTION)
            continue;
        if (count == 0)
            member_add(out, STR("options"));
        buf_text(out, count++ == 0 ? "[{\"label\":" : ",{\"label\":");
        buf_json_string(out, str_of(options->given[i].value));
        buf_char(out, '}');
    }
    if (count > 0)
        buf_char(out, ']');
    return true;
}

static bool rating_add(struct buf *out, const struct options *options)
{
    const char *scale = options_value(options, OPTION_RATING);

    if (!options_has(options, OPTION_RATING))
        return true;
    if (options_has(options, OPTION_OPTION)) {
        misused("a poll has --option or --rating, not both");
        return false;
    }
    member_add(out, STR("kind"));
    buf_text(out, "\"rating\"");
    if (!scale)
        return true;
    member_add(out, STR("scale"));
    return count_add(out, "rating", scale);
}

/* The definition that the options describe; false, and told: they are wrong. */
static bool definition_add(struct buf *out, const struct options *options)
{
    buf_char(out, '{');
    if (!title_add(out, options) || !rating_add(out, options) || !options_add(out, options) ||
        !revote_add(out, options) || !plain_add(out, options))
        return false;
    buf_char(out, '}');
    return true;
}

/* Sends and writes `DONE: ID`, and the tally where the answer is one. */
static enum outcome send_and_tell(struct session *session, struct http_request *request,
                                  const char *tail, const char *done)
{
    const char *id = session->operands[0];
    AUTO_BUF path = { 0 };
    AUTO_BUF out = { 0 };
    AUTO_ANSWER answer = { 0 };
    struct str json;
    enum outcome outcome;

    request->path = path_of_poll(&path, id, tail);
    if (!buf_ok(&path))
        return failed_here("no memory");
    outcome = session_ask(session, request, id, &answer);
    if (outcome != OUTCOME_DONE)
        return outcome;
    buf_format(&out, "%s: %s", done, id);
    if (tail[0]) {
        if (!answer_json(&answer, &json))
            return OUTCOME_FAILED;
        buf_text(&out, "  ");
        summary_add(&out, json);
    }
    buf_char(&out, '\n');
    return written(&out);
}

static enum outcome patch(struct session *session, struct str body, const char *done)
{
    struct http_request request = { .method = "PATCH",
                                    .type = "application/merge-patch+json",
                                    .body = body };

    return send_and_tell(session, &request, "", done);
}

enum outcome create_run(struct session *session)
{
    const struct options *options = session->options;
    struct http_request request = { .method = "PUT",
                                    .type = "application/json",
                                    .only_create = true };
    AUTO_BUF body = { 0 };

    if (!options_has(options, OPTION_TITLE))
        return misused("a poll wants a --title");
    if (!options_has(options, OPTION_OPTION) && !options_has(options, OPTION_RATING))
        return misused("a poll wants --option A --option B ..., or --rating");
    if (!definition_add(&body, options))
        return OUTCOME_MISUSED;
    if (!buf_ok(&body))
        return failed_here("no memory");
    request.body = buf_str(&body);
    return send_and_tell(session, &request, "", "created");
}

enum outcome set_run(struct session *session)
{
    AUTO_BUF body = { 0 };

    if (!definition_add(&body, session->options))
        return OUTCOME_MISUSED;
    if (!buf_ok(&body))
        return failed_here("no memory");
    if (str_eq(buf_str(&body), STR("{}")))
        return misused("nothing to set");
    return patch(session, buf_str(&body), "set");
}

enum outcome open_run(struct session *session)
{
    return patch(session, STR("{\"state\":\"open\"}"), "opened");
}

enum outcome close_run(struct session *session)
{
    return patch(session, STR("{\"state\":\"closed\"}"), "closed");
}

enum outcome delete_run(struct session *session)
{
    struct http_request request = { .method = "DELETE" };

    return send_and_tell(session, &request, "", "deleted");
}

/* `{"votes":[33,30],"voters":N}` */
static enum outcome carried_votes_add(struct buf *out, const struct session *session)
{
    const char *voters = options_value(session->options, OPTION_VOTERS);

    buf_text(out, "{\"votes\":[");
    for (size_t i = 1; i < session->operand_count; i++) {
        uint64_t votes;

        if (!str_uint64(str_of(session->operands[i]), INT64_MAX, &votes))
            return misused("%s is no number of votes", session->operands[i]);
        if (i > 1)
            buf_char(out, ',');
        buf_uint(out, votes);
    }
    buf_char(out, ']');
    if (voters) {
        member_add(out, STR("voters"));
        if (!count_add(out, "voters", voters))
            return OUTCOME_MISUSED;
    }
    buf_char(out, '}');
    return OUTCOME_DONE;
}

/* `{"count":2,"sum":10}` */
static enum outcome carried_sum_add(struct buf *out, const struct session *session)
{
    const char *count = options_value(session->options, OPTION_COUNT);
    const char *sum = options_value(session->options, OPTION_SUM);

    if (!count || !sum || session->operand_count > 1 ||
        options_has(session->options, OPTION_VOTERS))
        return misused("it is: tally carry %s", session->command->synopsis);
    buf_char(out, '{');
    member_add(out, STR("count"));
    if (!count_add(out, "count", count))
        return OUTCOME_MISUSED;
    member_add(out, STR("sum"));
    if (!count_add(out, "sum", sum))
        return OUTCOME_MISUSED;
    buf_char(out, '}');
    return OUTCOME_DONE;
}

enum outcome carry_run(struct session *session)
{
    bool by_sum = options_has(session->options, OPTION_COUNT) ||
                  options_has(session->options, OPTION_SUM) || session->operand_count == 1;
    struct http_request request = { .method = "PUT", .type = "application/json" };
    AUTO_BUF body = { 0 };
    enum outcome outcome =
        by_sum ? carried_sum_add(&body, session) : carried_votes_add(&body, session);

    if (outcome != OUTCOME_DONE)
        return outcome;
    if (!buf_ok(&body))
        return failed_here("no memory");
    request.body = buf_str(&body);
    return send_and_tell(session, &request, "/carried", "carried");
}
