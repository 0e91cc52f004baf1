/*
 * web/words.c - which text, which plural form, which separators.
 *
 * Threads: any; the tables never change.
 */
#include "web/words.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/language.h"
#include "core/tally.h"

#define LANGUAGES_MAX 64

static size_t tags_of(const char *ret_tags[LANGUAGES_MAX])
{
    size_t n = words_all_count < LANGUAGES_MAX ? words_all_count : LANGUAGES_MAX;

    for (size_t i = 0; i < n; i++)
        ret_tags[i] = words_all[i]->tag;
    return n;
}

const struct words *words_find(struct str tag)
{
    const char *tags[LANGUAGES_MAX];
    size_t n = tags_of(tags);

    return words_all[language_choose(tags, n, tag, (struct str){ NULL, 0 })];
}

const struct words *words_choose(struct str wanted, struct str accept, struct str otherwise)
{
    const struct words *fallback = words_find(otherwise);
    const char *tags[LANGUAGES_MAX + 1] = { fallback->tag };
    size_t n = tags_of(tags + 1);
    size_t chosen = language_choose(tags, n + 1, wanted, accept);

    return chosen == 0 ? fallback : words_all[chosen - 1];
}

const char *words_text(const struct words *words, enum word word)
{
    assert(words->texts[word][PLURAL_OTHER]);
    return words->texts[word][PLURAL_OTHER];
}

enum plural plural_of(enum plural_rule rule, uint64_t n)
{
    switch (rule) {
    case PLURAL_RULE_ONE_OTHER:
        return n == 1 ? PLURAL_ONE : PLURAL_OTHER;
    case PLURAL_RULE_EAST_SLAVIC:
        if (n % 10 == 1 && n % 100 != 11)
            return PLURAL_ONE;
        if (n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 12 || n % 100 > 14))
            return PLURAL_FEW;
        return PLURAL_MANY;
    }
    return PLURAL_OTHER;
}

const char *words_plural(const struct words *words, enum word word, uint64_t n)
{
    const char *text = words->texts[word][plural_of(words->rule, n)];

    return text ? text : words_text(words, word);
}

void words_number(const struct words *words, uint64_t n, struct buf *out)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            buf_text(out, words_text(words, WORD_GROUP));
        buf_char(out, digits[i]);
    }
}

void words_hundredths(const struct words *words, uint64_t hundredths, struct buf *out)
{
    char plain[24];
    const char *point;

    tally_decimal(hundredths % 100, 2, plain);
    words_number(words, hundredths / 100, out);
    point = strchr(plain, '.');
    if (!point)
        return;
    buf_text(out, words_text(words, WORD_DECIMAL));
    buf_text(out, point + 1);
}

static void write_piece(void (*escape)(struct buf *, struct str), struct str piece, struct buf *out)
{
    if (escape)
        escape(out, piece);
    else
        buf_str_add(out, piece);
}

static struct str value_of(struct str name, const struct word_value *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(name, str_of(values[i].name)))
            return values[i].text;
    }
    return (struct str){ NULL, 0 };
}

void words_fill(const char *text, const struct word_value *values, size_t n,
                void (*escape)(struct buf *out, struct str piece), struct buf *out)
{
    struct str rest = str_of(text);

    while (rest.len > 0) {
        size_t open = str_find(rest, '{');
        size_t close = str_find(rest, '}');

        write_piece(escape, (struct str){ rest.at, open }, out);
        if (open >= rest.len || close < open || close == rest.len)
            return;
        buf_str_add(out, value_of((struct str){ rest.at + open + 1, close - open - 1 }, values, n));
        rest = str_from(rest, close + 1);
    }
}

void words_count(const struct words *words, enum word word, uint64_t n, struct buf *out)
{
    AUTO_BUF number = { 0 };
    struct word_value value = { .name = "n" };

    words_number(words, n, &number);
    value.text = buf_str(&number);
    buf_heed(out, &number);
    words_fill(words_plural(words, word, n), &value, 1, NULL, out);
}

void words_moment(const struct words *words, int64_t at_ms, struct buf *out)
{
    time_t at_s = (time_t)(at_ms / 1000);
    struct tm tm;
    char day[16];
    char year[16];
    char time_text[16];
    struct word_value values[4] = { { "day", { NULL, 0 } },
                                    { "month", { NULL, 0 } },
                                    { "year", { NULL, 0 } },
                                    { "time", { NULL, 0 } } };

    if (!gmtime_r(&at_s, &tm))
        return;
    (void)snprintf(day, sizeof day, "%d", tm.tm_mday);
    (void)snprintf(year, sizeof year, "%d", tm.tm_year + 1900);
    (void)snprintf(time_text, sizeof time_text, "%02d:%02d", tm.tm_hour, tm.tm_min);
    values[0].text = str_of(day);
    values[1].text = str_of(words_text(words, WORD_MONTH_1 + (enum word)tm.tm_mon));
    values[2].text = str_of(year);
    values[3].text = str_of(time_text);
    words_fill(words_text(words, WORD_MOMENT), values, 4, NULL, out);
}
