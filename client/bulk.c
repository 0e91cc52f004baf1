/*
 * bulk.c - the answers to votes in bulk, a line of NDJSON each.
 *
 * Threads: any; nothing is shared.
 */
#include "bulk.h"

#include <stddef.h>

#include "json.h"

#define DIGITS_MAX 18 /* as many fit a uint64_t, whatever they are */

static const struct bulk_answer nonsense = { .result = BULK_NONSENSE };

static const struct {
    struct str name;
    enum bulk_result result;
} results[BULK_RESULTS] = {
    { STR("\"counted\""), BULK_COUNTED },
    { STR("\"already\""), BULK_ALREADY },
    { STR("\"changed\""), BULK_CHANGED },
};

/* {"line":17,"result":"counted" and so on; false: it is written in another way. */
static bool usual_read(struct str line, struct bulk_answer *ret_answer)
{
    const struct str before = STR("{\"line\":");
    const struct str between = STR(",\"result\":");
    size_t at = before.len;
    uint64_t number = 0;

    if (!str_starts(line, before))
        return false;
    while (at < line.len && line.at[at] >= '0' && line.at[at] <= '9' &&
           at < before.len + DIGITS_MAX)
        number = number * 10 + (uint64_t)(line.at[at++] - '0');
    if (at == before.len || !str_starts(str_from(line, at), between) ||
        line.at[line.len - 1] != '}')
        return false;
    line = str_from(line, at + between.len);
    for (size_t i = 0; i < BULK_RESULTS; i++) {
        if (str_starts(line, results[i].name)) {
            *ret_answer = (struct bulk_answer){ .result = results[i].result, .line = number };
            return true;
        }
    }
    return false;
}

/* A piece of JSON that is a whole number. */
static bool number_read(struct str value, uint64_t max, uint64_t *ret_number)
{
    return json_is_number(value) && str_uint64(value, max, ret_number);
}

static struct bulk_answer refusal_read(struct str json, uint64_t line)
{
    struct bulk_answer answer = { .result = BULK_REFUSED, .line = line };
    uint64_t status;

    if (!number_read(json_member(json, "status"), 999, &status))
        return nonsense;
    answer.status = (unsigned)status;
    if (status == 503 || status == 429)
        answer.result = BULK_AGAIN;
    answer.why = json_member(json, "detail");
    if (!json_is_string(answer.why))
        answer.why = json_member(json, "error");
    return answer;
}

struct bulk_answer bulk_answer_read(struct str line)
{
    struct bulk_answer answer;
    struct str json;
    struct str result;
    uint64_t number;

    if (usual_read(line, &answer))
        return answer;
    if (!json_read(line, &json) || !number_read(json_member(json, "line"), INT64_MAX, &number))
        return nonsense;
    result = json_member(json, "result");
    for (size_t i = 0; i < BULK_RESULTS; i++) {
        if (str_eq(result, results[i].name))
            return (struct bulk_answer){ .result = results[i].result, .line = number };
    }
    return refusal_read(json, number);
}
