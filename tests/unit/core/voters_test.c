/*
 * voters_test.c - the set of those who have voted, against a plain list of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/voters.h"

#define MODEL_MAX 4000

struct model {
    struct voter_hash hashes[MODEL_MAX];
    uint32_t seqs[MODEL_MAX];
    size_t n;
};

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static struct voter_hash hash_of(uint32_t tag, uint64_t rest)
{
    struct voter_hash hash = { { 0 } };

    memcpy(hash.bytes, &tag, sizeof tag);
    memcpy(hash.bytes + 4, &rest, sizeof rest);
    return hash;
}

static bool has(const struct voters *set, const struct voter_hash *hash, uint32_t seq)
{
    size_t at = 0;
    uint32_t found;

    while (voters_find(set, hash, &at, &found)) {
        if (found == seq)
            return true;
    }
    return false;
}

static void check(const struct voters *set, const struct model *model)
{
    assert_int_equal(voters_count(set), model->n);
    for (size_t i = 0; i < model->n; i++)
        assert_true(has(set, &model->hashes[i], model->seqs[i]));
}

static void change(struct voters *set, struct model *model, uint64_t *seed, uint32_t *seq)
{
    size_t i = next_random(seed) % model->n;

    if (next_random(seed) % 2) {
        voters_move(set, &model->hashes[i], model->seqs[i], ++*seq);
        model->seqs[i] = *seq;
        return;
    }
    voters_remove(set, &model->hashes[i], model->seqs[i]);
    assert_false(has(set, &model->hashes[i], model->seqs[i]));
    model->n--;
    model->hashes[i] = model->hashes[model->n];
    model->seqs[i] = model->seqs[model->n];
}

static void run(const char *which, uint32_t mask, uint32_t fixed)
{
    struct model *model = calloc(1, sizeof *model);
    AUTO(voters) set = voters_new();
    uint64_t seed = 0x9E3779B97F4A7C15U;
    uint32_t seq = 0;

    assert_non_null(model);
    assert_non_null(set);
    (void)which;
    while (model->n < MODEL_MAX) {
        struct voter_hash hash =
            hash_of(((uint32_t)next_random(&seed) & mask) | fixed, next_random(&seed));

        assert_int_equal(voters_add(set, &hash, ++seq), VOTERS_ADDED);
        model->hashes[model->n] = hash;
        model->seqs[model->n++] = seq;
        if (model->n > 10 && next_random(&seed) % 3 == 0)
            change(set, model, &seed, &seq);
        if (seq % 501 == 0)
            check(set, model);
    }
    check(set, model);
    while (model->n > 0) {
        model->n--;
        voters_remove(set, &model->hashes[model->n], model->seqs[model->n]);
    }
    check(set, model);
    free(model);
}

static void the_set_is_exact_whatever_the_tags(void **state)
{
    (void)state;
    run("random", 0xFFFFFFFF, 0);
    run("all zero", 0, 0);
    run("all ones", 0, 0xFFFFFFFF);
    run("all at the end", 0xFF, 0xFFFFFF00);
    run("a few", 0x80000003, 0);
}

static void a_voter_takes_at_most_16_bytes(void **state)
{
    AUTO(voters) set = voters_new();
    uint64_t seed = 42;

    (void)state;
    for (uint32_t seq = 1; seq <= 1000000; seq++) {
        struct voter_hash hash = hash_of((uint32_t)(next_random(&seed) >> 32), seq);

        assert_int_equal(voters_add(set, &hash, seq), VOTERS_ADDED);
        if (seq >= 1000 && voters_bytes(set) > (size_t)seq * 16)
            fail_msg("%u voters take %zu bytes", seq, voters_bytes(set));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_set_is_exact_whatever_the_tags),
        cmocka_unit_test(a_voter_takes_at_most_16_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
