/*
 * fuzz/definition_fuzz.c - any bytes as what an admin sends about a poll.
 *
 * Up to three bodies, with a NUL between them: a PUT that makes the poll, a PATCH, a PUT of carried
 * counts. What is taken is kept by the ledger and comes back the same; what GET would show may be
 * PUT back and changes nothing; what is refused says why in words that may be sent.
 */
#include "core/definition.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define NOW_MS INT64_C(1780000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(const struct refusal *refusal)
{
    assert(refusal->problem != PROBLEM_NONE && refusal->n_errors <= REFUSAL_ERRORS_MAX);
    assert(refusal->detail[0] && utf8_valid(str_of(refusal->detail)));
    for (size_t i = 0; i < refusal->n_errors; i++) {
        assert(utf8_valid(str_of(refusal->errors[i].where)));
        assert(utf8_valid(str_of(refusal->errors[i].detail)));
    }
}

static enum edit_result apply(enum edit_kind kind, struct str body, const struct poll *current,
                              struct poll **ret_poll)
{
    static const struct counts none = { .version = 1 };
    struct edit edit = { .kind = kind, .id = "p" };
    struct refusal refusal = { .problem = PROBLEM_NONE };
    enum edit_result result;
    bool seen;

    if (json_parse(body, &edit.body, NULL) != JSON_OK)
        return EDIT_REFUSED;
    result = edit_apply(&edit, current, current ? &none : NULL, NOW_MS, ret_poll, &seen, &refusal);
    if (result == EDIT_REFUSED)
        check_refusal(&refusal);
    json_free(edit.body);
    return result;
}

static bool same_or_both_absent(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* By what it means, not by what is stored: that may have lost something both times. */
static void check_same(const struct poll *a, const struct poll *b)
{
    assert(strcmp(a->id, b->id) == 0 && a->revision == b->revision && a->kind == b->kind);
    assert(a->n_options == b->n_options && text_eq(&a->title, &b->title));
    for (size_t i = 0; i < OPTIONS_MAX; i++)
        assert(text_eq(&a->labels[i], &b->labels[i]));
    assert(a->min_choices == b->min_choices && a->max_choices == b->max_choices);
    assert(a->revote == b->revote && a->again_after_s == b->again_after_s);
    assert(a->results == b->results && a->voters == b->voters && a->state == b->state);
    assert(a->per_address == b->per_address && a->closed_at_ms == b->closed_at_ms);
    assert(a->opens_at_ms == b->opens_at_ms && a->closes_at_ms == b->closes_at_ms);
    assert(a->created_at_ms == b->created_at_ms && a->defined_at_ms == b->defined_at_ms);
    assert(same_or_both_absent(a->about.type, b->about.type));
    assert(same_or_both_absent(a->about.name, b->about.name));
    assert(same_or_both_absent(a->about.url, b->about.url));
    assert(memcmp(a->carried.marks, b->carried.marks, sizeof a->carried.marks) == 0);
    assert(a->carried.voters == b->carried.voters && a->carried.sum_only == b->carried.sum_only);
    assert(a->carried.count == b->carried.count && a->carried.sum == b->carried.sum);
}

static void check_kept(const struct poll *poll)
{
    AUTO_BUF stored = { 0 };
    AUTO_BUF again = { 0 };
    AUTO(poll) loaded = NULL;
    struct why why = { "" };

    definition_store(poll, &stored);
    assert(buf_ok(&stored));
    loaded = definition_load(buf_str(&stored), &why);
    assert(loaded);
    check_same(poll, loaded);
    definition_store(loaded, &again);
    assert(str_eq(buf_str(&stored), buf_str(&again)));
}

static void check_put_back(const struct poll *poll)
{
    AUTO_BUF shown = { 0 };
    struct poll *other = NULL;

    definition_render(poll, NOW_MS, &shown);
    buf_text(&shown, ",\"tally\":null}");
    assert(buf_ok(&shown));
    assert(apply(EDIT_PUT, buf_str(&shown), poll, &other) == EDIT_UNCHANGED);
}

static void check_tally(const struct poll *poll)
{
    static const struct counts none = { .version = 1 };
    struct tally tally;
    unsigned percents = 0;
    uint64_t marks = 0;

    assert(counts_fit(poll, &none));
    tally_work_out(poll, &none, &tally);
    for (size_t i = 0; i < tally.n_options; i++) {
        percents += tally.options[i].percent;
        marks += tally.options[i].votes;
    }
    if (poll->max_choices == 1)
        assert(percents == (marks > 0 ? 100 : 0));
    assert(!tally.rated ||
           (tally.rating_hundredths >= 100 && tally.rating_hundredths <= poll->n_options * 100));
}

static void check_poll(const struct poll *poll)
{
    check_kept(poll);
    check_put_back(poll);
    check_tally(poll);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum edit_kind kinds[] = { EDIT_PUT, EDIT_PATCH, EDIT_CARRIED };
    struct str rest = { (const char *)data, size };
    struct str body;
    struct poll *poll = NULL;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && str_next(&rest, '\0', &body); i++) {
        struct poll *next = NULL;
        enum edit_result result = apply(kinds[i], body, poll, &next);

        if (!poll && result != EDIT_CREATED)
            return 0;
        if (result == EDIT_CREATED || result == EDIT_CHANGED) {
            assert(next && (!poll || next->revision == poll->revision + 1));
            poll_free(poll);
            poll = next;
            check_poll(poll);
        }
    }
    poll_free(poll);
    return 0;
}
