/*
 * summary.c - a tally in one line.
 *
 * Threads: any; nothing is shared.
 */
#include "summary.h"

#include "json.h"
#include "screen.h"

static void number_add(struct buf *out, struct str value)
{
    if (json_is_number(value))
        buf_str_add(out, value);
    else
        buf_char(out, '?');
}

void summary_option_add(struct buf *out, struct str option)
{
    AUTO_BUF shown = { 0 };

    json_text(&shown, json_member(option, "shown"));
    number_add(out, json_member(option, "votes"));
    buf_text(out, " (");
    screen_text(out, buf_str(&shown));
    buf_char(out, ')');
}

void summary_rating_add(struct buf *out, struct str tally)
{
    if (json_is(json_member(tally, "votes"), "0")) {
        buf_text(out, "(no votes yet)");
        return;
    }
    buf_text(out, "(votes: ");
    number_add(out, json_member(tally, "votes"));
    buf_text(out, ", rating: ");
    number_add(out, json_member(tally, "rating"));
    buf_char(out, ')');
}

void summary_add(struct buf *out, struct str tally)
{
    struct str rest = json_inside(json_member(tally, "options"));
    struct str option;
    size_t count = 0;

    if (!json_is_object(tally)) {
        buf_text(out, "(results are hidden for now)");
        return;
    }
    if (json_is(json_member(tally, "kind"), "\"rating\"") ||
        json_is(json_member(tally, "votes"), "0")) {
        summary_rating_add(out, tally);
        return;
    }
    while (json_next(&rest, &option)) {
        if (count++ > 0)
            buf_char(out, ' ');
        summary_option_add(out, option);
    }
}
