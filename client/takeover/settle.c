/*
 * settle.c - what is to be carried of a poll, where its totals and its log disagree, and whether
 * tallyd can hold it.
 *
 * Threads: main.
 */
#include "settle.h"

#include <stdio.h>
#include <string.h>

#include "base/ckd.h"
#include "report.h"

/* What tallyd takes (docs of the definition): beyond it a poll is a problem. */
#define TITLE_BYTES_MAX 2000
#define LABEL_BYTES_MAX 1000
#define OPTIONS_MIN 2
#define OPTIONS_MAX 64
#define SHOWN_BYTES_MAX 60

typedef unsigned long long count_t; /* as printf wants it */

#define disagree(takeover, poll, ...)                                                              \
    do {                                                                                           \
        (takeover)->disagreements++;                                                               \
        report((poll)->id, __VA_ARGS__);                                                           \
    } while (0)

/* false, always: the poll is counted as one that tallyd cannot hold. */
#define problem(takeover, poll, ...)                                                               \
    __extension__({                                                                                \
        (takeover)->problems++;                                                                    \
        (poll)->dropped = true;                                                                    \
        report((poll)->id, __VA_ARGS__);                                                           \
        false;                                                                                     \
    })

static bool log_is_there(const struct takeover *takeover)
{
    const struct origin *origin = takeover->settings->origin;

    for (size_t i = 0; origin->log && i < origin->count; i++) {
        if (strcmp(origin->tables[i].name, origin->log) == 0)
            return takeover->seen[i];
    }
    return false;
}

static bool log_is_taken(const struct takeover *takeover, const struct old_poll *poll)
{
    return takeover->settings->prefer_log && poll->logged > 0;
}

/* Which of the two numbers stands. */
static const char *taken(const struct takeover *takeover, const struct old_poll *poll)
{
    return log_is_taken(takeover, poll) ? "the log is taken" : "the total is taken";
}

static bool votes_sum(const struct old_poll *poll, uint64_t *ret_sum)
{
    int64_t sum = 0;

    for (size_t i = 0; i < poll->count; i++) {
        if (ckd_add(&sum, sum, poll->options[i].votes))
            return false;
    }
    *ret_sum = (uint64_t)sum;
    return true;
}

static void options_compare(struct takeover *takeover, struct old_poll *poll)
{
    bool use_log = log_is_taken(takeover, poll);
    uint64_t votes = 0;

    if (poll->logged == 0 && votes_sum(poll, &votes)) {
        if (votes > 0)
            disagree(takeover, poll,
                     "it has a total of %llu votes, and the log none; the total is taken",
                     (count_t)votes);
        return;
    }
    for (size_t i = 0; i < poll->count; i++) {
        struct old_option *option = &poll->options[i];

        if (option->votes != option->logged)
            disagree(takeover, poll,
                     "answer %zu has a total of %llu votes, and %llu in the log; %s", i + 1,
                     (count_t)option->votes, (count_t)option->logged, taken(takeover, poll));
        if (use_log)
            option->votes = option->logged;
    }
}

static void voters_settle(struct takeover *takeover, struct old_poll *poll, uint64_t votes)
{
    uint64_t most = 0;

    for (size_t i = 0; i < poll->count; i++)
        most = poll->options[i].votes > most ? poll->options[i].votes : most;
    if (!poll->has_voters) {
        poll->voters = poll->ballots;
        poll->has_voters = true;
    }
    if (poll->voters > votes) {
        disagree(takeover, poll, "%llu voters cannot make %llu votes; %llu voters are taken",
                 (count_t)poll->voters, (count_t)votes, (count_t)votes);
        poll->voters = votes;
    }
    if (poll->voters < most) {
        disagree(takeover, poll,
                 "%llu voters cannot give one answer %llu votes; %llu voters are taken",
                 (count_t)poll->voters, (count_t)most, (count_t)most);
        poll->voters = most;
    }
}

static bool choice_settle(struct takeover *takeover, struct old_poll *poll)
{
    uint64_t votes;

    if (poll->no_totals) {
        for (size_t i = 0; i < poll->count; i++)
            poll->options[i].votes += poll->options[i].logged; /* beside what was kept without */
    } else if (log_is_there(takeover)) {
        options_compare(takeover, poll);
    }
    if (!votes_sum(poll, &votes))
        return problem(takeover, poll, "its votes add up to more than 2^63 - 1");
    if (poll->max_choices > 1) {
        if (poll->has_voters && !poll->no_totals && log_is_there(takeover) && poll->logged > 0 &&
            poll->voters != poll->ballots)
            disagree(takeover, poll, "it has a total of %llu voters, and %llu in the log; %s",
                     (count_t)poll->voters, (count_t)poll->ballots, taken(takeover, poll));
        if (log_is_taken(takeover, poll))
            poll->voters = poll->ballots;
        voters_settle(takeover, poll, votes);
        return true;
    }
    if (poll->has_voters && poll->voters != votes && !log_is_taken(takeover, poll))
        disagree(takeover, poll,
                 "it has a total of %llu voters, and its answers %llu votes, though one may pick "
                 "one; the answers are taken",
                 (count_t)poll->voters, (count_t)votes);
    return true;
}

static void stars_take(struct old_poll *poll, uint64_t *ret_rated, uint64_t *ret_sum)
{
    *ret_rated = *ret_sum = 0;
    for (size_t i = 0; i < poll->count; i++) {
        poll->options[i].votes = poll->options[i].logged;
        *ret_rated += poll->options[i].logged;
        *ret_sum += poll->options[i].logged * poll->options[i].id;
    }
}

static bool rating_settle(struct takeover *takeover, struct old_poll *poll)
{
    bool same;
    uint64_t rated;
    uint64_t sum;
    uint64_t most;

    stars_take(poll, &rated, &sum);
    same = rated == poll->rated && sum == poll->sum;
    if (poll->no_totals) {
        poll->dropped = rated == 0;
        return true;
    }
    if (log_is_there(takeover) && !same)
        disagree(takeover, poll,
                 "it has a total of %llu ratings with a sum of %llu, and %llu with %llu in the "
                 "log; %s",
                 (count_t)poll->rated, (count_t)poll->sum, (count_t)rated, (count_t)sum,
                 taken(takeover, poll));
    if (same || log_is_taken(takeover, poll)) {
        poll->dropped = rated == 0;
        return true;
    }
    poll->sum_only = true;
    poll->dropped = poll->rated == 0;
    if (poll->dropped)
        return true;
    if (ckd_mul(&most, poll->rated, poll->scale) || poll->sum < poll->rated || poll->sum > most)
        return problem(takeover, poll,
                       "%llu ratings of 1 to %llu cannot add up to %llu; is it another --scale?",
                       (count_t)poll->rated, (count_t)poll->scale, (count_t)poll->sum);
    return true;
}

/* A label of a picture that had no words is its number. */
static bool labels_settle(struct takeover *takeover, struct old_poll *poll)
{
    if (poll->rating)
        return true;
    if (poll->count < OPTIONS_MIN || poll->count > OPTIONS_MAX)
        return problem(takeover, poll, "it has %zu answers; tallyd holds %d to %d", poll->count,
                       OPTIONS_MIN, OPTIONS_MAX);
    for (size_t i = 0; i < poll->count; i++) {
        struct old_option *option = &poll->options[i];
        char number[24];

        if (option->label && strlen(option->label) > LABEL_BYTES_MAX)
            return problem(takeover, poll, "answer %zu has %zu bytes; tallyd holds %d", i + 1,
                           strlen(option->label), LABEL_BYTES_MAX);
        if (option->label && option->label[0])
            continue;
        (void)snprintf(number, sizeof number, "%zu", i + 1);
        report(poll->id, "answer %zu holds no text; it is called %s", i + 1, number);
        free(option->label);
        option->label = strdup(number);
        if (!option->label)
            return false;
    }
    return true;
}

static bool title_settle(struct takeover *takeover, struct old_poll *poll)
{
    if (poll->title && strlen(poll->title) > TITLE_BYTES_MAX)
        return problem(takeover, poll, "its title has %zu bytes; tallyd holds %d",
                       strlen(poll->title), TITLE_BYTES_MAX);
    if (poll->title && poll->title[0])
        return true;
    report(poll->id, "no title was found; it is called by its id");
    free(poll->title);
    poll->title = strdup(poll->id);
    return poll->title != NULL;
}

static bool times_settle(struct takeover *takeover, struct old_poll *poll,
                         struct fault *reterr_fault)
{
    const char *zone = takeover->settings->zone ? takeover->settings->zone : takeover->zone;

    if (poll->local_times && (poll->opens_at_ms > 0 || poll->closes_at_ms > 0)) {
        if (!zone[0])
            return fault_set(reterr_fault, "say whose clock it was, as --zone Europe/Berlin",
                             "%s: its times are by the clock of its site", poll->id);
        if (poll->opens_at_ms > 0)
            poll->opens_at_ms = zone_utc(zone, poll->opens_at_ms);
        if (poll->closes_at_ms > 0)
            poll->closes_at_ms = zone_utc(zone, poll->closes_at_ms);
        poll->local_times = false;
    }
    if (poll->opens_at_ms > 0 && poll->closes_at_ms > 0 &&
        poll->closes_at_ms <= poll->opens_at_ms) {
        report(poll->id, "it would close before it opens; it is taken as closed");
        poll->opens_at_ms = poll->closes_at_ms = 0;
        poll->closed = true;
    }
    return true;
}

static void log_settle(struct takeover *takeover, struct old_poll *poll)
{
    if (poll->strange > 0)
        disagree(takeover, poll, "rows of its log that hold %s: %llu; they are left",
                 poll->rating ? "no number of stars that it has" : "no answer that it has",
                 (count_t)poll->strange);
    if (poll->rounded > 0)
        report(poll->id, "ratings between two of %llu stars: %llu; the nearest star is taken",
               (count_t)poll->scale, (count_t)poll->rounded);
}

bool poll_settle(struct takeover *takeover, struct old_poll *poll, struct fault *reterr_fault)
{
    const struct origin *origin = takeover->settings->origin;
    bool ok;

    if (origin->settle && !origin->settle(poll, reterr_fault))
        return false;
    if (poll->dropped)
        return true;
    old_poll_sort(poll);
    if (poll->all_choices && poll->count > 0)
        poll->max_choices = poll->count;
    if (poll->max_choices > poll->count && poll->count > 0)
        poll->max_choices = poll->count;
    if (poll->min_choices > poll->max_choices)
        poll->min_choices = poll->max_choices;
    log_settle(takeover, poll);
    ok = (poll->rating ? rating_settle(takeover, poll) : choice_settle(takeover, poll)) &&
         (poll->dropped || (labels_settle(takeover, poll) && title_settle(takeover, poll)));
    if (!ok && !poll->dropped)
        return fault_memory(reterr_fault);
    return poll->dropped || times_settle(takeover, poll, reterr_fault);
}
