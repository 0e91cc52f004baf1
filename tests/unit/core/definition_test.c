/*
 * unit/core/definition_test.c - PUT, PATCH and carried edits, what GET shows, what the ledger
 * keeps.
 */
#include "core/definition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1795423212345) /* 2026-11-23T08:40:12.345Z */
#define LATER_MS (NOW_MS + 60000)

#define CHOICE                                                                                     \
    "{\"title\":\"T\",\"options\":[{\"label\":\"a\"},{\"label\":\"b\"},{\"label\":\"c\"}]}"
#define SEVERAL                                                                                    \
    "{\"title\":\"T\",\"options\":[{\"label\":\"a\"},{\"label\":\"b\"},{\"label\":\"c\"}],"        \
    "\"max_choices\":2}"
#define RATING "{\"title\":\"T\",\"kind\":\"rating\"}"

/* What came out of one edit. */
struct outcome {
    enum edit_result result;
    bool seen;
    struct refusal refusal;
};

/* Replaces *poll by what the edit makes of it. */
static struct outcome apply_to(struct poll **poll, enum edit_kind kind, bool create_only,
                               const char *body, const struct counts *counts, int64_t now_ms)
{
    static const struct counts none;
    struct edit edit = { .kind = kind, .create_only = create_only, .id = "p" };
    struct outcome outcome = { .result = EDIT_REFUSED };
    struct poll *made = NULL;
    struct why why = { "" };

    if (json_parse(str_of(body), &edit.body, &why) != JSON_OK)
        fail_msg("%s: %s", body, why.text);
    if (*poll && !counts)
        counts = &none;
    outcome.result = edit_apply(&edit, *poll, *poll ? counts : NULL, now_ms, &made, &outcome.seen,
                                &outcome.refusal);
    json_free(edit.body);
    if (made) {
        poll_free(*poll);
        *poll = made;
    }
    return outcome;
}

static struct outcome apply(struct poll **poll, enum edit_kind kind, const char *body)
{
    return apply_to(poll, kind, false, body, NULL, LATER_MS);
}

static struct poll *made_from(const char *body)
{
    struct poll *poll = NULL;
    struct outcome outcome = apply_to(&poll, EDIT_PUT, false, body, NULL, NOW_MS);

    if (outcome.result != EDIT_CREATED)
        fail_msg("%s: %s", body, outcome.refusal.detail);
    assert_non_null(poll);
    return poll;
}

static void shown_is(const struct poll *poll, const char *expected)
{
    AUTO_BUF shown = { 0 };

    definition_render(poll, NOW_MS + 5000, &shown);
    buf_char(&shown, '\0');
    assert_true(buf_ok(&shown));
    assert_string_equal(shown.bytes, expected);
}

static void a_title_and_options_are_enough(void **state)
{
    AUTO(poll) poll = made_from(CHOICE);

    (void)state;
    shown_is(poll,
             "{\"id\":\"p\",\"kind\":\"choice\",\"title\":\"T\",\"options\":[{\"label\":\"a\"},"
             "{\"label\":\"b\"},{\"label\":\"c\"}],\"min_choices\":1,\"max_choices\":1,"
             "\"revote\":false,\"again_after\":0,\"results\":\"always\",\"voters\":\"token\","
             "\"per_address\":0,\"opens_at\":null,\"closes_at\":null,\"state\":\"open\","
             "\"about\":null,\"created_at\":\"2026-11-23T08:40:12Z\","
             "\"updated_at\":\"2026-11-23T08:40:17Z\"");
    assert_int_equal(poll->revision, 1);
    assert_int_equal(poll->number, 0);
}

static void everything_that_is_given_is_shown(void **state)
{
    AUTO(poll) rating = made_from(
        "{\"id\":\"p\",\"kind\":\"rating\",\"title\":{\"en\":\"R\",\"ru\":\"\xD0\xA0\"},"
        "\"scale\":10,\"min_choices\":1,\"max_choices\":1,\"revote\":true,"
        "\"again_after\":86400,\"results\":\"after_close\",\"voters\":\"account\","
        "\"per_address\":9223372036854775807,\"opens_at\":\"2026-11-23T11:40:12.9+03:00\","
        "\"closes_at\":\"2027-01-01T00:00:00Z\",\"state\":\"closed\",\"about\":{\"url\":"
        "\"https://example.org/\",\"type\":\"Article\",\"name\":\"N\"},\"tally\":{},"
        "\"created_at\":1,\"updated_at\":[]}");
    static const char shown[] =
        "{\"id\":\"p\",\"kind\":\"rating\",\"title\":{\"en\":\"R\",\"ru\":\"\xD0\xA0\"},"
        "\"scale\":10,\"min_choices\":1,\"max_choices\":1,\"revote\":true,\"again_after\":86400,"
        "\"results\":\"after_close\",\"voters\":\"account\",\"per_address\":9223372036854775807,"
        "\"opens_at\":\"2026-11-23T08:40:12Z\",\"closes_at\":\"2027-01-01T00:00:00Z\","
        "\"state\":\"closed\",\"about\":{\"type\":\"Article\",\"name\":\"N\",\"url\":"
        "\"https://example.org/\"},\"created_at\":\"2026-11-23T08:40:12Z\","
        "\"updated_at\":\"2026-11-23T08:40:17Z\"";

    (void)state;
    shown_is(rating, shown);
    assert_true(rating->closed_at_ms == NOW_MS);
}

static void a_wrong_definition_is_422_with_a_pointer(void **state)
{
    static const struct {
        const char *body;
        const char *pointer;
    } rows[] = {
        { "[]", "" },
        { "7", "" },
        { "{\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}]}", "/title" },
        { "{\"title\":\"T\"}", "/options" },
        { "{\"title\":\"T\",\"options\":{}}", "/options" },
        { "{\"title\":\"T\",\"options\":[{\"label\":\"a\"}]}", "/options" },
        { "{\"title\":\"T\",\"options\":[{\"label\":\"a\"},\"b\"]}", "/options/1" },
        { "{\"title\":\"T\",\"options\":[{\"label\":\"a\"},{}]}", "/options/1/label" },
        { "{\"title\":\"T\",\"options\":[{\"label\":\"a\"},{\"label\":2}]}", "/options/1/label" },
        { "{\"title\":\"T\",\"options\":[{\"label\":\"a\"},{\"label\":\"b\",\"x\":1}]}",
          "/options/1/x" },
        { "{\"title\":\"T\",\"options\":[{\"label\":\"a\"},{\"label\":{\"en\":\"\"}}]}",
          "/options/1/label/en" },
        { "{\"title\":\"\",\"kind\":\"rating\"}", "/title" },
        { "{\"title\":null,\"kind\":\"rating\"}", "/title" },
        { "{\"title\":{},\"kind\":\"rating\"}", "/title" },
        { "{\"title\":\"a\\nb\",\"kind\":\"rating\"}", "/title" },
        { "{\"title\":\"a\\u0085b\",\"kind\":\"rating\"}", "/title" },
        { "{\"title\":{\"e n\":\"T\"},\"kind\":\"rating\"}", "/title" },
        { "{\"title\":{\"en\":\"T\",\"EN\":\"T\"},\"kind\":\"rating\"}", "/title/EN" },
        { "{\"title\":\"T\",\"kind\":\"poll\"}", "/kind" },
        { "{\"title\":\"T\",\"kind\":1}", "/kind" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"scale\":1}", "/scale" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"scale\":11}", "/scale" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"scale\":5.0}", "/scale" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"options\":[]}", "/options" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"max_choices\":2}", "/max_choices" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"min_choices\":2}", "/min_choices" },
        { "{\"title\":\"T\",\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}],\"scale\":5}",
          "/scale" },
        { "{\"title\":\"T\",\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}],\"max_choices\":3}",
          "/max_choices" },
        { "{\"title\":\"T\",\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}],\"min_choices\":2}",
          "/min_choices" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"min_choices\":0}", "/min_choices" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"revote\":1}", "/revote" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"again_after\":-1}", "/again_after" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"again_after\":1000000001}", "/again_after" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"results\":\"never\"}", "/results" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"voters\":\"everybody\"}", "/voters" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"per_address\":9223372036854775808}",
          "/per_address" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"opens_at\":0}", "/opens_at" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"closes_at\":\"tomorrow\"}", "/closes_at" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"opens_at\":\"2026-11-23T08:40:12Z\","
          "\"closes_at\":\"2026-11-23T11:40:12+03:00\"}",
          "/closes_at" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"state\":\"scheduled\"}", "/state" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"about\":7}", "/about" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"about\":{\"id\":7}}", "/about/id" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"about\":{\"name\":7}}", "/about/name" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"about\":{\"url\":\"javascript:1\"}}",
          "/about/url" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"id\":\"q\"}", "/id" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"id\":7}", "/id" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"a/b~c\":7}", "/a~1b~0c" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"version\":1}", "/version" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"closed_at_ms\":1}", "/closed_at_ms" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"carried\":[1,2]}", "/carried" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"carried\":null}", "/carried" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"carried\":[1,2,3,4,-5]}", "/carried/4" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"carried\":[1,2,3,4,5.0]}", "/carried/4" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"carried\":[9223372036854775807,1,0,0,0]}",
          "/carried/1" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"carried\":[0,0,0,0,9223372036854775807]}",
          "/carried" }, /* the sum of stars */
        { "{\"title\":\"T\",\"kind\":\"rating\",\"carried\":{\"count\":2}}", "/carried" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"carried\":{\"count\":2,\"sum\":1}}",
          "/carried/sum" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"carried\":{\"count\":2,\"sum\":11}}",
          "/carried/sum" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"carried\":{\"count\":0,\"sum\":1}}",
          "/carried/sum" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"carried\":{\"count\":1,\"sum\":1,\"x\":0}}",
          "/carried/x" },
        { "{\"title\":\"T\",\"kind\":\"rating\",\"carried\":[0,0,0,0,2],\"carried_voters\":3}",
          "/carried_voters" },
        { "{\"title\":\"T\",\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}],\"carried\":"
          "{\"count\":1,\"sum\":1}}",
          "/carried" },
        { "{\"title\":\"T\",\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}],\"max_choices\":2,"
          "\"carried\":[1,2]}",
          "/carried_voters" },
        { "{\"title\":\"T\",\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}],\"max_choices\":2,"
          "\"carried\":[1,2],\"carried_voters\":4}",
          "/carried_voters" },
        { "{\"title\":\"T\",\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}],\"max_choices\":2,"
          "\"carried\":[5,1],\"carried_voters\":4}",
          "/carried_voters" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(poll) poll = NULL;
        struct outcome outcome = apply(&poll, EDIT_PUT, rows[i].body);

        if (outcome.result != EDIT_REFUSED || outcome.refusal.problem != PROBLEM_INVALID)
            fail_msg("%s: result %d, problem %d", rows[i].body, (int)outcome.result,
                     (int)outcome.refusal.problem);
        if (outcome.refusal.n_errors != 1 ||
            strcmp(outcome.refusal.errors[0].where, rows[i].pointer) != 0)
            fail_msg("%s: %zu errors, the first at %s", rows[i].body, outcome.refusal.n_errors,
                     outcome.refusal.errors[0].where);
    }
}

static void all_that_is_wrong_is_told_at_once(void **state)
{
    AUTO(poll) poll = NULL;
    struct outcome outcome = apply(&poll, EDIT_PUT, "{\"x\":1,\"revote\":2,\"state\":3}");

    (void)state;
    assert_int_equal(outcome.refusal.n_errors, 5); /* and title, options */
}

/* A text of `len` bytes in a definition of `options` options. */
static enum edit_result put_sized(size_t title_len, size_t label_len, unsigned options)
{
    AUTO(poll) poll = NULL;
    AUTO_BUF body = { 0 };

    buf_text(&body, "{\"title\":\"");
    for (size_t i = 0; i < title_len; i++)
        buf_char(&body, 't');
    for (unsigned i = 0; i < options; i++) {
        buf_text(&body, i == 0 ? "\",\"options\":[{\"label\":\"" : ",{\"label\":\"");
        for (size_t k = 0; k < label_len; k++)
            buf_char(&body, 'l');
        buf_text(&body, "\"}");
    }
    buf_text(&body, "]}");
    buf_char(&body, '\0');
    return apply(&poll, EDIT_PUT, body.bytes).result;
}

static void texts_and_options_have_their_limits(void **state)
{
    (void)state;
    assert_int_equal(put_sized(TITLE_BYTES_MAX, 1, 2), EDIT_CREATED);
    assert_int_equal(put_sized(TITLE_BYTES_MAX + 1, 1, 2), EDIT_REFUSED);
    assert_int_equal(put_sized(1, LABEL_BYTES_MAX, 2), EDIT_CREATED);
    assert_int_equal(put_sized(1, LABEL_BYTES_MAX + 1, 2), EDIT_REFUSED);
    assert_int_equal(put_sized(1, 1, OPTIONS_MAX), EDIT_CREATED);
    assert_int_equal(put_sized(1, 1, OPTIONS_MAX + 1), EDIT_REFUSED);
}

static void carried_counts_come_in_both_forms(void **state)
{
    AUTO(poll) stars = made_from("{\"title\":\"T\",\"kind\":\"rating\",\"carried\":[0,0,0,0,2]}");
    AUTO(poll) sum =
        made_from("{\"title\":\"T\",\"kind\":\"rating\",\"carried\":{\"count\":2,\"sum\":10}}");
    AUTO(poll) several =
        made_from("{\"title\":\"T\",\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}],"
                  "\"max_choices\":2,\"carried\":[5,7],\"carried_voters\":8}");

    (void)state;
    assert_int_equal(stars->carried.marks[4], 2);
    assert_int_equal(stars->carried.voters, 2);
    assert_false(stars->carried.sum_only);
    assert_true(sum->carried.sum_only);
    assert_int_equal(sum->carried.count, 2);
    assert_int_equal(sum->carried.sum, 10);
    assert_int_equal(sum->carried.voters, 2);
    assert_int_equal(several->carried.voters, 8);
    assert_int_equal(several->carried.marks[1], 7);
}

#define SEVERAL_OF_FOUR                                                                            \
    "\"title\":\"T\",\"options\":[{\"label\":\"a\"},{\"label\":\"b\"},{\"label\":\"c\"},"          \
    "{\"label\":\"d\"}],\"max_choices\":2"

/* Written before they were refused. A patch leaves them be, a site may send its file again, and
 * only figures that are new are held against the rule. */
static void impossible_carried_counts_of_an_older_store_still_load(void **state)
{
    static const struct {
        enum edit_kind kind;
        const char *body;
        enum edit_result result;
    } rows[] = {
        { EDIT_PATCH, "{\"max_choices\":3}", EDIT_CHANGED },
        { EDIT_PATCH, "{\"title\":\"U\"}", EDIT_CHANGED },
        { EDIT_PATCH, "{\"carried\":[5,1,1],\"carried_voters\":3}", EDIT_UNCHANGED },
        { EDIT_PATCH, "{\"carried\":[5,2,1],\"carried_voters\":3}", EDIT_REFUSED },
        { EDIT_PATCH, "{\"carried_voters\":3}", EDIT_UNCHANGED },
        { EDIT_PATCH, "{\"carried_voters\":4}", EDIT_REFUSED },
        { EDIT_PATCH, "{\"carried_voters\":5}", EDIT_CHANGED },
        { EDIT_PUT, "{" SEVERAL_OF_FOUR ",\"carried\":[5,1,1,0],\"carried_voters\":3}",
          EDIT_CHANGED },
        { EDIT_PUT, "{" SEVERAL_OF_FOUR ",\"carried\":[5,1,1,1],\"carried_voters\":3}",
          EDIT_REFUSED },
        { EDIT_CARRIED, "{\"votes\":[5,1,1],\"voters\":3}", EDIT_UNCHANGED },
        { EDIT_CARRIED, "{\"votes\":[5,1,1],\"voters\":4}", EDIT_REFUSED },
        { EDIT_CARRIED, "{\"votes\":[1,5,1],\"voters\":3}", EDIT_REFUSED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct why why = { "" };
        AUTO(poll) poll = definition_load(
            STR("{\"id\":\"p\",\"kind\":\"choice\",\"title\":\"T\",\"options\":[{\"label\":\"a\"},"
                "{\"label\":\"b\"},{\"label\":\"c\"}],\"max_choices\":2,\"carried\":[5,1,1],"
                "\"carried_voters\":3,\"revision\":1,\"created_at_ms\":1,\"defined_at_ms\":1}"),
            &why);

        if (!poll)
            fail_msg("%s", why.text);
        assert_int_equal(poll->carried.voters, 3);
        if (apply(&poll, rows[i].kind, rows[i].body).result != rows[i].result)
            fail_msg("%s", rows[i].body);
    }
}

static void what_get_shows_may_be_put_back(void **state)
{
    static const char *const bodies[] = {
        CHOICE,
        SEVERAL,
        RATING,
        "{\"title\":{\"ru\":\"\\u2028<\",\"en\":\"x\"},\"kind\":\"rating\",\"state\":\"closed\","
        "\"opens_at\":\"2026-01-01T00:00:00Z\",\"closes_at\":\"2026-01-02T00:00:00Z\","
        "\"about\":{\"name\":\"N\"},\"carried\":{\"count\":2,\"sum\":10}}",
        "{\"title\":\"T\",\"kind\":\"rating\",\"closes_at\":\"2026-01-02T00:00:00Z\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        AUTO(poll) poll = made_from(bodies[i]);
        AUTO_BUF shown = { 0 };
        struct outcome outcome;

        definition_render(poll, LATER_MS, &shown);
        buf_text(&shown, ",\"tally\":null}");
        buf_char(&shown, '\0');
        outcome = apply(&poll, EDIT_PUT, shown.bytes);
        if (outcome.result != EDIT_UNCHANGED)
            fail_msg("%s: result %d: %s", bodies[i], (int)outcome.result, outcome.refusal.detail);
    }
}

static void what_the_ledger_keeps_comes_back_the_same(void **state)
{
    static const char *const bodies[] = {
        CHOICE,
        RATING,
        "{\"title\":{\"ru\":\"\\u2028<\",\"en\":\"x\"},\"kind\":\"rating\",\"state\":\"closed\","
        "\"opens_at\":\"2026-01-01T00:00:00Z\",\"about\":{\"name\":\"N\",\"type\":\"A\"},"
        "\"carried\":{\"count\":2,\"sum\":10}}",
        "{\"title\":\"T\",\"options\":[{\"label\":\"a\"},{\"label\":{\"en\":\"b\",\"x\":\"c\"}}],"
        "\"max_choices\":2,\"carried\":[5,7],\"carried_voters\":8,\"voters\":\"address\","
        "\"per_address\":5,\"revote\":true,\"again_after\":3600,\"results\":\"after_vote\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        AUTO(poll) poll = made_from(bodies[i]);
        AUTO(poll) loaded = NULL;
        AUTO_BUF stored = { 0 };
        AUTO_BUF again = { 0 };
        struct why why = { "" };

        poll->revision = 7;
        definition_store(poll, &stored);
        loaded = definition_load(buf_str(&stored), &why);
        if (!loaded)
            fail_msg("%s: %s", bodies[i], why.text);
        definition_store(loaded, &again);
        assert_true(str_eq(buf_str(&stored), buf_str(&again)));
        assert_int_equal(loaded->revision, 7);
        assert_true(loaded->created_at_ms == NOW_MS && loaded->defined_at_ms == NOW_MS);
        assert_true(loaded->closed_at_ms == poll->closed_at_ms);
        assert_memory_equal(&loaded->carried, &poll->carried, sizeof poll->carried);
    }
}

static void a_broken_stored_definition_is_told(void **state)
{
    static const char *const rows[] = { "",   "{",          "[]",
                                        "{}", "{\"id\":7}", "{\"id\":\"p\",\"title\":\"T\"}" };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct why why = { "" };

        assert_null(definition_load(str_of(rows[i]), &why));
        if (why.text[0] == '\0')
            fail_msg("%s: nothing said", rows[i]);
    }
}

/* One edit of one poll, and what must come of it. */
struct edit_row {
    const char *before;
    enum edit_kind kind;
    const char *body;
    enum edit_result result;
    bool seen;            /* CHANGED */
    enum problem problem; /* REFUSED */
};

#define BEFORE_TIMED "{\"title\":\"T\",\"kind\":\"rating\",\"closes_at\":\"2026-11-23T08:41:00Z\"}"
#define BEFORE_CLOSED_TIMED                                                                        \
    "{\"title\":\"T\",\"kind\":\"rating\",\"state\":\"closed\","                                   \
    "\"closes_at\":\"2026-11-23T08:41:00Z\"}"
#define BEFORE_CARRIED                                                                             \
    "{\"title\":\"T\",\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}],\"carried\":[3,4]}"

static void an_edit_is_settled_by_the_contract(void **state)
{
    static const struct edit_row rows[] = {
        { CHOICE, EDIT_PUT, CHOICE, EDIT_UNCHANGED, false, 0 },
        { CHOICE, EDIT_PATCH, "{}", EDIT_UNCHANGED, false, 0 },
        { CHOICE, EDIT_PATCH, "{\"title\":\"T\"}", EDIT_UNCHANGED, false, 0 },
        { CHOICE, EDIT_PATCH, "{\"title\":\"U\"}", EDIT_CHANGED, true, 0 },
        { CHOICE, EDIT_PATCH, "{\"title\":null}", EDIT_REFUSED, false, PROBLEM_INVALID },
        { CHOICE, EDIT_PATCH, "{\"titel\":null}", EDIT_REFUSED, false, PROBLEM_INVALID },
        { CHOICE, EDIT_PATCH, "[]", EDIT_REFUSED, false, PROBLEM_INVALID },
        { CHOICE, EDIT_PATCH, "{\"id\":\"q\"}", EDIT_REFUSED, false, PROBLEM_INVALID },
        { CHOICE, EDIT_PATCH, "{\"id\":\"p\",\"tally\":{\"votes\":9}}", EDIT_UNCHANGED, false, 0 },
        { CHOICE, EDIT_PATCH, "{\"per_address\":5}", EDIT_CHANGED, false, 0 },
        { CHOICE, EDIT_PATCH, "{\"results\":\"after_close\"}", EDIT_CHANGED, true, 0 },
        { CHOICE, EDIT_PATCH, "{\"max_choices\":2}", EDIT_CHANGED, true, 0 },
        { CHOICE, EDIT_PATCH, "{\"max_choices\":4}", EDIT_REFUSED, false, PROBLEM_INVALID },
        { CHOICE, EDIT_PATCH, "{\"kind\":\"rating\"}", EDIT_REFUSED, false, PROBLEM_INVALID },
        { CHOICE, EDIT_PATCH, "{\"kind\":\"rating\",\"options\":null}", EDIT_CHANGED, true, 0 },
        { CHOICE, EDIT_PATCH, "{\"state\":\"closed\"}", EDIT_CHANGED, true, 0 },
        { CHOICE, EDIT_PATCH, "{\"state\":\"open\"}", EDIT_UNCHANGED, false, 0 },
        { CHOICE, EDIT_PATCH, "{\"opens_at\":\"2027-01-01T00:00:00Z\"}", EDIT_CHANGED, true, 0 },
        { CHOICE, EDIT_PATCH, "{\"opens_at\":\"2025-01-01T00:00:00Z\"}", EDIT_CHANGED, false, 0 },
        { CHOICE, EDIT_PATCH, "{\"carried\":[1,2,3]}", EDIT_CHANGED, true, 0 },
        { CHOICE, EDIT_PATCH, "{\"carried\":[0,0,0]}", EDIT_UNCHANGED, false, 0 },
        { SEVERAL, EDIT_PATCH, "{\"carried\":[1,2,3]}", EDIT_REFUSED, false, PROBLEM_INVALID },
        { SEVERAL, EDIT_PATCH, "{\"carried\":[1,2,3],\"carried_voters\":4}", EDIT_CHANGED, true,
          0 },
        { SEVERAL, EDIT_PUT, CHOICE, EDIT_CHANGED, true, 0 },
        { CHOICE, EDIT_CARRIED, "{\"votes\":[1,2,3]}", EDIT_CHANGED, true, 0 },
        { CHOICE, EDIT_CARRIED, "{\"votes\":[0,0,0]}", EDIT_UNCHANGED, false, 0 },
        { CHOICE, EDIT_CARRIED, "{\"votes\":[1,2]}", EDIT_REFUSED, false, PROBLEM_INVALID },
        { CHOICE, EDIT_CARRIED, "{}", EDIT_REFUSED, false, PROBLEM_INVALID },
        { CHOICE, EDIT_CARRIED, "[1,2,3]", EDIT_REFUSED, false, PROBLEM_INVALID },
        { CHOICE, EDIT_CARRIED, "{\"votes\":[1,2,3],\"voters\":6}", EDIT_REFUSED, false,
          PROBLEM_INVALID },
        { CHOICE, EDIT_CARRIED, "{\"count\":1,\"sum\":1}", EDIT_REFUSED, false, PROBLEM_INVALID },
        { CHOICE, EDIT_CARRIED, "{\"votes\":[9223372036854775807,0,1]}", EDIT_REFUSED, false,
          PROBLEM_INVALID },
        { SEVERAL, EDIT_CARRIED, "{\"votes\":[1,2,3]}", EDIT_REFUSED, false, PROBLEM_INVALID },
        { SEVERAL, EDIT_CARRIED, "{\"votes\":[1,2,3],\"voters\":4}", EDIT_CHANGED, true, 0 },
        { SEVERAL, EDIT_CARRIED, "{\"votes\":[3,3,3],\"voters\":3}", EDIT_CHANGED, true, 0 },
        { SEVERAL, EDIT_CARRIED, "{\"votes\":[1,2,3],\"voters\":2}", EDIT_REFUSED, false,
          PROBLEM_INVALID },
        { RATING, EDIT_CARRIED, "{\"count\":2,\"sum\":10}", EDIT_CHANGED, true, 0 },
        { RATING, EDIT_CARRIED, "{\"votes\":[0,0,0,0,2]}", EDIT_CHANGED, true, 0 },
        { RATING, EDIT_CARRIED, "{\"votes\":[0,0,0,0,2],\"count\":2,\"sum\":10}", EDIT_REFUSED,
          false, PROBLEM_INVALID },
        { RATING, EDIT_CARRIED, "{\"count\":9223372036854775807,\"sum\":9223372036854775807}",
          EDIT_CHANGED, true, 0 },
        { BEFORE_TIMED, EDIT_PUT, BEFORE_TIMED, EDIT_UNCHANGED, false, 0 },
        { BEFORE_TIMED, EDIT_PATCH, "{\"state\":\"open\"}", EDIT_REFUSED, false,
          PROBLEM_POLL_CLOSED },
        { BEFORE_TIMED, EDIT_PATCH, "{\"state\":\"open\",\"closes_at\":null}", EDIT_CHANGED, true,
          0 },
        { BEFORE_TIMED, EDIT_PATCH, "{\"closes_at\":\"2027-01-01T00:00:00Z\"}", EDIT_CHANGED, true,
          0 },
        { BEFORE_TIMED, EDIT_PATCH, "{\"state\":\"closed\"}", EDIT_CHANGED, false, 0 },
        { BEFORE_CLOSED_TIMED, EDIT_PATCH, "{\"state\":\"open\"}", EDIT_REFUSED, false,
          PROBLEM_POLL_CLOSED },
        { BEFORE_CLOSED_TIMED, EDIT_PATCH,
          "{\"state\":\"open\",\"closes_at\":\"2027-01-01T00:00:00Z\"}", EDIT_CHANGED, true, 0 },
        { BEFORE_CLOSED_TIMED, EDIT_PUT, BEFORE_TIMED, EDIT_UNCHANGED, false, 0 },
        { BEFORE_CARRIED, EDIT_PATCH, "{\"kind\":\"rating\",\"options\":null}", EDIT_REFUSED, false,
          PROBLEM_OPTIONS_IN_USE },
        { BEFORE_CARRIED, EDIT_PATCH, "{\"voters\":\"address\"}", EDIT_REFUSED, false,
          PROBLEM_OPTIONS_IN_USE },
        { BEFORE_CARRIED, EDIT_PATCH, "{\"carried\":[0,0]}", EDIT_CHANGED, true, 0 },
        { BEFORE_CARRIED, EDIT_PUT, CHOICE, EDIT_CHANGED, true, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(poll) poll = made_from(rows[i].before);
        struct outcome outcome = apply(&poll, rows[i].kind, rows[i].body);

        if (outcome.result != rows[i].result || outcome.seen != rows[i].seen ||
            outcome.refusal.problem != rows[i].problem)
            fail_msg("%s on %s: result %d, seen %d, problem %d: %s", rows[i].body, rows[i].before,
                     (int)outcome.result, (int)outcome.seen, (int)outcome.refusal.problem,
                     outcome.refusal.detail);
        assert_int_equal(poll->revision, rows[i].result == EDIT_CHANGED ? 2 : 1);
        assert_true(poll->created_at_ms == NOW_MS);
        assert_true(poll->defined_at_ms == (rows[i].result == EDIT_CHANGED ? LATER_MS : NOW_MS));
    }
}

static void votes_hold_the_options_in_place(void **state)
{
    static const struct {
        const char *before;
        const char *patch;
        bool taken;
    } rows[] = {
        { SEVERAL, "{\"title\":\"U\"}", true },
        { SEVERAL, "{\"max_choices\":3}", true },
        { SEVERAL, "{\"max_choices\":1}", false },
        { SEVERAL, "{\"voters\":\"account\"}", false },
        { SEVERAL, "{\"kind\":\"rating\",\"options\":null,\"max_choices\":1}", false },
        { SEVERAL, "{\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}]}", false },
        { SEVERAL, "{\"options\":[{\"label\":\"x\"},{\"label\":\"y\"},{\"label\":\"z\"}]}", true },
        { SEVERAL,
          "{\"options\":[{\"label\":\"a\"},{\"label\":\"b\"},{\"label\":\"c\"},{\"label\":\"d\"}]}",
          true },
        { RATING, "{\"scale\":4}", false },
        { RATING, "{\"scale\":10}", false },
        { RATING, "{\"scale\":5}", true },
    };
    const struct counts counts = { .marks = { 1 }, .voters = 1, .version = 2 };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(poll) used = made_from(rows[i].before);
        AUTO(poll) unused = made_from(rows[i].before);
        struct outcome outcome =
            apply_to(&used, EDIT_PATCH, false, rows[i].patch, &counts, LATER_MS);

        if ((outcome.result != EDIT_REFUSED) != rows[i].taken)
            fail_msg("%s with votes: result %d", rows[i].patch, (int)outcome.result);
        if (!rows[i].taken)
            assert_int_equal(outcome.refusal.problem, PROBLEM_OPTIONS_IN_USE);
        if (apply(&unused, EDIT_PATCH, rows[i].patch).result == EDIT_REFUSED)
            fail_msg("%s without votes: refused", rows[i].patch);
    }
}

static void carried_counts_and_votes_together_must_fit(void **state)
{
    AUTO(poll) poll = made_from(CHOICE);
    const struct counts counts = { .marks = { 1 }, .voters = 1, .version = 2 };
    static const char most[] = "{\"votes\":[9223372036854775807,0,0]}";
    static const char one_less[] = "{\"votes\":[9223372036854775806,0,0]}";

    (void)state;
    assert_int_equal(apply_to(&poll, EDIT_CARRIED, false, most, &counts, LATER_MS).result,
                     EDIT_REFUSED);
    assert_int_equal(apply_to(&poll, EDIT_CARRIED, false, one_less, &counts, LATER_MS).result,
                     EDIT_CHANGED);
}

static void put_keeps_state_and_carried_and_nothing_else(void **state)
{
    AUTO(poll) poll =
        made_from("{\"title\":\"T\",\"options\":[{\"label\":\"a\"},{\"label\":\"b\"}],"
                  "\"carried\":[3,4],\"state\":\"closed\",\"per_address\":5,"
                  "\"revote\":true}");

    (void)state;
    poll->number = 9;
    poll->salt[0] = 1;
    poll->prefix_v4 = 32;
    assert_int_equal(apply(&poll, EDIT_PUT, CHOICE).result, EDIT_CHANGED);
    assert_int_equal(poll->n_options, 3);
    assert_int_equal(poll->carried.marks[1], 4);
    assert_int_equal(poll->carried.marks[2], 0);
    assert_int_equal(poll->carried.voters, 7);
    assert_int_equal(poll->state, STATE_CLOSED);
    assert_true(poll->closed_at_ms == NOW_MS);
    assert_int_equal(poll->per_address, 0);
    assert_false(poll->revote);
    assert_int_equal(poll->number, 9);
    assert_int_equal(poll->salt[0], 1);
    assert_int_equal(poll->prefix_v4, 32);
}

static void a_patch_merges_titles_in_place(void **state)
{
    AUTO(poll) poll = made_from("{\"kind\":\"rating\",\"title\":{\"en\":\"a\",\"ru\":\"b\"}}");

    (void)state;
    assert_int_equal(
        apply(&poll, EDIT_PATCH, "{\"title\":{\"de\":\"c\",\"en\":\"d\",\"ru\":null}}").result,
        EDIT_CHANGED);
    assert_int_equal(poll->title.n, 2);
    assert_string_equal(poll->title.in[0].language, "en");
    assert_string_equal(poll->title.in[0].value, "d");
    assert_string_equal(poll->title.in[1].language, "de");
    assert_int_equal(apply(&poll, EDIT_PATCH, "{\"title\":\"T\"}").result, EDIT_CHANGED);
    assert_null(poll->title.in[0].language);
}

static void closing_and_opening_keep_the_moment(void **state)
{
    AUTO(poll) poll = made_from(RATING);

    (void)state;
    assert_int_equal(apply(&poll, EDIT_PATCH, "{\"state\":\"closed\"}").result, EDIT_CHANGED);
    assert_true(poll->closed_at_ms == LATER_MS);
    assert_int_equal(
        apply_to(&poll, EDIT_PATCH, false, "{\"state\":\"closed\"}", NULL, LATER_MS + 1).result,
        EDIT_UNCHANGED);
    assert_true(poll->closed_at_ms == LATER_MS);
    assert_int_equal(apply(&poll, EDIT_PATCH, "{\"state\":\"open\"}").result, EDIT_CHANGED);
    assert_true(poll->closed_at_ms == WHEN_NEVER);
}

static void a_forgotten_poll_never_opens_again(void **state)
{
    static const struct {
        const char *before;
        const char *patch;
        bool taken;
    } rows[] = {
        { BEFORE_CLOSED_TIMED, "{\"state\":\"open\"}", false },
        { BEFORE_CLOSED_TIMED, "{\"state\":\"open\",\"closes_at\":null}", false },
        { BEFORE_CLOSED_TIMED, "{\"closes_at\":null}", true },
        { BEFORE_CLOSED_TIMED, "{\"title\":\"U\"}", true },
        { BEFORE_TIMED, "{\"state\":\"open\"}", false },
        { BEFORE_TIMED, "{\"closes_at\":null}", false },
        { BEFORE_TIMED,
          "{\"opens_at\":\"2027-01-01T00:00:00Z\",\"closes_at\":\"2028-01-01T00:00:00Z\"}", false },
        { BEFORE_TIMED, "{\"title\":\"U\"}", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(poll) poll = made_from(rows[i].before);
        struct outcome outcome;

        poll->forgotten = true;
        outcome = apply(&poll, EDIT_PATCH, rows[i].patch);
        if (outcome.result != (rows[i].taken ? EDIT_CHANGED : EDIT_REFUSED))
            fail_msg("%s: result %d", rows[i].patch, (int)outcome.result);
        if (!rows[i].taken)
            assert_int_equal(outcome.refusal.problem, PROBLEM_POLL_FORGOTTEN);
        assert_true(poll->forgotten);
    }
}

static void only_put_makes_a_poll_and_create_only_makes_it_once(void **state)
{
    AUTO(poll) poll = NULL;
    struct outcome outcome;

    (void)state;
    outcome = apply(&poll, EDIT_PATCH, "{\"title\":\"T\"}");
    assert_int_equal(outcome.refusal.problem, PROBLEM_NO_SUCH_POLL);
    outcome = apply(&poll, EDIT_CARRIED, "{\"votes\":[1,2]}");
    assert_int_equal(outcome.refusal.problem, PROBLEM_NO_SUCH_POLL);
    outcome = apply_to(&poll, EDIT_PUT, true, CHOICE, NULL, NOW_MS);
    assert_int_equal(outcome.result, EDIT_CREATED);
    outcome = apply_to(&poll, EDIT_PUT, true, CHOICE, NULL, NOW_MS);
    assert_int_equal(outcome.refusal.problem, PROBLEM_PRECONDITION_EXISTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_title_and_options_are_enough),
        cmocka_unit_test(everything_that_is_given_is_shown),
        cmocka_unit_test(a_wrong_definition_is_422_with_a_pointer),
        cmocka_unit_test(all_that_is_wrong_is_told_at_once),
        cmocka_unit_test(texts_and_options_have_their_limits),
        cmocka_unit_test(carried_counts_come_in_both_forms),
        cmocka_unit_test(impossible_carried_counts_of_an_older_store_still_load),
        cmocka_unit_test(what_get_shows_may_be_put_back),
        cmocka_unit_test(what_the_ledger_keeps_comes_back_the_same),
        cmocka_unit_test(a_broken_stored_definition_is_told),
        cmocka_unit_test(an_edit_is_settled_by_the_contract),
        cmocka_unit_test(votes_hold_the_options_in_place),
        cmocka_unit_test(carried_counts_and_votes_together_must_fit),
        cmocka_unit_test(put_keeps_state_and_carried_and_nothing_else),
        cmocka_unit_test(a_patch_merges_titles_in_place),
        cmocka_unit_test(closing_and_opening_keep_the_moment),
        cmocka_unit_test(a_forgotten_poll_never_opens_again),
        cmocka_unit_test(only_put_makes_a_poll_and_create_only_makes_it_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
