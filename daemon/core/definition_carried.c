/*
 * core/definition_carried.c - counts brought over from an older system, on the way in.
 *
 * Threads: any; nothing is shared.
 */
#include "core/definition_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/ckd.h"
#include "core/json.h"

bool carried_any(const struct carried *carried)
{
    uint64_t any = carried->voters | carried->count;

    for (size_t i = 0; i < OPTIONS_MAX; i++)
        any |= carried->marks[i];
    return any > 0;
}

bool carried_eq(const struct carried *a, const struct carried *b)
{
    return memcmp(a->marks, b->marks, sizeof a->marks) == 0 && a->voters == b->voters &&
           a->sum_only == b->sum_only && a->count == b->count && a->sum == b->sum;
}

/* Their sum was checked when they were let in. */
static uint64_t marks_sum(const struct carried *carried)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < OPTIONS_MAX; i++)
        sum += carried->marks[i];
    return sum;
}

static uint64_t marks_most(const struct carried *carried)
{
    uint64_t most = 0;

    for (size_t i = 0; i < OPTIONS_MAX; i++) {
        if (carried->marks[i] > most)
            most = carried->marks[i];
    }
    return most;
}

/* Only where several options may be chosen do the marks not say how many people made them. */
static bool voters_read(struct reading *reading, const cJSON *voters, const char *pointer,
                        struct carried *carried)
{
    uint64_t marks = marks_sum(carried);
    int64_t n = (int64_t)marks;

    if (!voters && reading->poll->max_choices > 1 && marks > 0)
        return refuse_member(reading->refusal, pointer,
                             "say how many people voted, where one may choose several options");
    if (!integer_read(reading, voters, pointer, 0, INT64_MAX, &n))
        return false;
    if (reading->poll->max_choices == 1 && (uint64_t)n != marks)
        return refuse_member(reading->refusal, pointer,
                             "with one choice each, there are as many voters as votes: %" PRIu64,
                             marks);
    if ((uint64_t)n > marks || (n == 0 && marks > 0))
        return refuse_member(reading->refusal, pointer,
                             "%" PRId64 " people cannot make %" PRIu64 " marks", n, marks);
    carried->voters = (uint64_t)n;
    /* However many options one may choose now, or might when these were counted, each is chosen
     * once. What the ledger holds may be older than this rule: it stays, and may be sent again. */
    if (!reading->stored && (uint64_t)n < marks_most(carried) &&
        !carried_eq(&reading->poll->carried, carried))
        return refuse_member(reading->refusal, pointer,
                             "%" PRId64 " people cannot choose one option %" PRIu64 " times", n,
                             marks_most(carried));
    return true;
}

static bool marks_read(struct reading *reading, const cJSON *array, const char *pointer,
                       struct carried *ret_carried)
{
    struct carried carried = { 0 };
    int64_t sum = 0;
    const cJSON *item;
    size_t i = 0;

    if (!cJSON_IsArray(array) || (size_t)cJSON_GetArraySize(array) != reading->poll->n_options)
        return refuse_member(reading->refusal, pointer, "give one count for each of %zu options",
                             reading->poll->n_options);
    cJSON_ArrayForEach(item, array)
    {
        char where[POINTER_BYTES_MAX];
        int64_t n = 0;

        (void)snprintf(where, sizeof where, "%s/%zu", pointer, i);
        if (!integer_read(reading, item, where, 0, INT64_MAX, &n))
            return false;
        if (ckd_add(&sum, sum, n))
            return refuse_member(reading->refusal, where, "the counts add up to more than %" PRId64,
                                 INT64_MAX);
        carried.marks[i++] = (uint64_t)n;
    }
    *ret_carried = carried;
    return true;
}

static bool is_mean_possible(int64_t count, int64_t sum, size_t scale)
{
    int64_t most;

    if (ckd_mul(&most, count, scale))
        most = INT64_MAX;
    return sum >= count && sum <= most;
}

/* `{"count":2,"sum":10}` at `pointer`, for a rating whose single stars are not known. */
static bool sum_read(struct reading *reading, const cJSON *object, const char *pointer,
                     struct carried *ret_carried)
{
    static const char *const names[] = { "count", "sum", NULL };
    const cJSON *count = json_member(object, "count");
    const cJSON *sum = json_member(object, "sum");
    char where[POINTER_BYTES_MAX];
    int64_t n_count = 0;
    int64_t n_sum = 0;

    if (!members_known(reading, object, pointer, names))
        return false;
    if (!count || !sum)
        return refuse_member(reading->refusal, pointer, "give both count and sum");
    (void)snprintf(where, sizeof where, "%s/count", pointer);
    if (!integer_read(reading, count, where, 0, INT64_MAX, &n_count))
        return false;
    (void)snprintf(where, sizeof where, "%s/sum", pointer);
    if (!integer_read(reading, sum, where, 0, INT64_MAX, &n_sum))
        return false;
    if (!is_mean_possible(n_count, n_sum, reading->poll->n_options))
        return refuse_member(reading->refusal, where,
                             "%" PRId64 " ratings of 1 to %zu cannot add up to %" PRId64, n_count,
                             reading->poll->n_options, n_sum);
    *ret_carried = (struct carried){ .voters = (uint64_t)n_count,
                                     .sum_only = n_count > 0,
                                     .count = (uint64_t)n_count,
                                     .sum = (uint64_t)n_sum };
    return true;
}

bool carried_read(struct reading *reading)
{
    const cJSON *item = json_member(reading->root, "carried");
    const cJSON *voters = json_member(reading->root, "carried_voters");
    struct carried carried = reading->poll->carried;

    if (!item && !voters)
        return true; /* as it was */
    if (cJSON_IsObject(item) && reading->poll->kind == POLL_RATING) {
        if (voters)
            return refuse_member(reading->refusal, "/carried_voters",
                                 "count already says how many voted");
        return sum_read(reading, item, "/carried", &reading->poll->carried);
    }
    if (item && !marks_read(reading, item, "/carried", &carried))
        return false;
    if (carried.sum_only)
        return refuse_member(reading->refusal, "/carried_voters",
                             "count already says how many voted");
    if (!voters_read(reading, voters, "/carried_voters", &carried))
        return false;
    reading->poll->carried = carried;
    return true;
}

bool carried_body_read(struct reading *reading)
{
    static const char *const names[] = { "votes", "voters", NULL };
    const cJSON *votes = json_member(reading->root, "votes");
    const cJSON *voters = json_member(reading->root, "voters");
    struct carried carried = { .sum_only = false };

    if (!cJSON_IsObject(reading->root))
        return refuse_member(reading->refusal, "", "give an object with the member votes");
    if (reading->poll->kind == POLL_RATING && !votes)
        return sum_read(reading, reading->root, "", &reading->poll->carried);
    if (!members_known(reading, reading->root, "", names))
        return false;
    if (voters && reading->poll->max_choices == 1)
        return refuse_member(reading->refusal, "/voters",
                             "only where one may choose several options");
    if (!marks_read(reading, votes, "/votes", &carried) ||
        !voters_read(reading, voters, "/voters", &carried))
        return false;
    reading->poll->carried = carried;
    return true;
}
