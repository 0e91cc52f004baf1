/*
 * bitrix_vote.c - the module `vote` of Bitrix: a poll for each question of a vote.
 *
 * An event is one person's answers to all questions of a vote; those with VALID = N do not count.
 * Only what belongs to such events is remembered, which are few.
 *
 * Threads: main.
 */
#include "cells.h"
#include "origins.h"

enum vote_cell { V_ID, V_TITLE, V_START, V_END, V_ACTIVE };
enum question_cell { Q_ID, Q_VOTE, Q_TEXT, Q_TYPE, Q_COUNTER, Q_ACTIVE };
enum answer_cell { A_ID, A_QUESTION, A_TEXT, A_TYPE, A_FIELD, A_SORT, A_COUNTER };
enum event_cell { E_ID, E_VALID };
enum event_question_cell { EQ_ID, EQ_EVENT, EQ_QUESTION };
enum event_answer_cell { EA_QUESTION, EA_ANSWER };

/* What is noted, by letter: a the question of an answer, e an event that
 * does not count, x an answered question of such an event. */

static const char stem[] = "bitrix-question";

#define FIELD_CHECKBOX "1"
#define FIELD_LIST_OF_SEVERAL "3"

/* Its times are those of all its questions: kept as a poll that is none. */
static bool vote_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    struct old_poll *vote;
    uint64_t id;

    if (!cell_count(row, V_ID, &id, reterr_fault))
        return false;
    vote = takeover_add(takeover, row, "bitrix-vote", id, reterr_fault);
    if (!vote)
        return false;
    vote->dropped = true;
    vote->local_times = true;
    vote->closed = cell_is(row, V_ACTIVE, "N");
    return cell_moment(row, V_START, &vote->opens_at_ms, reterr_fault) &&
           cell_moment(row, V_END, &vote->closes_at_ms, reterr_fault) &&
           takeover_text(row, V_TITLE, STORED_PLAIN, &vote->title, reterr_fault);
}

static enum stored_as stored_as(const struct row *row, size_t type)
{
    return cell_is(row, type, "text") ? STORED_PLAIN : STORED_HTML;
}

static bool question_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    const struct old_poll *vote;
    struct old_poll *poll;
    uint64_t id;
    uint64_t vote_id;

    if (!cell_count(row, Q_ID, &id, reterr_fault) ||
        !cell_count(row, Q_VOTE, &vote_id, reterr_fault))
        return false;
    poll = takeover_add(takeover, row, stem, id, reterr_fault);
    if (!poll)
        return false;
    vote = takeover_find(takeover, "bitrix-vote", vote_id);
    if (vote) {
        poll->local_times = true;
        poll->opens_at_ms = vote->opens_at_ms;
        poll->closes_at_ms = vote->closes_at_ms;
        poll->closed = vote->closed;
    }
    poll->closed |= cell_is(row, Q_ACTIVE, "N");
    poll->has_voters = !row->cells[Q_COUNTER].null;
    return cell_count_if(row, Q_COUNTER, &poll->voters, reterr_fault) &&
           takeover_text(row, Q_TEXT, stored_as(row, Q_TYPE), &poll->title, reterr_fault);
}

static bool answer_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    struct old_poll *poll;
    uint64_t question;
    uint64_t id;
    uint64_t votes;
    int64_t order;
    char *label;

    if (!cell_count(row, A_ID, &id, reterr_fault) ||
        !cell_count(row, A_QUESTION, &question, reterr_fault) ||
        !cell_count_if(row, A_COUNTER, &votes, reterr_fault) ||
        !cell_int(row, A_SORT, &order, reterr_fault))
        return false;
    poll = takeover_find(takeover, stem, question);
    if (!poll) {
        takeover->strays++;
        return true;
    }
    if (cell_is(row, A_FIELD, FIELD_CHECKBOX) || cell_is(row, A_FIELD, FIELD_LIST_OF_SEVERAL))
        poll->all_choices = true;
    return takeover_note(takeover, 'a', id, question, reterr_fault) &&
           takeover_text(row, A_TEXT, stored_as(row, A_TYPE), &label, reterr_fault) &&
           takeover_option(poll, row, id, order, label, votes, reterr_fault);
}

static bool event_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    uint64_t id;

    if (!cell_count(row, E_ID, &id, reterr_fault))
        return false;
    return !cell_is(row, E_VALID, "N") || takeover_note(with, 'e', id, 0, reterr_fault);
}

static bool event_question_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    struct old_poll *poll;
    uint64_t id;
    uint64_t event;
    uint64_t question;

    if (!cell_count(row, EQ_ID, &id, reterr_fault) ||
        !cell_count(row, EQ_EVENT, &event, reterr_fault) ||
        !cell_count(row, EQ_QUESTION, &question, reterr_fault))
        return false;
    if (takeover_noted(takeover, 'e', event))
        return takeover_note(takeover, 'x', id, 0, reterr_fault);
    poll = takeover_find(takeover, stem, question);
    if (poll)
        poll->ballots++;
    else
        takeover->strays++;
    return true;
}

static bool event_answer_take(void *with, const struct row *row, struct fault *reterr_fault)
{
    struct takeover *takeover = with;
    struct old_option *option;
    struct old_poll *poll;
    const size_t *question;
    uint64_t answer;
    uint64_t asked;

    if (!cell_count(row, EA_QUESTION, &asked, reterr_fault) ||
        !cell_count(row, EA_ANSWER, &answer, reterr_fault))
        return false;
    if (takeover_noted(takeover, 'x', asked))
        return true;
    question = takeover_noted(takeover, 'a', answer);
    poll = question ? takeover_find(takeover, stem, *question) : NULL;
    option = poll ? old_option_find(poll, answer) : NULL;
    if (!option) {
        takeover->strays++;
        return true;
    }
    option->logged++;
    poll->logged++;
    return true;
}

/* Where no column says that one may pick several, more marks than voters do. */
static bool settle(struct old_poll *poll, struct fault *reterr_fault)
{
    uint64_t votes = 0;

    (void)reterr_fault;
    if (poll->dropped)
        return true;
    for (size_t i = 0; i < poll->count && votes <= poll->voters; i++)
        votes += poll->options[i].votes;
    if (poll->has_voters && poll->voters > 0 && votes > poll->voters)
        poll->all_choices = true;
    return true;
}

static const struct table tables[] = {
    { "b_vote", 1, false, { "ID", "?TITLE", "?DATE_START", "?DATE_END", "?ACTIVE" }, vote_take },
    { "b_vote_question",
      2,
      true,
      { "ID", "VOTE_ID", "QUESTION", "?QUESTION_TYPE", "?COUNTER", "?ACTIVE" },
      question_take },
    { "b_vote_answer",
      3,
      true,
      { "ID", "QUESTION_ID", "MESSAGE", "?MESSAGE_TYPE", "?FIELD_TYPE", "?C_SORT", "COUNTER" },
      answer_take },
    { "b_vote_event", 3, false, { "ID", "?VALID" }, event_take },
    { "b_vote_event_question", 4, false, { "ID", "EVENT_ID", "QUESTION_ID" }, event_question_take },
    { "b_vote_event_answer", 5, false, { "EVENT_QUESTION_ID", "ANSWER_ID" }, event_answer_take },
};

const struct origin origin_bitrix_vote = {
    .name = "bitrix-vote",
    .prefix = "",
    .help = "polls of Bitrix (its module vote), one for each question",
    .tables = tables,
    .count = sizeof tables / sizeof tables[0],
    .log = "b_vote_event_answer",
    .settle = settle,
};
