/*
 * version.c - which is older, this tally or the daemon it has asked.
 *
 * Threads: main.
 */
#include "version.h"

#include <stdbool.h>
#include <string.h>

#include "answers.h"
#include "json.h"

#define VERSION_BYTES_MAX 40

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A number's digits without the zeros in front. */
static struct str number_next(struct str *rest)
{
    struct str number = { rest->at, 0 };

    while (number.len < rest->len && is_digit(rest->at[number.len]))
        number.len++;
    *rest = str_from(*rest, number.len);
    while (number.len > 0 && number.at[0] == '0')
        number = str_from(number, 1);
    return number;
}

static int bytes_compare(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.at, b.at, len) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

int version_compare(struct str a, struct str b)
{
    for (;;) {
        struct str left = number_next(&a);
        struct str right = number_next(&b);

        if (left.len != right.len)
            return left.len < right.len ? -1 : 1;
        if (bytes_compare(left, right) != 0)
            return bytes_compare(left, right);
        if (a.len == 0 || b.len == 0 || a.at[0] != '.' || b.at[0] != '.')
            break;
        a = str_from(a, 1);
        b = str_from(b, 1);
    }
    /* 1.0.1 is behind 1.0, 1.0-rc1 before it. */
    if (a.len == 0 || b.len == 0)
        return a.len == b.len                                            ? 0
               : ((a.len > 0 ? a.at[0] : b.at[0]) == '.') == (a.len > 0) ? 1
                                                                         : -1;
    return bytes_compare(a, b);
}

/* What /metrics says, for those who may not see the status: tallyd_build_info{version="1.0"} 1 */
static struct str in_metrics(struct str text)
{
    static const struct str before = STR("tallyd_build_info{version=\"");
    struct str line;

    while (str_next(&text, '\n', &line)) {
        if (str_starts(line, before)) {
            line = str_from(line, before.len);
            return (struct str){ line.at, str_find(line, '"') };
        }
    }
    return (struct str){ NULL, 0 };
}

static bool ask(struct http *http, struct str path, struct http_answer *ret_answer)
{
    const struct http_request request = { .method = "GET", .path = path };
    struct why why;

    return http_send(http, &request, ret_answer, &why) == HTTP_ANSWERED &&
           outcome_of(ret_answer->status) == OUTCOME_DONE;
}

/* Adds the daemon's version; nothing: it is not known. */
static void version_of_daemon(struct http *http, struct buf *out)
{
    AUTO_ANSWER status = { 0 };
    AUTO_ANSWER metrics = { 0 };
    struct str json;

    if (ask(http, STR("/v1/status"), &status)) {
        if (json_read(buf_str(&status.body), &json))
            json_text(out, json_member(json, "version"));
    } else if (ask(http, STR("/metrics"), &metrics)) {
        buf_str_add(out, in_metrics(buf_str(&metrics.body)));
    }
}

void version_remedy(struct http *http, const struct http_answer *answer, struct buf *out)
{
    struct str slug = problem_slug(answer);
    AUTO_BUF version = { 0 };
    int order;

    if (!str_eq(slug, STR("no-such-route")) && !str_eq(slug, STR("not-implemented")) &&
        !str_eq(slug, STR("method-not-allowed")))
        return;
    version_of_daemon(http, &version);
    if (!buf_ok(&version) || version.len == 0 || version.len > VERSION_BYTES_MAX)
        return;
    order = version_compare(buf_str(&version), STR(TALLYD_VERSION));
    if (order == 0)
        return;
    buf_text(out, "that tallyd is ");
    buf_str_add(out, buf_str(&version)); /* whoever writes the line cleans it */
    buf_text(out, order < 0 ? ", older than this tally, which is " TALLYD_VERSION
                              ": upgrade tallyd, or use the tally of its version"
                            : ", newer than this tally, which is " TALLYD_VERSION
                              ": upgrade tally");
    buf_char(out, '\0');
}
