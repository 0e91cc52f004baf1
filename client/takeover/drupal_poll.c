/*
 * drupal_poll.c - the module Poll of Drupal 7: a node with answers, and who picked which.
 *
 * Threads: main.
 */
#include "cells.h"
#include "origins.h"
#include "report.h"

enum poll_cell { P_NODE, P_RUNTIME, P_ACTIVE };
enum node_cell { N_ID, N_TITLE, N_CREATED };
enum choice_cell { C_ID, C_NODE, C_TEXT, C_VOTES, C_WEIGHT };
enum vote_cell { V_CHOICE, V_NODE };

static const char stem[] = "drupal-poll";

#define TIME_S_MAX UINT32_MAX

static bool poll_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct old_poll *poll;
    uint64_t id;
    uint64_t runtime;

    if (!cell_count(row, P_NODE, &id, reterr_fault) ||
        !cell_count_if(row, P_RUNTIME, &runtime, reterr_fault))
        return false;
    poll = takeover_add(with, row, stem, id, reterr_fault);
    if (!poll)
        return false;
    poll->closed = cell_is(row, P_ACTIVE, "0");
    poll->closes_at_ms = runtime <= TIME_S_MAX ? (int64_t)runtime * 1000 : 0; /* from its making */
    return true;
}

static bool node_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct old_poll *poll;
    uint64_t id;
    uint64_t created;

    if (!cell_count(row, N_ID, &id, reterr_fault) ||
        !cell_count_if(row, N_CREATED, &created, reterr_fault))
        return false;
    poll = takeover_find(with, stem, id);
    if (!poll || poll->title)
        return true;
    if (poll->closes_at_ms > 0 && created > 0 && created <= TIME_S_MAX)
        poll->closes_at_ms += (int64_t)created * 1000;
    return takeover_text(row, N_TITLE, STORED_PLAIN, &poll->title, reterr_fault);
}

static bool choice_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    struct old_poll *poll;
    uint64_t node;
    uint64_t id;
    uint64_t votes;
    int64_t weight;
    char *label;

    if (!cell_count(row, C_ID, &id, reterr_fault) ||
        !cell_count(row, C_NODE, &node, reterr_fault) ||
        !cell_count_if(row, C_VOTES, &votes, reterr_fault) ||
        !cell_int(row, C_WEIGHT, &weight, reterr_fault))
        return false;
    poll = takeover_find(takeover, stem, node);
    if (!poll) {
        takeover->strays++;
        return true;
    }
    return takeover_text(row, C_TEXT, STORED_PLAIN, &label, reterr_fault) &&
           takeover_option(poll, row, id, weight, label, votes, reterr_fault);
}

static bool vote_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    struct old_option *option;
    struct old_poll *poll;
    uint64_t choice;
    uint64_t node;

    if (!cell_count(row, V_CHOICE, &choice, reterr_fault) ||
        !cell_count(row, V_NODE, &node, reterr_fault))
        return false;
    poll = takeover_find(takeover, stem, node);
    if (!poll) {
        takeover->strays++;
        return true;
    }
    option = old_option_find(poll, choice);
    if (!option) {
        poll->strange++;
        return true;
    }
    option->logged++;
    poll->logged++;
    poll->ballots++;
    return true;
}

/* Without its node nobody knows when the time of a poll began. */
static bool settle(struct old_poll *poll, struct fault *reterr_fault)
{
    (void)reterr_fault;
    if (poll->closes_at_ms > 0 && !poll->title) {
        report(poll->id, "its node was not found, so when it closes is not known");
        poll->closes_at_ms = 0;
    }
    return true;
}

static const struct table tables[] = {
    { "poll", 1, true, { "nid", "?runtime", "?active" }, poll_take },
    { "node", 2, false, { "nid", "title", "?created" }, node_take },
    { "poll_choice", 2, true, { "chid", "nid", "chtext", "chvotes", "?weight" }, choice_take },
    { "poll_vote", 3, false, { "chid", "nid" }, vote_take },
};

const struct origin origin_drupal_poll = {
    .name = "drupal-poll",
    .prefix = "",
    .help = "polls of Drupal 7 (its module Poll)",
    .tables = tables,
    .count = sizeof tables / sizeof tables[0],
    .log = "poll_vote",
    .settle = settle,
};
