/*
 * settings.c - the command line of tally-import.
 *
 * Threads: main.
 */
#include "settings.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "nearest.h"
#include "origins.h"
#include "report.h"

enum {
    LETTER_PREFER = 256,
    LETTER_CLOSED,
    LETTER_LEAVE_OUT,
    LETTER_PREFIX,
    LETTER_SCALE,
    LETTER_ZONE,
    LETTER_HELP,
    LETTER_VERSION
};

static const struct option options[] = {
    { "output", required_argument, NULL, 'o' },
    { "dry-run", no_argument, NULL, 'n' },
    { "prefix", required_argument, NULL, LETTER_PREFIX },
    { "zone", required_argument, NULL, LETTER_ZONE },
    { "scale", required_argument, NULL, LETTER_SCALE },
    { "prefer", required_argument, NULL, LETTER_PREFER },
    { "closed", no_argument, NULL, LETTER_CLOSED },
    { "leave-out", no_argument, NULL, LETTER_LEAVE_OUT },
    { "help", no_argument, NULL, LETTER_HELP },
    { "version", no_argument, NULL, LETTER_VERSION },
    { NULL, 0, NULL, 0 },
};

static const char help_begin[] =
    "Usage: tally-import [OPTION]... SYSTEM FILE...\n\n"
    "Makes a file for `tally apply` out of the tables of an older system: its polls, with their\n"
    "totals as carried counts. FILE is a dump of mysqldump, phpMyAdmin or pg_dump as text, or a\n"
    "table as CSV with a header, named TABLE.csv or said as TABLE=FILE. All is UTF-8.\n\n";

static const char help_options[] =
    "\nOptions:\n"
    "  -o, --output F      write to F, which gets its name when it is whole (stdout)\n"
    "  -n, --dry-run       list the polls, and write nothing\n"
    "  --prefix P          what stands in front of the names of tables (WordPress: wp_)\n"
    "  --zone Z            whose clock times are by, as Europe/Berlin or +03:00\n"
    "  --scale N           stars of a rating, 2 to 10 (as the files say, or 5), or up-down\n"
    "  --prefer W          where a total and its log disagree: total (usual) or log\n"
    "  --closed            close all polls\n"
    "  --leave-out         leave out polls that tallyd cannot hold, instead of stopping\n"
    "  --help              this help\n"
    "  --version           the version\n"
    "\nEach disagreement is told on stderr.\n"
    "\nExit status: 0 done, 1 failed, 2 usage, 6 a file or a poll is refused.\n";

static void help_write(void)
{
    (void)printf("%sSYSTEM, and the tables that are read ([]: where they are there):\n",
                 help_begin);
    for (size_t i = 0; i < origins_count; i++) {
        const struct origin *origin = origins[i];

        (void)printf("  %-15s %s:\n                 ", origin->name, origin->help);
        for (size_t t = 0; t < origin->count; t++)
            (void)printf(origin->tables[t].needed ? " %s%s" : " [%s%s]", origin->prefix,
                         origin->tables[t].name);
        (void)printf("\n");
    }
    (void)printf("%s", help_options);
}

/* Tells what is wrong with the command line; SETTINGS_WRONG. */
#define wrong(...) (report(NULL, __VA_ARGS__), usage_tell())

static enum settings_result usage_tell(void)
{
    report(NULL, "`tally-import --help` shows how it is used");
    return SETTINGS_WRONG;
}

static const char *option_name(size_t i)
{
    return options[i].name;
}

static const char *origin_name(size_t i)
{
    return i < origins_count ? origins[i]->name : NULL;
}

/* getopt says only that it does not know it, or that its value is missing. */
static enum settings_result unknown(const char *word, bool lacks_value)
{
    const char *name = word + strspn(word, "-");
    const char *nearest;

    if (lacks_value)
        return wrong("%s wants a value", word);
    nearest = strlen(name) < NEAREST_BYTES_MAX ? nearest_name(name, option_name) : NULL;
    if (nearest)
        return wrong("there is no option %s; is it --%s?", word, nearest);
    return wrong("there is no option %s", word);
}

static enum settings_result scale_take(struct settings *settings, const char *value)
{
    settings->up_down = strcmp(value, "up-down") == 0;
    if (settings->up_down ||
        (str_uint64(str_of(value), STARS_MAX, &settings->scale) && settings->scale >= 2))
        return SETTINGS_READ;
    return wrong("--scale is 2 to 10, or up-down; it is no %s", value);
}

static enum settings_result option_take(struct settings *settings, int letter, const char *value)
{
    switch (letter) { /* what getopt_long() gives */
    case 'o':
        settings->output = strcmp(value, "-") == 0 ? NULL : value;
        return SETTINGS_READ;
    case 'n':
        settings->dry_run = true;
        return SETTINGS_READ;
    case LETTER_PREFIX:
        settings->prefix = value;
        return SETTINGS_READ;
    case LETTER_CLOSED:
        settings->closed = true;
        return SETTINGS_READ;
    case LETTER_LEAVE_OUT:
        settings->leave_out = true;
        return SETTINGS_READ;
    case LETTER_ZONE:
        settings->zone = value;
        return zone_known(value)
                   ? SETTINGS_READ
                   : wrong("--zone is as Europe/Berlin or +03:00; %s is not known here", value);
    case LETTER_PREFER:
        settings->prefer_log = strcmp(value, "log") == 0;
        return settings->prefer_log || strcmp(value, "total") == 0
                   ? SETTINGS_READ
                   : wrong("--prefer is total or log; it is no %s", value);
    default:
        return scale_take(settings, value);
    }
}

static enum settings_result operands_take(struct settings *settings, int count, char **operands)
{
    const char *nearest;

    if (count == 0)
        return wrong("a SYSTEM is missing, as %s", origins[0]->name);
    settings->origin = origin_find(operands[0]);
    if (!settings->origin) {
        nearest = nearest_name(operands[0], origin_name);
        if (nearest)
            return wrong("there is no system %s; is it %s?", operands[0], nearest);
        return wrong("there is no system %s", operands[0]);
    }
    if (count == 1)
        return wrong("a FILE is missing: a dump of %s", settings->origin->name);
    settings->files = operands + 1;
    settings->files_count = (size_t)count - 1;
    return SETTINGS_READ;
}

enum settings_result settings_read(int argc, char **argv, struct settings *ret_settings)
{
    int letter;

    *ret_settings = (struct settings){ .origin = NULL };
    opterr = 0;
    while ((letter = getopt_long(argc, argv, ":o:n", options, NULL)) != -1) {
        enum settings_result result;

        if (letter == LETTER_HELP) {
            help_write();
            return SETTINGS_ANSWERED;
        }
        if (letter == LETTER_VERSION) {
            (void)printf("tally-import %s\n", TALLYD_VERSION);
            return SETTINGS_ANSWERED;
        }
        if (letter == '?' || letter == ':')
            return unknown(argv[optind - 1], letter == ':');
        result = option_take(ret_settings, letter, optarg);
        if (result != SETTINGS_READ)
            return result;
    }
    return operands_take(ret_settings, argc - optind, argv + optind);
}
