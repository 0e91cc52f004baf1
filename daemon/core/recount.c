/*
 * core/recount.c - the counts of one poll, worked out again from the rows of its ledger.
 *
 * Deliberately not made of counts_apply(): that one asserts what is to be found out here.
 *
 * Threads: any; nothing is shared.
 */
#include "core/recount.h"

#include <string.h>

static void note(struct recount *recount, uint32_t seq, const char *wrong)
{
    if (recount->contradicts)
        return;
    recount->contradicts = true;
    recount->wrong_seq = seq;
    recount->wrong = wrong;
}

/* What cannot be in a ledger, or NULL. */
static const char *wrong_with(const struct recount *recount, const struct recount_row *row)
{
    if (row->seq != recount->seq + 1)
        return "does not follow the row before it: rows are missing";
    if (row->retracted && row->marks != 0)
        return "is a retraction with options";
    if (row->replaces == 0)
        return row->marks == 0 ? "takes back a vote and does not say which" : NULL;
    if (row->replaces >= row->seq)
        return "takes the place of a row that is not older";
    if (!row->same_voter)
        return "takes the place of a row that is not this voter's";
    if (row->replaced_marks == 0)
        return "takes the place of a row that was taken back";
    return NULL;
}

static bool take(struct counts *counts, uint64_t marks)
{
    bool all = true;

    for (; marks != 0; marks &= marks - 1) {
        uint64_t *votes = &counts->marks[__builtin_ctzll(marks)];

        if (*votes > 0)
            (*votes)--;
        else
            all = false;
    }
    if (counts->voters > 0)
        counts->voters--;
    else
        all = false;
    return all;
}

static void add(struct counts *counts, uint64_t marks)
{
    counts->voters++;
    for (; marks != 0; marks &= marks - 1)
        counts->marks[__builtin_ctzll(marks)]++;
}

void recount_add(struct recount *recount, const struct recount_row *row)
{
    const char *wrong = wrong_with(recount, row);

    if (wrong)
        note(recount, row->seq, wrong);
    if (row->replaces != 0 && row->replaced_marks != 0 &&
        !take(&recount->counts, row->replaced_marks))
        note(recount, row->seq, "takes back what does not stand any more");
    if (row->marks != 0)
        add(&recount->counts, row->marks);
    recount->seq = row->seq;
}

bool recount_agrees(const struct recount *recount, const struct counts *counts)
{
    return recount->counts.voters == counts->voters &&
           memcmp(recount->counts.marks, counts->marks, sizeof counts->marks) == 0;
}
