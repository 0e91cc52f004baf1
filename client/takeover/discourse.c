/*
 * discourse.c - polls in Discourse's posts: votes one by one, and counts of users who left.
 *
 * There are no totals, so the votes are counted. Each voter is remembered once a poll: older
 * databases may hold two votes of one in a poll where one may pick one, and the newest stands.
 *
 * Threads: main.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "origins.h"
#include "report.h"

enum poll_cell {
    P_ID,
    P_POST,
    P_NAME,
    P_TYPE,
    P_STATUS,
    P_RESULTS,
    P_MIN,
    P_MAX,
    P_TITLE,
    P_CLOSE,
    P_ANONYMOUS
};
enum option_cell { O_ID, O_POLL, O_HTML, O_ANONYMOUS };
enum vote_cell { V_POLL, V_OPTION, V_USER, V_CREATED };
enum post_cell { POST_ID, POST_TOPIC };
enum topic_cell { TOPIC_ID, TOPIC_TITLE };
enum type { TYPE_MULTIPLE = 1, TYPE_RANKED = 3 };
enum results { RESULTS_ON_VOTE = 1, RESULTS_ON_CLOSE, RESULTS_STAFF };

static const char stem[] = "discourse-poll";

static void results_take(struct old_poll *poll, uint64_t results)
{
    if (results == RESULTS_ON_VOTE)
        poll->results = "after_vote";
    if (results == RESULTS_ON_CLOSE || results == RESULTS_STAFF)
        poll->results = "after_close";
    if (results == RESULTS_STAFF)
        report(poll->id, "its results were for staff only; they will be shown after the close");
}

static bool kind_take(struct old_poll *poll, const struct row *row, struct fault *reterr_fault)
{
    uint64_t type;
    uint64_t most;
    uint64_t least;

    if (!cell_count_if(row, P_TYPE, &type, reterr_fault) ||
        !cell_count_if(row, P_MIN, &least, reterr_fault) ||
        !cell_count_if(row, P_MAX, &most, reterr_fault))
        return false;
    if (type == TYPE_MULTIPLE) {
        poll->max_choices = most;
        poll->all_choices = most == 0;
        poll->min_choices = least > 0 ? least : 1;
    } else if (type >= TYPE_RANKED) {
        report(poll->id, "its answers were ranked; that they were picked is taken over");
        poll->all_choices = true;
    }
    return true;
}

static bool poll_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    struct old_poll *poll;
    uint64_t id;
    uint64_t post;
    uint64_t results;

    if (!cell_count(row, P_ID, &id, reterr_fault) ||
        !cell_count_if(row, P_POST, &post, reterr_fault) ||
        !cell_count_if(row, P_RESULTS, &results, reterr_fault))
        return false;
    poll = takeover_add(takeover, row, stem, id, reterr_fault);
    if (!poll)
        return false;
    poll->no_totals = poll->has_voters = true;
    poll->closed = cell_is(row, P_STATUS, "1");
    results_take(poll, results);
    poll->aside = post; /* until its topic is found */
    if (row->cells[P_TITLE].text.len > 0 &&
        !takeover_text(row, P_TITLE, STORED_HTML, &poll->title, reterr_fault))
        return false;
    return kind_take(poll, row, reterr_fault) &&
           cell_count_if(row, P_ANONYMOUS, &poll->voters, reterr_fault) &&
           cell_moment(row, P_CLOSE, &poll->closes_at_ms, reterr_fault) &&
           takeover_note(takeover, 'p', post, 0, reterr_fault);
}

static bool option_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    struct old_poll *poll;
    uint64_t id;
    uint64_t poll_id;
    uint64_t votes;
    char *label;

    if (!cell_count(row, O_ID, &id, reterr_fault) ||
        !cell_count(row, O_POLL, &poll_id, reterr_fault) ||
        !cell_count_if(row, O_ANONYMOUS, &votes, reterr_fault))
        return false;
    poll = takeover_find(takeover, stem, poll_id);
    if (!poll) {
        takeover->strays++;
        return true;
    }
    return takeover_text(row, O_HTML, STORED_HTML, &label, reterr_fault) &&
           takeover_option(poll, row, id, 0, label, votes, reterr_fault);
}

/* Remembers a first vote.   false: no memory */
static bool standing_add(struct takeover *takeover, struct str key, struct standing standing)
{
    if (takeover->standing_count == takeover->standing_room) {
        size_t room = takeover->standing_room > 0 ? takeover->standing_room * 2 : 1024;
        struct standing *more = reallocarray(takeover->standing, room, sizeof *more);

        if (!more)
            return false;
        takeover->standing = more;
        takeover->standing_room = room;
    }
    if (!index_put(takeover->notes, key, takeover->standing_count))
        return false;
    takeover->standing[takeover->standing_count++] = standing;
    return true;
}

static bool ballot_take(struct takeover *takeover, struct old_poll *poll, struct str voter,
                        struct standing vote, struct fault *reterr_fault)
{
    const size_t *at = index_find(takeover->notes, voter);
    struct standing *standing;

    poll->logged++;
    if (!at) {
        poll->voters++;
        old_option_find(poll, vote.option)->logged++;
        return standing_add(takeover, voter, vote) ? true : fault_memory(reterr_fault);
    }
    standing = &takeover->standing[*at];
    if (poll->max_choices != 1 || poll->all_choices) {
        old_option_find(poll, vote.option)->logged++;
        return true;
    }
    takeover->disagreements++;
    report(poll->id, "one voter has two votes where one may pick one; the newest is taken");
    if (vote.at_ms < standing->at_ms)
        return true;
    old_option_find(poll, standing->option)->logged--;
    old_option_find(poll, vote.option)->logged++;
    *standing = vote;
    return true;
}

static bool vote_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    struct standing vote = { 0 };
    struct old_poll *poll;
    uint64_t poll_id;
    uint64_t user;
    char voter[64];
    int len;

    if (!cell_count(row, V_POLL, &poll_id, reterr_fault) ||
        !cell_count(row, V_OPTION, &vote.option, reterr_fault) ||
        !cell_count(row, V_USER, &user, reterr_fault) ||
        !cell_moment(row, V_CREATED, &vote.at_ms, reterr_fault))
        return false;
    poll = takeover_find(takeover, stem, poll_id);
    if (!poll) {
        takeover->strays++;
        return true;
    }
    if (!old_option_find(poll, vote.option)) {
        poll->strange++;
        return true;
    }
    len = snprintf(voter, sizeof voter, "u%llu/%llu", (unsigned long long)poll_id,
                   (unsigned long long)user);
    return ballot_take(takeover, poll, (struct str){ voter, (size_t)len }, vote, reterr_fault);
}

/* Titles: a poll seldom has its own, and is known by its topic. */
static bool post_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    size_t *noted;
    uint64_t id;
    uint64_t topic;

    if (!cell_count(row, POST_ID, &id, reterr_fault))
        return false;
    noted = takeover_noted(with, 'p', id);
    if (!noted)
        return true;
    if (!cell_count_if(row, POST_TOPIC, &topic, reterr_fault))
        return false;
    *noted = topic;
    return takeover_note(with, 't', topic, 0, reterr_fault);
}

static bool topic_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    uint64_t id;

    if (!cell_count(row, TOPIC_ID, &id, reterr_fault))
        return false;
    if (!takeover_noted(takeover, 't', id))
        return true;
    for (size_t i = 0; i < polls_count(takeover->polls); i++) {
        struct old_poll *poll = polls_at(takeover->polls, i);
        const size_t *topic = takeover_noted(takeover, 'p', poll->aside);

        if (!poll->title && topic && *topic == id &&
            !takeover_text(row, TOPIC_TITLE, STORED_PLAIN, &poll->title, reterr_fault))
            return false;
    }
    return true;
}

static const struct table tables[] = {
    { "polls",
      1,
      true,
      { "id", "post_id", "?name", "type", "status", "?results", "?min", "?max", "?title",
        "?close_at", "?anonymous_voters" },
      poll_take },
    { "poll_options", 2, true, { "id", "poll_id", "html", "?anonymous_votes" }, option_take },
    { "posts", 2, false, { "id", "topic_id" }, post_take },
    { "poll_votes", 3, true, { "poll_id", "poll_option_id", "user_id", "?created_at" }, vote_take },
    { "topics", 3, false, { "id", "title" }, topic_take },
};

const struct origin origin_discourse = {
    .name = "discourse",
    .prefix = "",
    .help = "polls of Discourse",
    .tables = tables,
    .count = sizeof tables / sizeof tables[0],
};
