/*
 * web/live_words.c - what the script says where figures change or a vote is on its way.
 *
 * The script has no words of its own: they come with the page, in the page's language, so that
 * there is one place for them.
 *
 * Threads: any; nothing is shared.
 */
#include "web/parts.h"

static const enum word handed[] = {
    WORD_FIGURE,         WORD_RATED,         WORD_NO_VOTES, WORD_VOTES,   WORD_SEVERAL,
    WORD_TIED,           WORD_TIED_FIRST,    WORD_SENDING,  WORD_OFFLINE, WORD_AGAIN,
    WORD_REFUSED_ORIGIN, WORD_REFUSED_OFTEN, WORD_REFUSED,
};

static const char *const forms[PLURAL_FORMS] = { "zero", "one", "two", "few", "many", "other" };

static bool counts(const struct words *words, enum word word)
{
    for (size_t form = 0; form < PLURAL_OTHER; form++) {
        if (words->texts[word][form])
            return true;
    }
    return false;
}

/* {"one":"{n} vote","other":"{n} votes"}: by the names that Intl.PluralRules has for them. */
static void forms_write(const struct words *words, enum word word, struct buf *json)
{
    char before = '{';

    for (size_t form = 0; form < PLURAL_FORMS; form++) {
        if (!words->texts[word][form])
            continue;
        buf_format(json, "%c\"%s\":", before, forms[form]);
        buf_json_string(json, str_of(words->texts[word][form]));
        before = ',';
    }
    buf_char(json, '}');
}

void live_words_write(const struct words *words, struct buf *out)
{
    AUTO_BUF json = { 0 };

    for (size_t i = 0; i < sizeof handed / sizeof handed[0]; i++) {
        buf_format(&json, "%c\"%s\":", i > 0 ? ',' : '{', word_keys[handed[i]]);
        if (counts(words, handed[i]))
            forms_write(words, handed[i], &json);
        else
            buf_json_string(&json, str_of(words_text(words, handed[i])));
    }
    buf_text(&json, "}");
    if (!buf_ok(&json))
        out->failed = true;
    buf_text(out, " data-words=\"");
    html_text(out, buf_str(&json));
    buf_char(out, '"');
}
