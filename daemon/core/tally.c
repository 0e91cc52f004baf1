/*
 * core/tally.c - percentages, shares and means, in whole numbers only.
 *
 * Threads: any; nothing is shared.
 */
#include "core/tally.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/ckd.h"

#define SHARE_PARTS 1000000U

/* Products of a 64-bit count and a small number fit here, so nothing is ever rounded early. */
__extension__ typedef unsigned __int128 wide;

unsigned tally_part(uint64_t votes, uint64_t of, unsigned parts)
{
    wide doubled;

    if (of == 0)
        return 0;
    if (votes >= of)
        return parts;
    doubled = (wide)votes * parts * 2 + of; /* half up: floor((2vp + of) / 2of) */
    return (unsigned)(doubled / ((wide)of * 2));
}

static uint64_t sum_of(const uint64_t *votes, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += votes[i];
    return sum;
}

/* The option with the largest remainder, the lower one of equals. */
static size_t largest(const uint64_t *remainders, size_t n)
{
    size_t best = 0;

    for (size_t i = 1; i < n; i++) {
        if (remainders[i] > remainders[best])
            best = i;
    }
    return best;
}

void tally_percents(const uint64_t *votes, size_t n, unsigned *ret_percents)
{
    uint64_t remainders[OPTIONS_MAX];
    uint64_t sum = sum_of(votes, n);
    unsigned left = 100;

    assert(n >= 1 && n <= OPTIONS_MAX);
    for (size_t i = 0; i < n; i++) {
        wide hundredfold = (wide)votes[i] * 100;

        ret_percents[i] = sum > 0 ? (unsigned)(hundredfold / sum) : 0;
        remainders[i] = sum > 0 ? (uint64_t)(hundredfold % sum) : 0;
        left -= ret_percents[i];
    }
    if (sum == 0)
        return;
    /* The remainders sum to `left` times the sum and each is below it, so there are more than
     * `left` options with one: nobody is given a point twice. */
    for (; left > 0; left--) {
        size_t i = largest(remainders, n);

        ret_percents[i]++;
        remainders[i] = 0;
    }
}

static void shown(uint64_t votes, uint64_t of, unsigned percent, char ret_shown[6])
{
    if (votes > 0 && percent == 0)
        (void)snprintf(ret_shown, 6, "<1%%");
    else if (votes < of && percent == 100)
        (void)snprintf(ret_shown, 6, ">99%%");
    else
        (void)snprintf(ret_shown, 6, "%u%%", percent % 1000);
}

static void shares(struct tally *tally, const unsigned *percents, uint64_t of)
{
    for (size_t i = 0; i < tally->n_options; i++) {
        struct tally_option *option = &tally->options[i];

        option->percent = percents ? percents[i] : tally_part(option->votes, of, 100);
        option->share_millionths = tally_part(option->votes, of, SHARE_PARTS);
        shown(option->votes, of, option->percent, option->shown);
    }
}

/* The mean of the stars in hundredths, rounded half up: floor((200 sum + count) / 2 count). */
static uint64_t mean_hundredths(wide sum, uint64_t count)
{
    return (uint64_t)((sum * 200 + count) / ((wide)count * 2));
}

static void rate(const struct poll *poll, struct tally *tally)
{
    wide sum = poll->carried.sum_only ? poll->carried.sum : 0;

    for (size_t i = 0; i < tally->n_options; i++)
        sum += (wide)tally->options[i].votes * (i + 1);
    tally->rated = tally->votes > 0;
    if (tally->rated)
        tally->rating_hundredths = mean_hundredths(sum, tally->votes);
}

void tally_work_out(const struct poll *poll, const struct counts *counts, struct tally *ret_tally)
{
    const struct carried *carried = &poll->carried;
    uint64_t votes[OPTIONS_MAX] = { 0 };
    unsigned percents[OPTIONS_MAX] = { 0 };
    uint64_t known;

    memset(ret_tally, 0, sizeof *ret_tally);
    ret_tally->n_options = poll->n_options;
    for (size_t i = 0; i < poll->n_options; i++) {
        votes[i] = counts->marks[i] + carried->marks[i];
        ret_tally->options[i].votes = votes[i];
    }
    known = sum_of(votes, poll->n_options);
    ret_tally->carried =
        carried->sum_only ? carried->count : sum_of(carried->marks, poll->n_options);
    ret_tally->votes = known + (carried->sum_only ? carried->count : 0);
    ret_tally->voters = counts->voters + carried->voters;
    if (poll->kind == POLL_RATING)
        rate(poll, ret_tally);
    if (poll->max_choices > 1) {
        shares(ret_tally, NULL, ret_tally->voters);
        return;
    }
    tally_percents(votes, poll->n_options, percents);
    shares(ret_tally, percents, known);
}

bool counts_fit(const struct poll *poll, const struct counts *counts)
{
    const struct carried *carried = &poll->carried;
    bool rated = poll->kind == POLL_RATING;
    int64_t votes = 0;
    int64_t stars = 0;
    int64_t voters = 0;

    for (size_t i = 0; i < poll->n_options; i++) {
        int64_t option;
        int64_t weighed;

        if (ckd_add(&option, counts->marks[i], carried->marks[i]) ||
            ckd_add(&votes, votes, option) ||
            ckd_mul(&weighed, option, rated ? (int64_t)i + 1 : 1) ||
            ckd_add(&stars, stars, weighed))
            return false;
    }
    if (carried->sum_only &&
        (ckd_add(&votes, votes, carried->count) || ckd_add(&stars, stars, carried->sum)))
        return false;
    return !ckd_add(&voters, counts->voters, carried->voters);
}

void tally_decimal(uint64_t n, unsigned decimals, char *ret_text)
{
    uint64_t unit = 1;
    int len;

    for (unsigned i = 0; i < decimals; i++)
        unit *= 10;
    len = snprintf(ret_text, 24, "%llu.%0*llu", (unsigned long long)(n / unit), (int)decimals,
                   (unsigned long long)(n % unit));
    while (ret_text[len - 1] == '0')
        len--;
    if (ret_text[len - 1] == '.')
        len--;
    ret_text[len] = '\0';
}
