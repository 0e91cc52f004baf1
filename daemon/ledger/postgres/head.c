/*
 * ledger/postgres/head.c - a row of the table tally.
 *
 * Threads: the writer; main while the store opens.
 */
#include "ledger/postgres/head.h"

/* Whether each number is one that a tally can have. */
static bool is_sound(const struct head *head, int64_t seq)
{
    return head->number > 0 && head->number <= INT64_MAX && head->revision <= INT64_MAX &&
           head->phase <= PHASE_CLOSED && seq >= 0 && seq <= UINT32_MAX &&
           head->counts.voters <= INT64_MAX && head->counts.version <= INT64_MAX;
}

bool head_read(const PGresult *result, int row, struct head *ret_head)
{
    struct head head = { .number = (uint64_t)value_int(result, row, 0),
                         .revision = (uint64_t)value_int(result, row, 1),
                         .deleted = value_int(result, row, 2) != 0,
                         .forgotten = value_int(result, row, 3) != 0,
                         .phase = (enum poll_phase)value_int(result, row, 4),
                         .counts = { .voters = (uint64_t)value_int(result, row, 6),
                                     .version = (uint64_t)value_int(result, row, 7),
                                     .updated_at_ms = value_int(result, row, 8) } };
    int64_t seq = value_int(result, row, 5);

    if (!is_sound(&head, seq) || value_ints(result, row, 9, head.counts.marks, OPTIONS_MAX) < 0)
        return false;
    head.seq = (uint32_t)seq;
    *ret_head = head;
    return true;
}

bool head_fits(const struct head *head, const struct poll *poll)
{
    uint64_t marks = 0;

    for (size_t i = 0; i < OPTIONS_MAX; i++) {
        if (head->counts.marks[i] > INT64_MAX || (i >= poll->n_options && head->counts.marks[i]))
            return false;
        marks += head->counts.marks[i];
    }
    if (poll->max_choices == 1 ? marks != head->counts.voters : marks < head->counts.voters)
        return false;
    return counts_fit(poll, &head->counts);
}
