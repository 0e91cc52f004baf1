/*
 * wp_polls.c - WP-Polls, of WordPress: questions, answers, and a log with a row for each answer.
 *
 * Threads: main.
 */
#include <string.h>

#include "base/siphash.h"
#include "cells.h"
#include "origins.h"

enum option_cell { OPTION_NAME, OPTION_VALUE };
enum question_cell {
    Q_ID,
    Q_QUESTION,
    Q_TIMESTAMP,
    Q_VOTES,
    Q_ACTIVE,
    Q_EXPIRY,
    Q_MULTIPLE,
    Q_VOTERS
};
enum answer_cell { A_ID, A_QUESTION, A_TEXT, A_VOTES };
enum log_cell { L_QUESTION, L_ANSWER, L_IP, L_USER, L_TIMESTAMP };

static const char stem[] = "wp-polls";

static bool option_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    (void)reterr_fault; /* what it cannot read it leaves */
    return wp_option_take(with, row, OPTION_NAME, OPTION_VALUE);
}

/* Open, closed, or (-1) to be opened at the time at which it was made. */
static bool times_take(struct old_poll *poll, const struct row *row, struct fault *reterr_fault)
{
    int64_t active;
    uint64_t made;
    uint64_t expiry;

    if (!cell_int(row, Q_ACTIVE, &active, reterr_fault) ||
        !cell_count_if(row, Q_TIMESTAMP, &made, reterr_fault) ||
        !cell_count_if(row, Q_EXPIRY, &expiry, reterr_fault))
        return false;
    if (made > UINT32_MAX || expiry > UINT32_MAX)
        return row_fault(row, reterr_fault, "is this the dump of that system?",
                         "a time in seconds was expected, and a larger number found");
    poll->closed = active == 0;
    poll->local_times = true;
    poll->opens_at_ms = active < 0 ? (int64_t)made * 1000 : 0;
    poll->closes_at_ms = (int64_t)expiry * 1000;
    return true;
}

static bool question_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    struct old_poll *poll;
    uint64_t id;
    uint64_t multiple;

    if (!cell_count(row, Q_ID, &id, reterr_fault) ||
        !cell_count_if(row, Q_MULTIPLE, &multiple, reterr_fault))
        return false;
    poll = takeover_add(takeover, row, stem, id, reterr_fault);
    if (!poll)
        return false;
    poll->max_choices = multiple > 1 ? multiple : 1;
    poll->has_voters = true;
    return cell_count_if(row, Q_VOTERS, &poll->voters, reterr_fault) &&
           takeover_text(row, Q_QUESTION, STORED_SLASHED_HTML, &poll->title, reterr_fault) &&
           times_take(poll, row, reterr_fault);
}

static bool answer_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    struct old_poll *poll;
    uint64_t question;
    uint64_t id;
    uint64_t votes;
    char *label;

    if (!cell_count(row, A_ID, &id, reterr_fault) ||
        !cell_count(row, A_QUESTION, &question, reterr_fault) ||
        !cell_count_if(row, A_VOTES, &votes, reterr_fault))
        return false;
    poll = takeover_find(takeover, stem, question);
    if (!poll) {
        takeover->strays++; /* of a poll that was deleted */
        return true;
    }
    return takeover_text(row, A_TEXT, STORED_SLASHED_HTML, &label, reterr_fault) &&
           takeover_option(poll, row, id, 0, label, votes, reterr_fault);
}

/* One who picks several answers leaves a row for each, one behind the other. */
static uint64_t ballot_of(const struct row *row)
{
    static const unsigned char key[SIPHASH_KEY_BYTES]; /* it only tells neighbours apart */
    uint64_t parts[3];

    for (size_t i = 0; i < 3; i++) {
        struct str text = row->cells[L_IP + i].text;

        parts[i] = siphash(key, text.at, text.len);
    }
    return siphash(key, parts, sizeof parts) | 1;
}

static bool log_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    struct old_option *option;
    struct old_poll *poll;
    uint64_t question;
    uint64_t answer;
    uint64_t ballot = ballot_of(row);

    if (!cell_count(row, L_QUESTION, &question, reterr_fault) ||
        !cell_count(row, L_ANSWER, &answer, reterr_fault))
        return false;
    poll = takeover_find(takeover, stem, question);
    if (!poll) {
        takeover->strays++;
        return true;
    }
    option = old_option_find(poll, answer);
    if (!option) {
        poll->strange++;
        return true;
    }
    option->logged++;
    poll->logged++;
    poll->ballots += poll->max_choices == 1 || poll->aside != ballot;
    poll->aside = ballot;
    return true;
}

static const struct table tables[] = {
    { "options", 1, false, { "option_name", "option_value" }, option_take },
    { "pollsq",
      1,
      true,
      { "pollq_id", "pollq_question", "pollq_timestamp", "?pollq_totalvotes", "pollq_active",
        "?pollq_expiry", "?pollq_multiple", "?pollq_totalvoters" },
      question_take },
    { "pollsa",
      2,
      true,
      { "polla_aid", "polla_qid", "polla_answers", "polla_votes" },
      answer_take },
    { "pollsip",
      3,
      false,
      { "pollip_qid", "pollip_aid", "pollip_ip", "?pollip_userid", "pollip_timestamp" },
      log_take },
};

const struct origin origin_wp_polls = {
    .name = "wp-polls",
    .prefix = "wp_",
    .help = "WP-Polls of WordPress",
    .tables = tables,
    .count = sizeof tables / sizeof tables[0],
    .log = "pollsip",
};
