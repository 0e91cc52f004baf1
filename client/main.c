/*
 * main.c - tally, the client: finds the command, opens what it needs, runs it.
 *
 * Threads: main, the only one.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "answers.h"
#include "base/str.h"
#include "base/utf8.h"
#include "commands.h"

#define TOKEN_BYTES_MAX 8192

static bool color_of(const char *when, enum color_when *ret_when)
{
    static const char *const names[] = { "auto", "always", "never" };

    *ret_when = COLOR_AUTO;
    for (size_t i = 0; when && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(when, names[i]) == 0) {
            *ret_when = (enum color_when)i;
            return true;
        }
    }
    return !when;
}

static const char *token_file(const struct options *options)
{
    const char *path = options_value(options, OPTION_TOKEN_FILE);

    if (!path)
        path = getenv("TALLY_TOKEN_FILE");
    return path && path[0] ? path : NULL;
}

/* A field value must not end its line: visible ASCII, as tokens are. */
static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] <= ' ' || s.at[i] > '~')
            return false;
    }
    return s.len > 0;
}

/* What a token opens is open to all where they may read it. Pipes and terminals are nobody's. */
static void warn_if_open(FILE *file, const char *path)
{
    struct stat status;

    if (fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode) &&
        (status.st_mode & (S_IROTH | S_IWOTH)) != 0)
        complain(NULL,
                 "warning: everybody may read or change the token file %s; chmod 640 it, and let "
                 "the daemon have a new token if somebody may have read it",
                 path);
}

/* The first line of the file, to be freed; NULL, and told: there is none. */
static char *token_read(const char *path)
{
    char line[TOKEN_BYTES_MAX + 1] = "";
    FILE *file = fopen(path, "re");
    struct str token;
    char *copy;

    if (!file) {
        failed_here("cannot open the token file %s: %m", path);
        return NULL;
    }
    warn_if_open(file, path);
    if (!fgets(line, sizeof line, file))
        line[0] = '\0';
    (void)fclose(file);
    line[strcspn(line, "\r\n")] = '\0';
    token = str_trim(str_of(line));
    if (!is_token(token)) {
        failed_here("the first line of %s is no token", path);
        return NULL;
    }
    copy = str_copy(token);
    if (!copy)
        failed_here("no memory");
    return copy;
}

/* Everything that was typed goes into JSON, paths or messages; what completion is asked about is
 * still being typed. */
static bool is_readable(const struct options *options)
{
    for (size_t i = 0; i < options->operand_count; i++) {
        if (options->operands[i][0] == '\0' || !utf8_is_text(str_of(options->operands[i])))
            return false;
    }
    for (size_t i = 0; i < options->given_count; i++) {
        if (!utf8_is_text(str_of(options->given[i].value)))
            return false;
    }
    return true;
}

static enum outcome unknown_command(const char *name)
{
    const struct command *nearest = command_nearest(name);

    if (!nearest)
        return misused("there is no command %s", name);
    return misused("there is no command %s; is it %s?", name, nearest->name);
}

/* Is the command line one that `command` can work with? */
static enum outcome check(const struct options *options, const struct command *command)
{
    uint64_t set = command->options | (OPTION_BIT(OPTION_GLOBAL_LAST + 1) - 1);
    enum option_id outside = options_outside(options, set);
    size_t operands = options->operand_count - 1;

    if (options->wrong)
        return misused("%s", options->wrong_why.text);
    if (outside != OPTION_COUNT_OF)
        return misused("%s takes no --%s", command->name, option_rows[outside].name);
    if (command->run != completion_run && !is_readable(options))
        return misused("an argument is empty, or is no UTF-8 text without controls");
    if (operands < command->operands_min || operands > command->operands_max)
        return misused("it is: tally %s %s", command->name, command->synopsis);
    return OUTCOME_DONE;
}

static enum outcome connect_and_run(struct session *session)
{
    char language[LANGUAGE_BYTES_MAX + 1];
    const char *path = token_file(session->options);
    struct http_settings settings = { .language = language };
    AUTO_BYTES char *token = NULL;
    AUTO(http) http = NULL;
    struct why why;

    if (!options_place(session->options, &settings.place, &why) ||
        !options_language(session->options, language, &why))
        return misused("%s", why.text);
    if (path) {
        token = token_read(path);
        if (!token)
            return OUTCOME_FAILED;
    }
    settings.token = token;
    http = http_new(&settings, &why);
    if (!http)
        return failed_here("%s", why.text);
    session->http = http;
    return session->command->run(session);
}

static enum outcome run(const struct options *options)
{
    const char *name = options->operand_count > 0 ? options->operands[0] : NULL;
    const struct command *command = name ? command_find(name) : NULL;
    struct session session = { .options = options, .command = command };
    enum color_when when;
    enum outcome checked;

    if (name && !command)
        return unknown_command(name);
    if (options->wrong)
        return misused("%s", options->wrong_why.text);
    if (options_has(options, OPTION_HELP))
        return help_write(command);
    if (options_has(options, OPTION_VERSION)) {
        (void)printf("tally %s\n", TALLYD_VERSION);
        return OUTCOME_DONE;
    }
    if (!command)
        return misused("a command is missing");
    checked = check(options, command);
    if (checked != OUTCOME_DONE)
        return checked;
    if (!color_of(options_value(options, OPTION_COLOR), &when))
        return misused("--color is auto, always or never");
    session.operands = options->operands + 1;
    session.operand_count = options->operand_count - 1;
    session.screen = screen_of_stdout(when);
    return command->run == help_run ? help_run(&session) : connect_and_run(&session);
}

int main(int argc, char **argv)
{
    AUTO(options) options = options_read(argc, argv);
    enum outcome outcome;

    if (!options)
        return (int)failed_here("no memory");
    /* LC_CTYPE alone: numbers keep their point, messages are English. */
    (void)setlocale(LC_CTYPE, "");
    outcome = run(options);
    return (int)outcome_first(outcome, stdout_sent());
}
