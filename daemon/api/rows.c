/*
 * api/rows.c - the rows of a poll's ledger, slice by slice.
 *
 * Threads: the loop.
 */
#include "api/rows.h"

#include <stdlib.h>

#define WORD_BITS 64

static void submit(struct rows *rows)
{
    rows->asked = true;
    queue_list_add(&rows->loop->submissions, &rows->job.node);
}

static void note_replaced(struct rows *rows)
{
    for (size_t i = 0; i < rows->scan.n; i++) {
        uint32_t seq = rows->scan.rows[i].replaces;

        if (seq > 0 && seq <= rows->scan.end)
            rows->replaced[(seq - 1) / WORD_BITS] |= UINT64_C(1) << ((seq - 1) % WORD_BITS);
    }
}

/* Behind the first slice: whether there is a pass to be made before, and room for a bit a row.
 * false: no memory. */
static bool first_pass(struct rows *rows)
{
    if (!rows->needs_standing || rows->replaced || rows->scan.all_replace_none ||
        rows->scan.end == 0)
        return true;
    rows->replaced = calloc(rows->scan.end / WORD_BITS + 1, sizeof *rows->replaced);
    rows->finds_replaced = true;
    return rows->replaced != NULL;
}

static void find_on(struct rows *rows)
{
    note_replaced(rows);
    if (rows->scan.done) {
        rows->finds_replaced = false;
        rows->scan.after = 0;
    } else {
        rows->scan.after = rows->scan.rows[rows->scan.n - 1].seq;
    }
    submit(rows);
}

static void back(struct job *job)
{
    struct rows *rows = (struct rows *)job;

    rows->asked = false;
    if (job->result == JOB_REFUSED) {
        rows->failed(rows);
    } else if (!first_pass(rows)) {
        refuse(&rows->refusal, PROBLEM_BUSY, "no memory to read the ledger; try again");
        rows->failed(rows);
    } else if (rows->finds_replaced) {
        find_on(rows);
    } else {
        rows->slice(rows);
    }
}

void rows_begin(struct rows *rows, struct api_loop *loop, uint64_t poll)
{
    rows->loop = loop;
    rows->scan.poll = poll;
    rows->job = (struct job){ .home = &loop->answers,
                              .back = back,
                              .kind = JOB_SCAN,
                              .scan = &rows->scan,
                              .refusal = &rows->refusal };
}

void rows_ask(struct rows *rows)
{
    if (rows->scan.n > 0)
        rows->scan.after = rows->scan.rows[rows->scan.n - 1].seq;
    submit(rows);
}

void rows_again(struct rows *rows)
{
    rows->scan.after = 0;
    submit(rows);
}

void rows_clear(struct rows *rows)
{
    free(rows->replaced);
    rows->replaced = NULL;
}

bool rows_stands(const struct rows *rows, const struct scanned *row)
{
    size_t bit = row->seq - 1;

    if (row->marks == 0)
        return false;
    return !rows->replaced || (rows->replaced[bit / WORD_BITS] >> (bit % WORD_BITS) & 1) == 0;
}
