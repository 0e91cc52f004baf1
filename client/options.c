/*
 * options.c - what was asked for on the command line and in the environment.
 *
 * Threads: main.
 */
#include "options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "nearest.h"

#define SOCKET_DEFAULT "/run/tallyd/tallyd.sock"
#define LONG_BASE 256 /* getopt_long() answers characters for short options, and these for long */

#define OPTION_ROW(id, name, wants, value, help) { name, wants, value, help },
const struct option_row option_rows[OPTION_COUNT_OF] = { OPTIONS(OPTION_ROW) };
#undef OPTION_ROW

static int argument_of(enum option_wants wants)
{
    switch (wants) {
    case WANTS_NOTHING:
        return no_argument;
    case WANTS_VALUE:
        return required_argument;
    case MAY_HAVE_VALUE:
        return optional_argument;
    }
    return no_argument;
}

static const char *option_name(size_t i)
{
    return i < OPTION_COUNT_OF ? option_rows[i].name : NULL;
}

/* `word` is as it was typed, with its hyphens and perhaps a value. */
static void unknown_long(struct options *options, const char *word)
{
    char name[NEAREST_BYTES_MAX + 1] = "";
    size_t len = strcspn(word, "=");
    const char *near = NULL;

    if (len > 2 && len - 2 < sizeof name) {
        memcpy(name, word + 2, len - 2);
        near = nearest_name(name, option_name);
    }
    if (near)
        why_set(&options->wrong_why, "unknown option %s; is it --%s?", word, near);
    else
        why_set(&options->wrong_why, "unknown option %s", word);
}

static void wrong_set(struct options *options, int answer, char **argv)
{
    if (options->wrong)
        return;
    options->wrong = true;
    if (answer == ':')
        why_set(&options->wrong_why, "%s wants a value", argv[optind - 1]);
    else if (optopt >= LONG_BASE)
        why_set(&options->wrong_why, "--%s takes no value", option_rows[optopt - LONG_BASE].name);
    else if (optopt != 0)
        why_set(&options->wrong_why, "unknown option -%c", optopt);
    else
        unknown_long(options, argv[optind - 1]);
}

static void given_add(struct options *options, int answer)
{
    enum option_id id = answer == 'h'   ? OPTION_HELP
                        : answer == 'V' ? OPTION_VERSION
                        : answer == 'o' ? OPTION_OUTPUT
                                        : (enum option_id)(answer - LONG_BASE);

    options->given[options->given_count++] = (struct option_given){ id, optarg };
}

struct options *options_read(int argc, char **argv)
{
    AUTO(options) options = calloc(1, sizeof *options);
    struct option longs[OPTION_COUNT_OF + 1] = { 0 };
    int answer;

    if (!options)
        return NULL;
    options->given = calloc((size_t)argc + 1, sizeof *options->given);
    if (!options->given)
        return NULL;
    for (int i = 0; i < OPTION_COUNT_OF; i++) {
        longs[i].name = option_rows[i].name;
        longs[i].has_arg = argument_of(option_rows[i].wants);
        longs[i].val = LONG_BASE + i;
    }
    opterr = 0;
    optind = 0; /* from the start, also where another line was read before */
    while ((answer = getopt_long(argc, argv, ":hVo:", longs, NULL)) != -1) {
        if (answer == '?' || answer == ':')
            wrong_set(options, answer, argv);
        else
            given_add(options, answer);
    }
    options->operands = argv + optind;
    options->operand_count = (size_t)(argc - optind);
    return TAKE(options);
}

void options_free(struct options *options)
{
    if (!options)
        return;
    free(options->given);
    free(options);
}

bool options_has(const struct options *options, enum option_id id)
{
    for (size_t i = 0; i < options->given_count; i++) {
        if (options->given[i].id == id)
            return true;
    }
    return false;
}

const char *options_value(const struct options *options, enum option_id id)
{
    for (size_t i = options->given_count; i > 0; i--) {
        if (options->given[i - 1].id == id)
            return options->given[i - 1].value;
    }
    return NULL;
}

enum option_id options_outside(const struct options *options, uint64_t set)
{
    for (size_t i = 0; i < options->given_count; i++) {
        if (!(set & OPTION_BIT(options->given[i].id)))
            return options->given[i].id;
    }
    return OPTION_COUNT_OF;
}

/* A variable that is empty counts as none, as NO_COLOR and the locale's do. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] ? value : NULL;
}

static bool is_url(const char *text)
{
    return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
}

bool options_place(const struct options *options, struct place *ret_place, struct why *reterr_why)
{
    struct place place = { options_value(options, OPTION_URL),
                           options_value(options, OPTION_SOCKET) };

    if (place.url && place.socket) {
        why_set(reterr_why, "--url and --socket are two places");
        return false;
    }
    if (!place.url && !place.socket)
        place.url = variable("TALLY_URL");
    if (!place.url && !place.socket)
        place.socket = variable("TALLY_SOCKET");
    if (!place.url && !place.socket)
        place.socket = SOCKET_DEFAULT;
    if (place.url && !is_url(place.url)) {
        why_set(reterr_why, "%s is no URL: it starts with neither http:// nor https://", place.url);
        return false;
    }
    *ret_place = place;
    return true;
}

static bool is_tag(struct str s)
{
    if (s.len == 0 || s.len > LANGUAGE_BYTES_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c == '-' && i > 0)))
            return false;
    }
    return true;
}

/* ru_RU.UTF-8@euro is ru-RU; C, POSIX and what is no tag are nobody's language. */
static void language_of_locale(char ret_language[LANGUAGE_BYTES_MAX + 1])
{
    static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
    const char *locale = NULL;
    size_t len;

    for (size_t i = 0; i < sizeof names / sizeof names[0] && !locale; i++)
        locale = variable(names[i]);
    if (!locale)
        return;
    len = strcspn(locale, ".@");
    if (len > LANGUAGE_BYTES_MAX || str_eq((struct str){ locale, len }, STR("C")) ||
        str_eq((struct str){ locale, len }, STR("POSIX")))
        return;
    memcpy(ret_language, locale, len);
    for (size_t i = 0; i < len; i++) {
        if (ret_language[i] == '_')
            ret_language[i] = '-';
    }
    ret_language[len] = '\0';
    if (!is_tag((struct str){ ret_language, len }))
        ret_language[0] = '\0';
}

bool options_language(const struct options *options, char ret_language[LANGUAGE_BYTES_MAX + 1],
                      struct why *reterr_why)
{
    const char *given = options_value(options, OPTION_LANG);

    ret_language[0] = '\0';
    if (!given) {
        language_of_locale(ret_language);
        return true;
    }
    if (!is_tag(str_of(given))) {
        why_set(reterr_why, "--lang %s is no language tag", given);
        return false;
    }
    memcpy(ret_language, given, strlen(given) + 1);
    return true;
}
