/*
 * limiter_test.c - who has to wait, for how long, and whom no flood can free.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>

#include <cmocka.h>

#include "core/limiter.h"

#define BUCKETS 4096
#define SHARDS 16 /* of core/limiter.c */
#define OFFENDER 0xFFFFFFFFU

static const unsigned char seed[SIPHASH_KEY_BYTES] = "a known chance";

static struct limiter *make(uint32_t n, uint32_t period_s)
{
    struct limiter *limiter = limiter_new(BUCKETS, seed);

    assert_non_null(limiter);
    limiter_set_rate(limiter, LIMIT_VOTES, (struct limiter_rate){ n, period_s });
    return limiter;
}

static uint64_t take(struct limiter *limiter, uint32_t who, int64_t now_ms)
{
    return limiter_take(limiter, LIMIT_VOTES, LIMIT_BY_ADDRESS,
                        (struct str){ (const char *)&who, sizeof who }, now_ms);
}

/* How many in a row are let in; `most` at the end means: more. */
static size_t take_all(struct limiter *limiter, uint32_t who, int64_t now_ms, size_t most)
{
    size_t n = 0;

    while (n < most && take(limiter, who, now_ms) == 0)
        n++;
    return n;
}

static void n_at_once_and_then_one_as_each_flows_in(void **state)
{
    AUTO(limiter) limiter = make(60, 60);

    (void)state;
    assert_int_equal(take_all(limiter, 1, 5000, 100), 60);
    assert_int_equal(take(limiter, 1, 5000), 1);
    assert_int_equal(take(limiter, 1, 5999), 1);
    assert_int_equal(take(limiter, 1, 6000), 0);
    assert_int_equal(take(limiter, 1, 6000), 1);
    assert_int_equal(take_all(limiter, 1, 9500, 100), 3);
    assert_int_equal(take_all(limiter, 1, 10000, 100), 1);
    assert_int_equal(take_all(limiter, 1, 70000, 100), 60);
    assert_int_equal(take_all(limiter, 1, 7000000, 100), 60); /* no more than full */
}

static void the_wait_is_in_whole_seconds_and_waiting_it_is_enough(void **state)
{
    static const struct {
        struct limiter_rate rate;
        uint64_t wait_s; /* right after the last one */
    } rows[] = {
        { { 1, 1 }, 1 },         { { 200, 1 }, 1 },       { { 60, 60 }, 1 },
        { { 7, 60 }, 9 },        { { 60, 3600 }, 60 },    { { 1, 3600 }, 3600 },
        { { 7, 3600 }, 515 },    { { 1, 86400 }, 86400 }, { { UINT32_MAX, 1 }, 1 },
        { { 86401, 86400 }, 1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(limiter) limiter = make(rows[i].rate.n, rows[i].rate.period_s);
        size_t most = rows[i].rate.n < 100000 ? rows[i].rate.n : 100000;
        uint64_t wait_s;

        if (take_all(limiter, 1, 0, most + 1) < most)
            fail_msg("row %zu: fewer than %zu", i, most);
        if (rows[i].rate.n > most)
            continue;
        wait_s = take(limiter, 1, 0);
        if (wait_s != rows[i].wait_s)
            fail_msg("row %zu: %llu s to wait", i, (unsigned long long)wait_s);
        if (take(limiter, 1, (int64_t)wait_s * 1000) != 0)
            fail_msg("row %zu: waiting was not enough", i);
    }
}

static void a_steady_stream_gets_n_a_period_and_a_burst(void **state)
{
    static const struct limiter_rate rates[] = { { 7, 1 }, { 200, 1 }, { 60, 60 }, { 59, 60 } };

    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        AUTO(limiter) limiter = make(rates[i].n, rates[i].period_s);
        int64_t end_ms = (int64_t)rates[i].period_s * 10 * 1000;
        size_t n = 0;

        for (int64_t now_ms = 0; now_ms < end_ms; now_ms++) {
            if (take(limiter, 1, now_ms) == 0)
                n++;
        }
        /* A burst and ten periods, of which the very last one may still be on its way. */
        if (n > rates[i].n * 11 || n < rates[i].n * 11 - 1)
            fail_msg("row %zu: %zu", i, n);
    }
}

static void buckets_are_of_one_kind_and_one_caller(void **state)
{
    AUTO(limiter) limiter = make(1, 60);
    struct str v4 = STR("\1\2\3\4");
    struct str v6 = STR("\1\2\3\4\0\0\0\0\0\0\0\0\0\0\0\0");

    (void)state;
    limiter_set_rate(limiter, LIMIT_TOKENS, (struct limiter_rate){ 1, 60 });
    assert_int_equal(limiter_take(limiter, LIMIT_VOTES, LIMIT_BY_ADDRESS, v4, 0), 0);
    assert_int_equal(limiter_take(limiter, LIMIT_VOTES, LIMIT_BY_ADDRESS, v6, 0), 0);
    assert_int_equal(limiter_take(limiter, LIMIT_VOTES, LIMIT_BY_UID, v4, 0), 0);
    assert_int_equal(limiter_take(limiter, LIMIT_TOKENS, LIMIT_BY_ADDRESS, v4, 0), 0);
    assert_int_equal(limiter_take(limiter, LIMIT_VOTES, LIMIT_BY_ADDRESS, v4, 0), 60);
    assert_int_equal(limiter_take(limiter, LIMIT_VOTES, LIMIT_BY_ADDRESS, v6, 0), 60);
    assert_int_equal(limiter_take(limiter, LIMIT_VOTES, LIMIT_BY_UID, v4, 0), 60);
    assert_int_equal(limiter_take(limiter, LIMIT_TOKENS, LIMIT_BY_ADDRESS, v4, 0), 60);
    /* No rate was set for reads. */
    for (int i = 0; i < 1000; i++)
        assert_int_equal(limiter_take(limiter, LIMIT_READS, LIMIT_BY_ADDRESS, v4, 0), 0);
}

static void asking_takes_nothing(void **state)
{
    AUTO(limiter) limiter = make(2, 60);
    struct str who = STR("\1\2\3\4");

    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(limiter_wait_s(limiter, LIMIT_VOTES, LIMIT_BY_ADDRESS, who, 0), 0);
    assert_int_equal(limiter_take(limiter, LIMIT_VOTES, LIMIT_BY_ADDRESS, who, 0), 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(limiter_wait_s(limiter, LIMIT_VOTES, LIMIT_BY_ADDRESS, who, 0), 0);
    assert_int_equal(limiter_take(limiter, LIMIT_VOTES, LIMIT_BY_ADDRESS, who, 0), 0);
    assert_int_equal(limiter_wait_s(limiter, LIMIT_VOTES, LIMIT_BY_ADDRESS, who, 0), 30);
}

static void a_new_rate_forgets_nothing(void **state)
{
    AUTO(limiter) limiter = make(60, 60);

    (void)state;
    assert_int_equal(take_all(limiter, 1, 0, 100), 60);
    assert_int_equal(take_all(limiter, 2, 0, 30), 30);
    limiter_set_rate(limiter, LIMIT_VOTES, (struct limiter_rate){ 120, 60 });
    assert_int_equal(take_all(limiter, 1, 0, 200), 0);
    assert_int_equal(take_all(limiter, 2, 0, 200), 60); /* half full is half of the new one */
    assert_int_equal(take_all(limiter, 3, 0, 200), 120);
    assert_int_equal(take_all(limiter, 1, 1000, 200), 2);
    limiter_set_rate(limiter, LIMIT_VOTES, (struct limiter_rate){ 1, 60 });
    assert_int_equal(take(limiter, 1, 1000), 60);
    limiter_set_rate(limiter, LIMIT_VOTES, (struct limiter_rate){ 0, 0 });
    assert_int_equal(take_all(limiter, 1, 1000, 1000), 1000);
    limiter_set_rate(limiter, LIMIT_VOTES, (struct limiter_rate){ 60, 60 });
    assert_int_equal(take(limiter, 1, 1000), 1); /* 60 s of debt, made before there was no limit */
}

static void a_million_addresses_neither_grow_it_nor_free_an_offender(void **state)
{
    AUTO(limiter) limiter = make(60, 60);
    size_t bytes = limiter_bytes(limiter);
    size_t let_in = 0;

    (void)state;
    assert_int_equal(take_all(limiter, OFFENDER, 0, 100), 60);
    for (uint32_t who = 0; who < 1000000; who++) {
        if (take(limiter, who, 0) == 0)
            let_in++;
        if (who % 1000 == 0)
            assert_int_equal(take(limiter, OFFENDER, 0), 1);
    }
    assert_int_equal(take(limiter, OFFENDER, 999), 1);
    assert_int_equal(limiter_bytes(limiter), bytes);
    assert_true(bytes <= BUCKETS * 16 + 8192);
    /* Each with a bucket of their own, and then a crowd in each shard. */
    assert_true(let_in <= BUCKETS - 1 + SHARDS * LIMITER_CROWD * 60);
    assert_true(let_in >= BUCKETS * 9 / 10);
    assert_true(limiter_crowded(limiter) >= 1000000 - BUCKETS);
    /* Their buckets are full again after a second, but for the crowd's and the offender's. */
    assert_int_equal(take_all(limiter, 2000000, 1001, 100), 60);
    assert_int_equal(take_all(limiter, OFFENDER, 1001, 100), 1);
}

static void the_table_is_nearly_full_before_anybody_finds_no_place(void **state)
{
    AUTO(limiter) limiter = make(60, 60);
    uint32_t who = 0;

    (void)state;
    while (limiter_crowded(limiter) == 0)
        assert_int_equal(take(limiter, who++, 0), 0);
    if (who < BUCKETS * 3 / 4)
        fail_msg("%u of %d", who, BUCKETS);
}

/* The eviction game: somebody who has used up a bucket tries to have it forgotten by filling the
 * table over and over, with every step of time. */
static void an_offender_gets_no_more_through_a_flood_than_without_one(void **state)
{
    AUTO(limiter) limiter = make(60, 60);
    AUTO(limiter) quiet = make(60, 60);
    uint32_t who = 0;
    size_t n = 0;
    size_t n_quiet = 0;

    (void)state;
    for (int64_t now_ms = 0; now_ms < 20000; now_ms += 50) {
        for (int i = 0; i < 1000; i++)
            (void)!take(limiter, who++, now_ms);
        n += take_all(limiter, OFFENDER, now_ms, 100);
        n_quiet += take_all(quiet, OFFENDER, now_ms, 100);
    }
    assert_int_equal(n, n_quiet);
    assert_int_equal(n, 79);
}

static void a_crowd_waits_together_and_is_let_in_again(void **state)
{
    AUTO(limiter) limiter = limiter_new(LIMITER_BUCKETS_MIN, seed);
    uint32_t who = 0;
    size_t let_in = 0;

    (void)state;
    assert_non_null(limiter);
    limiter_set_rate(limiter, LIMIT_VOTES, (struct limiter_rate){ 1, 3600 });
    while (who < 100000)
        (void)!take(limiter, who++, 0);
    assert_int_equal(take(limiter, who, 0), 3600 / LIMITER_CROWD + 1);
    for (uint32_t i = 0; i < 100000; i++) {
        if (take(limiter, who++, 60 * 1000) == 0)
            let_in++;
    }
    assert_int_equal(let_in, SHARDS);
}

struct taker {
    pthread_t thread;
    struct limiter *limiter;
    size_t let_in;
};

static void *take_many(void *context)
{
    struct taker *taker = context;

    for (uint32_t i = 0; i < 20000; i++) {
        if (take(taker->limiter, OFFENDER, 7) == 0)
            taker->let_in++;
        (void)!take(taker->limiter, i, 7);
        if (i % 1000 == 0)
            limiter_set_rate(taker->limiter, LIMIT_READS, (struct limiter_rate){ i + 1, 1 });
    }
    return NULL;
}

static void threads_share_one_bucket_exactly(void **state)
{
    AUTO(limiter) limiter = make(10000, 60);
    struct taker takers[4];
    size_t let_in = 0;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        takers[i] = (struct taker){ .limiter = limiter };
        assert_int_equal(pthread_create(&takers[i].thread, NULL, take_many, &takers[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(takers[i].thread, NULL), 0);
        let_in += takers[i].let_in;
    }
    assert_int_equal(let_in, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(n_at_once_and_then_one_as_each_flows_in),
        cmocka_unit_test(the_wait_is_in_whole_seconds_and_waiting_it_is_enough),
        cmocka_unit_test(a_steady_stream_gets_n_a_period_and_a_burst),
        cmocka_unit_test(buckets_are_of_one_kind_and_one_caller),
        cmocka_unit_test(asking_takes_nothing),
        cmocka_unit_test(a_new_rate_forgets_nothing),
        cmocka_unit_test(a_million_addresses_neither_grow_it_nor_free_an_offender),
        cmocka_unit_test(the_table_is_nearly_full_before_anybody_finds_no_place),
        cmocka_unit_test(an_offender_gets_no_more_through_a_flood_than_without_one),
        cmocka_unit_test(a_crowd_waits_together_and_is_let_in_again),
        cmocka_unit_test(threads_share_one_bucket_exactly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
