/*
 * commands.h - the commands: one table for dispatch, help and the nearest name.
 */
#ifndef TALLY_COMMANDS_H
#define TALLY_COMMANDS_H

#include <stddef.h>
#include <stdint.h>

#include "http.h"
#include "options.h"
#include "outcome.h"
#include "screen.h"

/* What a command works with. */
struct session {
    const struct options *options;
    const struct command *command;
    char **operands; /* behind the command's name */
    size_t operand_count;
    struct http *http;
    struct screen screen;
    bool shown; /* a poll stands on stdout: a line is left empty before the next */
};

struct command {
    const char *name;
    enum outcome (*run)(struct session *session);
    const char *synopsis; /* behind the name */
    const char *help;
    size_t operands_min;
    size_t operands_max;
    uint64_t options; /* a set; the global ones need no mention */
    const char
        *next; /* what completion offers as operands: words, or one of NEXT_...; NULL: none */
};

#define NEXT_POLLS "@polls" /* one, and then something else */
#define NEXT_MANY_POLLS "@polls..."
#define NEXT_FILES "@files"
#define NEXT_COMMANDS "@commands"

extern const struct command commands[];
extern const size_t commands_count;

/* The command of that name, or NULL. */
const struct command *command_find(const char *name);
/* The one whose name is nearest, or NULL when none is near. */
const struct command *command_nearest(const char *name);

/* Tells what the daemon refused; where it does not know what was asked for, which of the two is
 * older.
 */
enum outcome session_refused(struct session *session, const char *about,
                             const struct http_answer *answer);

/* Sends; done is a 2xx. Everything else is told on stderr. */
enum outcome session_ask(struct session *session, const struct http_request *request,
                         const char *about, struct http_answer *ret_answer);

/* Does the work for each operand; what fails first is the outcome. */
enum outcome session_each(struct session *session,
                          enum outcome (*work)(struct session *session, const char *operand));

/* help.c: to stdout; NULL is the help of the whole. */
enum outcome help_write(const struct command *command);

/* define.c */
enum outcome create_run(struct session *session);
enum outcome set_run(struct session *session);
enum outcome open_run(struct session *session);
enum outcome close_run(struct session *session);
enum outcome delete_run(struct session *session);
enum outcome carry_run(struct session *session);

/* apply.c */
enum outcome apply_run(struct session *session);

/* vote.c */
enum outcome vote_run(struct session *session);
enum outcome rate_run(struct session *session);
enum outcome retract_run(struct session *session);

/* get.c */
enum outcome get_run(struct session *session);

/* show.c */
enum outcome show_run(struct session *session);

/* list.c */
enum outcome list_run(struct session *session);

/* top.c */
enum outcome top_run(struct session *session);

/* chart.c */
enum outcome chart_run(struct session *session);

/* watch.c */
enum outcome watch_run(struct session *session);

/* import.c */
enum outcome import_run(struct session *session);

/* export.c */
enum outcome export_run(struct session *session);

/* history.c */
enum outcome history_run(struct session *session);

/* tokens.c */
enum outcome token_run(struct session *session);
enum outcome keys_run(struct session *session);

/* audit.c */
enum outcome audit_run(struct session *session);

/* void.c */
enum outcome void_run(struct session *session);
enum outcome forget_run(struct session *session);

/* verify.c */
enum outcome verify_run(struct session *session);

/* backup.c */
enum outcome backup_run(struct session *session);

/* status.c */
enum outcome status_run(struct session *session);

/* completion.c */
enum outcome completion_run(struct session *session);

/* help.c */
enum outcome help_run(struct session *session);

#endif
