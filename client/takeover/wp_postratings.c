/*
 * wp_postratings.c - WP-PostRatings, of WordPress: a count and a sum in each post's meta, and a
 * log.
 *
 * Threads: main.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "origins.h"
#include "report.h"

enum option_cell { OPTION_NAME, OPTION_VALUE };
enum meta_cell { M_POST, M_KEY, M_VALUE };
enum log_cell { L_POST, L_RATING };
enum post_cell { P_ID, P_TITLE };
enum thumb { UP = 1, DOWN = 2 };

static const char stem[] = "wp-postratings";
static const char say_up_down[] = "say --scale up-down, and it becomes a poll of two answers";

/* The number of one or two digits that stands near the begin; 0: none. */
static uint64_t first_number(struct str text)
{
    uint64_t n = 0;
    size_t at = 0;

    while (at < text.len && at < 8 && (text.at[at] < '0' || text.at[at] > '9'))
        at++;
    for (size_t i = at; i < text.len && i < at + 2; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            break;
        n = n * 10 + (uint64_t)(text.at[i] - '0');
    }
    return n;
}

/* The number behind `"max";` in PHP's serialised form (i:5; or s:1:"5";), or in JSON; 0: none. */
static uint64_t max_of(struct str value)
{
    static const struct str name = STR("\"max\"");

    for (size_t i = 0; i + name.len < value.len; i++) {
        struct str rest;

        if (!str_starts(str_from(value, i), name))
            continue;
        rest = str_from(value, i + name.len);
        if (str_starts(rest, STR(";s:"))) {
            size_t quote = str_find(rest, '"');

            rest = str_from(rest, quote);
        }
        return first_number(rest);
    }
    return 0;
}

static bool option_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    uint64_t scale = 0;

    (void)reterr_fault; /* a setting that cannot be read is none */
    if (cell_is(row, OPTION_NAME, "wp_postratings_options"))
        scale = max_of(row->cells[OPTION_VALUE].text);
    else if (cell_is(row, OPTION_NAME, "postratings_max"))
        scale = first_number(row->cells[OPTION_VALUE].text);
    if (scale >= 2 && scale <= STARS_MAX)
        takeover->scale = scale;
    return true;
}

static bool thumbs_add(struct old_poll *poll, const struct row *row, struct fault *reterr_fault)
{
    return takeover_option(poll, row, UP, 0, strdup("Up"), 0, reterr_fault) &&
           takeover_option(poll, row, DOWN, 0, strdup("Down"), 0, reterr_fault);
}

static struct old_poll *poll_of(struct takeover *takeover, const struct row *row, uint64_t post,
                                struct fault *reterr_fault)
{
    struct old_poll *poll = takeover_find(takeover, stem, post);

    if (poll)
        return poll;
    poll = takeover_add(takeover, row, stem, post, reterr_fault);
    if (!poll)
        return NULL;
    if (takeover->settings->up_down)
        return thumbs_add(poll, row, reterr_fault) ? poll : NULL;
    if (old_poll_stars(poll, takeover_scale(takeover)))
        return poll;
    (void)fault_memory(reterr_fault);
    return NULL;
}

/* The sum of votes up and down may be below 0: it is kept as ups and downs when both are known. */
static bool score_take(struct takeover *takeover, struct old_poll *poll, const struct row *row,
                       struct fault *reterr_fault)
{
    int64_t milli;

    if (!cell_milli(row, M_VALUE, &milli, reterr_fault))
        return false;
    if (milli < 0 && !takeover->settings->up_down)
        return row_fault(row, reterr_fault, say_up_down,
                         "a sum of stars was expected, and one below 0 found");
    if (takeover->settings->up_down)
        poll->aside = (uint64_t)(milli / 1000); /* until the settling */
    poll->sum = (uint64_t)(milli < 0 ? 0 : (milli + 500) / 1000);
    if (milli % 1000 != 0)
        report(poll->id, "its sum of stars has decimals; it is rounded to %llu",
               (unsigned long long)poll->sum);
    return true;
}

static bool meta_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    bool users = cell_is(row, M_KEY, "ratings_users");
    struct old_poll *poll;
    uint64_t post;

    if (!users && !cell_is(row, M_KEY, "ratings_score"))
        return true;
    if (!cell_count(row, M_POST, &post, reterr_fault))
        return false;
    poll = poll_of(takeover, row, post, reterr_fault);
    if (!poll)
        return false;
    return users ? cell_count_if(row, M_VALUE, &poll->rated, reterr_fault)
                 : score_take(takeover, poll, row, reterr_fault);
}

static bool log_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    struct old_poll *poll;
    uint64_t post;
    int64_t rating;

    if (!cell_count(row, L_POST, &post, reterr_fault) ||
        !cell_int(row, L_RATING, &rating, reterr_fault))
        return false;
    poll = takeover_find(takeover, stem, post);
    if (!poll) {
        takeover->strays++;
        return true;
    }
    if (rating < 0 && !takeover->settings->up_down)
        return row_fault(row, reterr_fault, say_up_down,
                         "a number of stars was expected, and one below 0 found");
    if (poll->rating) {
        old_poll_rate(poll, rating > STARS_MAX ? (int64_t)(STARS_MAX + 1) * 1000 : rating * 1000);
        return true;
    }
    poll->logged++;
    poll->ballots++;
    if (rating == 1 || rating == -1)
        old_option_find(poll, rating > 0 ? UP : DOWN)->logged++;
    else
        poll->strange++;
    return true;
}

static bool post_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    struct old_poll *poll;
    uint64_t post;

    if (!cell_count(row, P_ID, &post, reterr_fault))
        return false;
    poll = takeover_find(takeover, stem, post);
    if (!poll || poll->title)
        return true;
    return takeover_text(row, P_TITLE, STORED_HTML, &poll->title, reterr_fault);
}

/* n votes whose sum is s are (n + s) / 2 up and (n - s) / 2 down. */
static bool settle(struct old_poll *poll, struct fault *reterr_fault)
{
    int64_t score = (int64_t)poll->aside;
    int64_t voters = (int64_t)poll->rated;

    if (poll->rating)
        return true;
    if (voters > INT64_MAX / 2 || score > voters || score < -voters || (voters - score) % 2 != 0)
        return fault_set(reterr_fault, "are these votes up and down? Leave --scale up-down out",
                         "%s: %lld votes up and down cannot have a sum of %lld", poll->id,
                         (long long)voters, (long long)score);
    old_option_find(poll, UP)->votes = (uint64_t)((voters + score) / 2);
    old_option_find(poll, DOWN)->votes = (uint64_t)((voters - score) / 2);
    poll->dropped = voters == 0 && poll->logged == 0;
    return true;
}

static const struct table tables[] = {
    { "options", 1, false, { "option_name", "option_value" }, option_take },
    { "postmeta", 2, true, { "post_id", "meta_key", "meta_value" }, meta_take },
    { "ratings", 3, false, { "rating_postid", "rating_rating" }, log_take },
    { "posts", 3, false, { "ID", "post_title" }, post_take },
};

const struct origin origin_wp_postratings = {
    .name = "wp-postratings",
    .prefix = "wp_",
    .help = "WP-PostRatings of WordPress",
    .tables = tables,
    .count = sizeof tables / sizeof tables[0],
    .log = "ratings",
    .settle = settle,
};
