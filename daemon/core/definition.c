/*
 * core/definition.c - edits of a poll's definition, and how the ledger gets one back.
 *
 * An edit makes a new poll out of the body and the current poll, then asks whether it may take the
 * current one's place.
 *
 * Threads: any; nothing is shared.
 */
#include "core/definition.h"

#include <stdlib.h>
#include <string.h>

#include "core/definition_parts.h"

/* What one call of edit_apply() has in hand. */
struct attempt {
    const struct edit *edit;
    const struct poll *current; /* NULL: none */
    const struct counts *counts;
    int64_t now_ms;
    struct refusal *refusal;
};

void edit_free(struct edit *edit)
{
    if (!edit)
        return;
    json_free(edit->body);
    free(edit);
}

/* A poll with the defaults, and with what a replacement keeps of the current one. */
static struct poll *poll_begin(const struct attempt *attempt)
{
    const struct poll *current = attempt->current;
    struct poll *poll = poll_new();

    if (!poll)
        return NULL;
    poll->revision = 1;
    poll->created_at_ms = attempt->now_ms;
    poll->defined_at_ms = attempt->now_ms;
    if (!current)
        return poll;
    poll->number = current->number;
    poll->revision = current->revision;
    poll->created_at_ms = current->created_at_ms;
    poll->defined_at_ms = current->defined_at_ms;
    memcpy(poll->salt, current->salt, sizeof poll->salt);
    poll->forgotten = current->forgotten;
    poll->prefix_v4 = current->prefix_v4;
    poll->prefix_v6 = current->prefix_v6;
    poll->state = current->state;
    poll->closed_at_ms = current->closed_at_ms;
    poll->carried = current->carried;
    return poll;
}

static enum edit_result read_result(bool ok, const struct reading *reading)
{
    if (reading->no_memory)
        return EDIT_NO_MEMORY;
    return ok ? EDIT_CHANGED : EDIT_REFUSED;
}

/* EDIT_CHANGED here and below: so far nothing stands against it. */
static enum edit_result whole_read(const struct attempt *attempt, const cJSON *root,
                                   struct poll **ret_poll)
{
    AUTO(poll) poll = poll_begin(attempt);
    struct reading reading = { .root = root,
                               .id = attempt->edit->id,
                               .poll = poll,
                               .now_ms = attempt->now_ms,
                               .refusal = attempt->refusal };
    enum edit_result result;

    if (!poll)
        return EDIT_NO_MEMORY;
    result = read_result(definition_read(&reading), &reading);
    if (result == EDIT_CHANGED)
        *ret_poll = TAKE(poll);
    return result;
}

/* The patch is applied to what GET shows. `carried` is not shown, so it is given whole. */
static enum edit_result patched_read(const struct attempt *attempt, const cJSON *patch,
                                     struct poll **ret_poll)
{
    AUTO_BUF shown = { 0 };
    AUTO(json) target = NULL;
    AUTO_TREE *merged = NULL;
    struct reading reading = { .root = patch, .refusal = attempt->refusal };

    /* Also those that the patch would take away: a misspelt name is better told. */
    if (!definition_members_known(&reading))
        return EDIT_REFUSED;
    definition_members_render(attempt->current, &shown);
    buf_char(&shown, '}');
    if (!buf_ok(&shown) || json_parse(buf_str(&shown), &target, NULL) != JSON_OK)
        return EDIT_NO_MEMORY;
    merged = merge_patch(json_root(target), patch);
    if (!merged)
        return EDIT_NO_MEMORY;
    return whole_read(attempt, merged, ret_poll);
}

static enum edit_result carried_put(const struct attempt *attempt, const cJSON *root,
                                    struct poll **ret_poll)
{
    AUTO(poll) poll = poll_copy(attempt->current);
    struct reading reading = { .root = root, .poll = poll, .refusal = attempt->refusal };
    enum edit_result result;

    if (!poll)
        return EDIT_NO_MEMORY;
    result = read_result(carried_body_read(&reading), &reading);
    if (result == EDIT_CHANGED)
        *ret_poll = TAKE(poll);
    return result;
}

static enum edit_result body_read(const struct attempt *attempt, struct poll **ret_poll)
{
    const cJSON *root = json_root(attempt->edit->body);

    switch (attempt->edit->kind) {
    case EDIT_PUT:
        return whole_read(attempt, root, ret_poll);
    case EDIT_PATCH:
        return patched_read(attempt, root, ret_poll);
    case EDIT_CARRIED:
        return carried_put(attempt, root, ret_poll);
    }
    return EDIT_REFUSED;
}

static bool is_in_use(const struct attempt *attempt)
{
    return attempt->counts->voters > 0 || carried_any(&attempt->current->carried);
}

/* What votes were given under stays, once there are any. */
static bool use_permits(const struct attempt *attempt, const struct poll *poll)
{
    const struct poll *current = attempt->current;
    const char *what = NULL;

    if (!is_in_use(attempt))
        return true;
    if (poll->kind != current->kind)
        what = "kind";
    else if (poll->kind == POLL_RATING && poll->n_options != current->n_options)
        what = "scale";
    else if (poll->voters != current->voters)
        what = "voters";
    else if (poll->n_options < current->n_options)
        what = "the number of options (it may only grow)";
    else if (poll->max_choices < current->max_choices)
        what = "max_choices (it may only grow)";
    if (!what)
        return true;
    return refuse(attempt->refusal, PROBLEM_OPTIONS_IN_USE,
                  "there are votes in this poll, so this cannot change: %s", what);
}

/* A patch that names `state` asks for it, even where it was set so before and time closed it. */
static bool asks_to_open(const struct attempt *attempt)
{
    const cJSON *state = json_member(json_root(attempt->edit->body), "state");

    return attempt->edit->kind == EDIT_PATCH && str_eq(json_string(state), STR("open"));
}

static bool opening_permitted(const struct attempt *attempt, const struct poll *poll)
{
    const struct poll *current = attempt->current;
    bool opens =
        asks_to_open(attempt) || (current->state == STATE_CLOSED && poll->state == STATE_OPEN);
    enum poll_phase phase = poll_phase(poll, attempt->now_ms);

    if (current->forgotten && (opens || phase != PHASE_CLOSED))
        return refuse(attempt->refusal, PROBLEM_POLL_FORGOTTEN,
                      "who voted in this poll was forgotten, so it never opens again");
    if (opens && phase == PHASE_CLOSED)
        return refuse(attempt->refusal, PROBLEM_POLL_CLOSED,
                      "its closes_at has passed; move closes_at to open it");
    return true;
}

/* All that a definition says stands in what the ledger keeps of it.   false: no memory */
static bool definitions_compare(const struct poll *a, const struct poll *b, bool *ret_same)
{
    AUTO_BUF stored_a = { 0 };
    AUTO_BUF stored_b = { 0 };

    definition_store(a, &stored_a);
    definition_store(b, &stored_b);
    *ret_same = str_eq(buf_str(&stored_a), buf_str(&stored_b));
    return buf_ok(&stored_a) && buf_ok(&stored_b);
}

/* Whether readers of the tally see that `b` took the place of `a`. max_choices tells what percents
 * are of. */
static bool is_seen(const struct poll *a, const struct poll *b, int64_t now_ms)
{
    if (a->kind != b->kind || a->n_options != b->n_options || a->results != b->results ||
        (a->max_choices > 1) != (b->max_choices > 1) || !text_eq(&a->title, &b->title) ||
        poll_phase(a, now_ms) != poll_phase(b, now_ms) || !carried_eq(&a->carried, &b->carried))
        return true;
    for (size_t i = 0; i < a->n_options; i++) {
        if (!text_eq(&a->labels[i], &b->labels[i]))
            return true;
    }
    return false;
}

static bool sums_fit(const struct attempt *attempt, const struct poll *poll)
{
    static const struct counts none;

    if (counts_fit(poll, attempt->counts ? attempt->counts : &none))
        return true;
    return refuse_member(attempt->refusal, attempt->edit->kind == EDIT_CARRIED ? "" : "/carried",
                         "with the votes there are, the sums are too large to count");
}

/* Whether what was read may take the current poll's place; numbers it as the next revision. */
static enum edit_result replacement_check(const struct attempt *attempt, struct poll *poll)
{
    bool same;

    if (!use_permits(attempt, poll) || !opening_permitted(attempt, poll))
        return EDIT_REFUSED;
    if (!definitions_compare(attempt->current, poll, &same))
        return EDIT_NO_MEMORY;
    if (same)
        return EDIT_UNCHANGED;
    poll->revision++;
    poll->defined_at_ms = attempt->now_ms;
    return EDIT_CHANGED;
}

enum edit_result edit_apply(const struct edit *edit, const struct poll *current,
                            const struct counts *counts, int64_t now_ms, struct poll **ret_poll,
                            bool *ret_seen, struct refusal *reterr)
{
    const struct attempt attempt = { edit, current, counts, now_ms, reterr };
    AUTO(poll) poll = NULL;
    enum edit_result result;

    if (reterr)
        *reterr = (struct refusal){ 0 };
    if (!current && edit->kind != EDIT_PUT) {
        (void)refuse(reterr, PROBLEM_NO_SUCH_POLL, "there is no poll %s", edit->id);
        return EDIT_REFUSED;
    }
    if (current && edit->create_only) {
        (void)refuse(reterr, PROBLEM_PRECONDITION_EXISTS, "there is a poll %s", edit->id);
        return EDIT_REFUSED;
    }
    result = body_read(&attempt, &poll);
    if (result != EDIT_CHANGED)
        return result;
    if (!sums_fit(&attempt, poll))
        return EDIT_REFUSED;
    result = current ? replacement_check(&attempt, poll) : EDIT_CREATED;
    if (result != EDIT_CREATED && result != EDIT_CHANGED)
        return result;
    if (result == EDIT_CHANGED)
        *ret_seen = is_seen(current, poll, now_ms);
    *ret_poll = TAKE(poll);
    return result;
}

/* The members that only the ledger knows. */
static bool stored_members_read(struct reading *reading)
{
    struct poll *poll = reading->poll;
    const struct {
        const char *name;
        int64_t *ret_n;
    } moments[] = { { "created_at_ms", &poll->created_at_ms },
                    { "defined_at_ms", &poll->defined_at_ms },
                    { "closed_at_ms", &poll->closed_at_ms } };
    int64_t revision = 1;

    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        if (!integer_read(reading, json_member(reading->root, moments[i].name), moments[i].name,
                          INT64_MIN, INT64_MAX, moments[i].ret_n))
            return false;
    }
    if (!integer_read(reading, json_member(reading->root, "revision"), "revision", 1, INT64_MAX,
                      &revision))
        return false;
    poll->revision = (uint64_t)revision;
    return true;
}

struct poll *definition_load(struct str stored, struct why *reterr_why)
{
    AUTO(json) json = NULL;
    AUTO(poll) poll = poll_new();
    struct refusal refusal = { 0 };
    struct reading reading = { .stored = true, .poll = poll, .refusal = &refusal };

    if (!poll)
        return why_set(reterr_why, "no memory");
    switch (json_parse(stored, &json, reterr_why)) {
    case JSON_BAD:
        return NULL;
    case JSON_NO_MEMORY:
        return why_set(reterr_why, "no memory");
    case JSON_OK:
        break;
    }
    reading.root = json_root(json);
    if (!definition_read(&reading) || !stored_members_read(&reading))
        return why_set(reterr_why, "%s: %s", refusal.n_errors > 0 ? refusal.errors[0].where : "",
                       reading.no_memory ? "no memory" : refusal.detail);
    return TAKE(poll);
}
