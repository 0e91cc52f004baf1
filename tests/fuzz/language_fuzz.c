/*
 * fuzz/language_fuzz.c - any bytes as ?lang= and Accept-Language.
 *
 * The first line of an input holds the languages on offer, joined by commas; the second is what
 * ?lang= says, the rest the field. One of those on offer is chosen whatever is asked for, the same
 * in any case of letters, whatever stands behind that does not parse.
 */
#include "core/language.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct offer {
    char *tags[TEXT_LANGUAGES_MAX];
    size_t n;
};

static void offer_read(struct str line, struct offer *ret_offer)
{
    struct str tag;

    ret_offer->n = 0;
    while (ret_offer->n < TEXT_LANGUAGES_MAX && str_next(&line, ',', &tag)) {
        if (!language_tag_ok(tag))
            continue;
        ret_offer->tags[ret_offer->n] = str_copy(tag);
        assert(ret_offer->tags[ret_offer->n++]);
    }
}

static void offer_clear(struct offer *offer)
{
    for (size_t i = 0; i < offer->n; i++)
        free(offer->tags[i]);
}

static size_t choose(const struct offer *offer, struct str wanted, struct str accept)
{
    const char *tags[TEXT_LANGUAGES_MAX];

    for (size_t i = 0; i < offer->n; i++)
        tags[i] = offer->tags[i];
    return language_choose(tags, offer->n, wanted, accept);
}

static void upper(struct str s, struct buf *out)
{
    for (size_t i = 0; i < s.len; i++) {
        bool small = s.at[i] >= 'a' && s.at[i] <= 'z';

        buf_char(out, small ? (char)(s.at[i] - ('a' - 'A')) : s.at[i]);
    }
}

static void check(const struct offer *offer, struct str wanted, struct str accept)
{
    AUTO_BUF loud_wanted = { 0 };
    AUTO_BUF loud_accept = { 0 };
    size_t chosen = choose(offer, wanted, accept);

    assert(chosen < offer->n);
    upper(wanted, &loud_wanted);
    upper(accept, &loud_accept);
    assert(buf_ok(&loud_wanted) && buf_ok(&loud_accept));
    assert(choose(offer, buf_str(&loud_wanted), buf_str(&loud_accept)) == chosen);
    buf_text(&loud_accept, ",;q=1,en;q=2,a_b,en;q=0.0000,*;x=1");
    assert(choose(offer, buf_str(&loud_wanted), buf_str(&loud_accept)) == chosen);
    for (size_t i = 0; i < offer->n; i++) {
        if (str_eq_nocase(str_of(offer->tags[i]), wanted)) {
            assert(str_eq_nocase(str_of(offer->tags[chosen]), wanted));
            break;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = { (const char *)data, size };
    struct str line;
    struct str wanted = { NULL, 0 };
    struct offer offer;

    if (!str_next(&rest, '\n', &line))
        return 0;
    offer_read(line, &offer);
    (void)str_next(&rest, '\n', &wanted);
    if (offer.n > 0)
        check(&offer, wanted, rest);
    offer_clear(&offer);
    return 0;
}
