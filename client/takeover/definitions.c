/*
 * definitions.c - polls as a file for `tally apply`.
 *
 * Threads: main.
 */
#include "definitions.h"

#include "base/ckd.h"
#include "screen.h"

static void text_add(struct buf *out, const char *name, const char *text)
{
    buf_format(out, ",\"%s\":", name);
    buf_json_string(out, str_of(text));
}

static void time_add(struct buf *out, const char *name, int64_t at_ms)
{
    if (at_ms <= 0)
        return;
    buf_format(out, ",\"%s\":\"", name);
    buf_time(out, at_ms);
    buf_char(out, '"');
}

static void carried_add(struct buf *out, const struct old_poll *poll)
{
    if (poll->sum_only) {
        buf_text(out, ",\"carried\":{\"count\":");
        buf_uint(out, poll->rated);
        buf_text(out, ",\"sum\":");
        buf_uint(out, poll->sum);
        buf_char(out, '}');
        return;
    }
    for (size_t i = 0; i < poll->count; i++) {
        buf_text(out, i == 0 ? ",\"carried\":[" : ",");
        buf_uint(out, poll->options[i].votes);
    }
    buf_char(out, ']');
    if (poll->max_choices > 1) {
        buf_text(out, ",\"carried_voters\":");
        buf_uint(out, poll->voters);
    }
}

static void options_add(struct buf *out, const struct old_poll *poll)
{
    for (size_t i = 0; i < poll->count; i++) {
        buf_text(out, i == 0 ? ",\"options\":[{\"label\":" : ",{\"label\":");
        buf_json_string(out, str_of(poll->options[i].label));
        buf_char(out, '}');
    }
    buf_char(out, ']');
    if (poll->max_choices == 1)
        return;
    if (poll->min_choices > 1)
        buf_format(out, ",\"min_choices\":%llu", (unsigned long long)poll->min_choices);
    buf_format(out, ",\"max_choices\":%llu", (unsigned long long)poll->max_choices);
}

static void definition_write(struct buf *out, const struct old_poll *poll, bool closed)
{
    buf_text(out, "{\"id\":");
    buf_json_string(out, str_of(poll->id));
    text_add(out, "kind", poll->rating ? "rating" : "choice");
    text_add(out, "title", poll->title);
    if (poll->rating)
        buf_format(out, ",\"scale\":%llu", (unsigned long long)poll->scale);
    else
        options_add(out, poll);
    if (poll->results)
        text_add(out, "results", poll->results);
    time_add(out, "opens_at", poll->opens_at_ms);
    time_add(out, "closes_at", poll->closes_at_ms);
    text_add(out, "state", poll->closed || closed ? "closed" : "open");
    carried_add(out, poll);
    buf_char(out, '}');
}

void definitions_write(struct buf *out, const struct takeover *takeover)
{
    const char *before = "";

    buf_text(out, "{\"polls\":[\n");
    for (size_t i = 0; i < polls_count(takeover->polls); i++) {
        const struct old_poll *poll = polls_at(takeover->polls, i);

        if (poll->dropped)
            continue;
        buf_text(out, before);
        definition_write(out, poll, takeover->settings->closed);
        before = ",\n";
    }
    buf_text(out, "\n]}\n");
}

static uint64_t votes_of(const struct old_poll *poll)
{
    uint64_t votes = poll->sum_only ? poll->rated : 0;

    for (size_t i = 0; !poll->sum_only && i < poll->count; i++)
        votes += poll->options[i].votes;
    return votes;
}

size_t definitions_count(const struct takeover *takeover, uint64_t *ret_votes)
{
    size_t count = 0;

    *ret_votes = 0;
    for (size_t i = 0; i < polls_count(takeover->polls); i++) {
        const struct old_poll *poll = polls_at(takeover->polls, i);

        if (poll->dropped)
            continue;
        count++;
        if (ckd_add(ret_votes, *ret_votes, votes_of(poll)))
            *ret_votes = UINT64_MAX;
    }
    return count;
}

void definitions_list(struct buf *out, const struct takeover *takeover)
{
    for (size_t i = 0; i < polls_count(takeover->polls); i++) {
        const struct old_poll *poll = polls_at(takeover->polls, i);

        if (poll->dropped)
            continue;
        buf_format(out, "%s  ", poll->id);
        if (poll->rating)
            buf_format(out, "rating of %llu", (unsigned long long)poll->scale);
        else
            buf_format(out, "%zu answers", poll->count);
        buf_format(out, "  %llu votes  ", (unsigned long long)votes_of(poll));
        screen_text(out, str_of(poll->title));
        buf_char(out, '\n');
    }
}
