/*
 * drupal_votes.c - Drupal's Voting API, of which Fivestar is the usual user: votes one by one.
 *
 * Its results (votingapi_cache, votingapi_result) are made of the votes, so the votes are taken and
 * the results are compared.
 *
 * Threads: main.
 */
#include <stdio.h>
#include <string.h>

#include "cells.h"
#include "origins.h"
#include "report.h"

enum vote_cell { V_TYPE, V_ENTITY, V_VALUE, V_VALUE_TYPE, V_TAG };
enum result_cell { R_TYPE, R_ENTITY, R_VALUE, R_TAG, R_FUNCTION };
enum node_cell { N_ID, N_TITLE };
enum thumb { UP = 1, DOWN = 2 };

#define PART_BYTES_MAX 32

/* An entity type or a tag as part of a poll's id: what ids do not have becomes a _. */
static bool part_of(const struct row *row, size_t cell, char ret_part[PART_BYTES_MAX + 1])
{
    struct str text = row->cells[cell].text;

    if (text.len == 0 || text.len > PART_BYTES_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        ret_part[i] = fits ? c : '_';
    }
    ret_part[text.len] = '\0';
    return true;
}

/* drupal-node; where the votes have another tag than the usual one, drupal-TAG-node. */
static void stem_of(const struct row *row, size_t type, size_t tag, char ret_stem[ID_BYTES_MAX])
{
    char type_part[PART_BYTES_MAX + 1];
    char tag_part[PART_BYTES_MAX + 1];
    bool tagged = part_of(row, tag, tag_part) && strcmp(tag_part, "vote") != 0;

    if (!part_of(row, type, type_part))
        (void)snprintf(type_part, sizeof type_part, "node");
    (void)snprintf(ret_stem, ID_BYTES_MAX, "drupal-%s%s%s", tagged ? tag_part : "",
                   tagged ? "-" : "", type_part);
}

static struct old_poll *poll_of(struct takeover *takeover, const struct row *row, const char *stem,
                                uint64_t entity, struct fault *reterr_fault)
{
    struct old_poll *poll = takeover_find(takeover, stem, entity);

    if (poll)
        return poll;
    poll = takeover_add(takeover, row, stem, entity, reterr_fault);
    if (!poll)
        return NULL;
    poll->no_totals = true;
    if (takeover->settings->up_down)
        return takeover_option(poll, row, UP, 0, strdup("Up"), 0, reterr_fault) &&
                       takeover_option(poll, row, DOWN, 0, strdup("Down"), 0, reterr_fault)
                   ? poll
                   : NULL;
    if (old_poll_stars(poll, takeover_scale(takeover)))
        return poll;
    (void)fault_memory(reterr_fault);
    return NULL;
}

static bool vote_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    bool percent = cell_is(row, V_VALUE_TYPE, "percent");
    char stem[ID_BYTES_MAX];
    struct old_poll *poll;
    uint64_t entity;
    int64_t milli;

    if (!cell_count(row, V_ENTITY, &entity, reterr_fault) ||
        !cell_milli(row, V_VALUE, &milli, reterr_fault))
        return false;
    stem_of(row, V_TYPE, V_TAG, stem);
    poll = poll_of(takeover, row, stem, entity, reterr_fault);
    if (!poll)
        return false;
    if (milli < 0 && poll->rating)
        return row_fault(row, reterr_fault,
                         "say --scale up-down, and it becomes a poll of two answers",
                         "a rating was expected, and one below 0 found");
    if (!poll->rating) {
        poll->logged++;
        if (milli == 0)
            poll->strange++;
        else
            old_option_find(poll, milli > 0 ? UP : DOWN)->logged++;
    } else if (milli > INT64_C(100000) || (!percent && !cell_is(row, V_VALUE_TYPE, "points"))) {
        poll->logged++;
        poll->strange++;
    } else {
        old_poll_rate(poll, percent ? milli * (int64_t)poll->scale / 100 : milli);
    }
    return true;
}

static bool result_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    char stem[ID_BYTES_MAX];
    const struct old_poll *poll;
    uint64_t entity;
    int64_t milli;

    if (!cell_is(row, R_FUNCTION, "count") && !cell_is(row, R_FUNCTION, "vote_count"))
        return true;
    if (!cell_count(row, R_ENTITY, &entity, reterr_fault) ||
        !cell_milli(row, R_VALUE, &milli, reterr_fault))
        return false;
    stem_of(row, R_TYPE, R_TAG, stem);
    poll = takeover_find(takeover, stem, entity);
    if (poll && (uint64_t)(milli / 1000) == poll->logged)
        return true;
    if (!poll) {
        takeover->strays++;
        return true;
    }
    takeover->disagreements++;
    report(poll->id, "its result has %lld votes, and there are %llu; the votes are taken",
           (long long)(milli / 1000), (unsigned long long)poll->logged);
    return true;
}

static bool node_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct old_poll *poll;
    uint64_t id;

    if (!cell_count(row, N_ID, &id, reterr_fault))
        return false;
    poll = takeover_find(with, "drupal-node", id);
    if (!poll || poll->title)
        return true;
    return takeover_text(row, N_TITLE, STORED_PLAIN, &poll->title, reterr_fault);
}

#define RESULT_COLUMNS                                                                             \
    {                                                                                              \
        "?entity_type|content_type|target_entity_type", "entity_id|content_id|target_entity_id",   \
            "value", "?tag|type", "function"                                                       \
    }

static const struct table tables[] = {
    { "votingapi_vote",
      1,
      true,
      { "?entity_type|content_type|target_entity_type", "entity_id|content_id|target_entity_id",
        "value", "value_type", "?tag|type" },
      vote_take },
    { "votingapi_cache", 2, false, RESULT_COLUMNS, result_take },
    { "votingapi_result", 2, false, RESULT_COLUMNS, result_take },
    { "node", 2, false, { "nid", "?title" }, node_take },
    { "node_field_data", 2, false, { "nid", "title" }, node_take },
};

const struct origin origin_drupal_votes = {
    .name = "drupal-votes",
    .prefix = "",
    .help = "ratings of Drupal's Voting API, as Fivestar makes them",
    .tables = tables,
    .count = sizeof tables / sizeof tables[0],
};
