/*
 * api/ballots.c - a vote as JSON.
 *
 * Threads: any loop; nothing is shared.
 */
#include "api/ballots.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool ballot_member(const char *name)
{
    return strcmp(name, "option") == 0 || strcmp(name, "options") == 0 ||
           strcmp(name, "rating") == 0;
}

static bool naming_member(const cJSON *item, const char *pointer, struct str *ret,
                          struct refusal *reterr)
{
    if (!cJSON_IsString(item))
        return refuse_member(reterr, pointer, "must be a string");
    *ret = json_string(item);
    return true;
}

bool naming_read(const cJSON *body, bool (*is_other)(const char *name), struct naming *ret_naming,
                 struct refusal *reterr)
{
    const cJSON *item;
    struct naming naming = { { NULL, 0 }, { NULL, 0 } };

    if (!cJSON_IsObject(body))
        return refuse_member(reterr, "", "must be an object");
    cJSON_ArrayForEach(item, body)
    {
        bool ok = true;
        char pointer[sizeof reterr->errors[0].where];

        if (strcmp(item->string, "voter") == 0) {
            ok = naming_member(item, "/voter", &naming.voter, reterr);
        } else if (strcmp(item->string, "token") == 0) {
            ok = naming_member(item, "/token", &naming.token, reterr);
        } else if (!is_other || !is_other(item->string)) {
            (void)snprintf(pointer, sizeof pointer, "/%s", item->string);
            ok = refuse_member(reterr, pointer, "there is no such member here");
        }
        if (!ok)
            return false;
    }
    *ret_naming = naming;
    return true;
}

static bool mark_read(const cJSON *item, const struct poll *poll, const char *pointer,
                      uint64_t *marks, struct refusal *reterr)
{
    int64_t option;

    if (!json_int64(item, &option))
        return refuse_member(reterr, pointer, "must be a whole number");
    if (option < 1 || (uint64_t)option > poll->n_options)
        return refuse_member(reterr, pointer, "must be 1 to %zu", poll->n_options);
    if (*marks & ballot_mark((unsigned)option))
        return refuse_member(reterr, pointer, "option %" PRId64 " stands twice", option);
    *marks |= ballot_mark((unsigned)option);
    return true;
}

static bool marks_read(const cJSON *list, const struct poll *poll, uint64_t *marks,
                       struct refusal *reterr)
{
    const cJSON *item;
    unsigned at = 0;

    if (!cJSON_IsArray(list))
        return refuse_member(reterr, "/options", "must be a list of option numbers");
    cJSON_ArrayForEach(item, list)
    {
        char pointer[32];

        (void)snprintf(pointer, sizeof pointer, "/options/%u", at++);
        if (!mark_read(item, poll, pointer, marks, reterr))
            return false;
    }
    return true;
}

bool choice_read(const cJSON *body, const struct poll *poll, uint64_t *ret_marks,
                 struct refusal *reterr)
{
    const cJSON *option = json_member(body, "option");
    const cJSON *options = json_member(body, "options");
    const cJSON *rating = json_member(body, "rating");
    const char *pointer = option ? "/option" : rating ? "/rating" : "/options";
    uint64_t marks = 0;
    bool ok;

    if ((option != NULL) + (options != NULL) + (rating != NULL) != 1)
        return refuse_member(reterr, "", "exactly one of option, options and rating is needed");
    if (rating && poll->kind != POLL_RATING)
        return refuse_member(reterr, "/rating", "this poll is no rating: send option or options");
    ok = options ? marks_read(options, poll, &marks, reterr)
                 : mark_read(option ? option : rating, poll, pointer, &marks, reterr);
    if (!ok || !ballot_marks_ok(poll, marks, pointer, reterr))
        return false;
    *ret_marks = marks;
    return true;
}

void options_render(uint64_t marks, char between, struct buf *out)
{
    bool first = true;

    for (unsigned option = 1; option <= OPTIONS_MAX && marks >> ballot_index(option) != 0;
         option++) {
        if (!(marks & ballot_mark(option)))
            continue;
        if (!first)
            buf_char(out, between);
        buf_uint(out, option);
        first = false;
    }
}
