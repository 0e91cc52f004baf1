/*
 * commands.c - the commands: one table for dispatch, help and the nearest name.
 *
 * Threads: main.
 */
#include "commands.h"

#include <string.h>

#include "answers.h"
#include "nearest.h"
#include "version.h"

#define MANY SIZE_MAX

#define BIT(id) OPTION_BIT(OPTION_##id)
#define OF_A_POLL                                                                                  \
    (BIT(TITLE) | BIT(OPTION) | BIT(RATING) | BIT(OPENS) | BIT(CLOSES) | BIT(CHOICES) |            \
     BIT(REVOTE) | BIT(RESULTS) | BIT(VOTERS) | BIT(PER_ADDRESS) | BIT(AGAIN_AFTER))

const struct command commands[] = {
    { "create", create_run, "ID --title T (--option A --option B ... | --rating[=N]) ...",
      "make a poll", 1, 1, OF_A_POLL, NULL },
    { "set", set_run, "ID [--title T] [--closes TIME] ...", "change a poll", 1, 1, OF_A_POLL,
      NEXT_POLLS },
    { "apply", apply_run, "[--if-absent] FILE...|-", "make or replace polls from JSON files", 1,
      MANY, BIT(IF_ABSENT), NEXT_FILES },
    { "vote", vote_run, "ID N... [--voter V]", "vote for answer N", 2, MANY, BIT(VOTER),
      NEXT_POLLS },
    { "rate", rate_run, "ID STARS [--voter V]", "give stars", 2, 2, BIT(VOTER), NEXT_POLLS },
    { "retract", retract_run, "ID [--voter V]", "take a vote back", 1, 1, BIT(VOTER), NEXT_POLLS },
    { "get", get_run, "ID...", "print tallies as JSON", 1, MANY, 0, NEXT_MANY_POLLS },
    { "show", show_run, "ID...", "print tallies for people", 1, MANY, 0, NEXT_MANY_POLLS },
    { "watch", watch_run, "ID... [--count N]", "print tallies as they change", 1, MANY, BIT(COUNT),
      NEXT_MANY_POLLS },
    { "list", list_run, "[--kind KIND] [--state STATE]", "print what polls there are", 0, 0,
      BIT(KIND) | BIT(STATE), NULL },
    { "top", top_run, "[--sort WHAT] [--min-votes N] [--limit N] ...", "print the best polls", 0, 0,
      BIT(SORT) | BIT(MIN_VOTES) | BIT(KIND) | BIT(STATE) | BIT(LIMIT) | BIT(PREFIX), NULL },
    { "open", open_run, "ID", "let a poll take votes", 1, 1, 0, NEXT_POLLS },
    { "close", close_run, "ID", "let a poll take no more votes", 1, 1, 0, NEXT_POLLS },
    { "delete", delete_run, "ID", "remove a poll and forget its voters", 1, 1, 0, NEXT_POLLS },
    { "carry", carry_run, "ID (N... [--voters N] | --count N --sum S)",
      "bring counts over from an older system", 1, MANY, BIT(VOTERS) | BIT(COUNT) | BIT(SUM),
      NEXT_POLLS },
    { "import", import_run, "[--format ndjson|csv] FILE|-", "bring votes in, many at once", 1, 1,
      BIT(FORMAT), NEXT_FILES },
    { "export", export_run, "ID [--all] [--format ndjson|csv] [-o F]", "write a poll's votes out",
      1, 1, BIT(ALL) | BIT(FORMAT) | BIT(OUTPUT), NEXT_POLLS },
    { "history", history_run, "ID [--step TIME]", "print how a poll's votes grew", 1, 1, BIT(STEP),
      NEXT_POLLS },
    { "chart", chart_run, "ID -o F.svg|F.png [--theme THEME] [--width N] [--of WHAT]",
      "draw a poll's figures into a file", 1, 1, BIT(OUTPUT) | BIT(THEME) | BIT(WIDTH) | BIT(OF),
      NEXT_POLLS },
    { "token", token_run, "[--voter V] [--poll ID]... [--expires TIME]", "print a new voter token",
      0, 0, BIT(VOTER) | BIT(POLL) | BIT(EXPIRES), NULL },
    { "keys", keys_run, "rotate", "let a new key sign voter tokens", 1, 1, 0, "rotate" },
    { "audit", audit_run, "ID", "print where and when votes came from", 1, 1, 0, NEXT_POLLS },
    { "void", void_run, "ID (--address-group HEX | --from TIME --to TIME) [--dry-run]",
      "take votes back, in the open", 1, 1, BIT(ADDRESS_GROUP) | BIT(FROM) | BIT(TO) | BIT(DRY_RUN),
      NEXT_POLLS },
    { "forget", forget_run, "ID [--voter V]", "forget who voted in a closed poll", 1, 1, BIT(VOTER),
      NEXT_POLLS },
    { "verify", verify_run, "[ID...]", "count the ledger again", 0, MANY, 0, NEXT_MANY_POLLS },
    { "backup", backup_run, "[--keep N] [FILE]", "copy the ledger while it works", 0, 1, BIT(KEEP),
      NULL },
    { "status", status_run, "[--watch]", "print how the daemon is", 0, 0, BIT(WATCH), NULL },
    { "help", help_run, "[COMMAND]", "print this, or a command's help", 0, 1, 0, NEXT_COMMANDS },
    { "completion", completion_run, "bash|zsh", "print a script that completes command lines", 1,
      MANY, 0, "bash zsh" },
};
const size_t commands_count = sizeof commands / sizeof commands[0];

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < commands_count; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static const char *command_name(size_t i)
{
    return i < commands_count ? commands[i].name : NULL;
}

const struct command *command_nearest(const char *name)
{
    const char *near = nearest_name(name, command_name);

    return near ? command_find(near) : NULL;
}

enum outcome session_refused(struct session *session, const char *about,
                             const struct http_answer *answer)
{
    AUTO_BUF how = { 0 };

    version_remedy(session->http, answer, &how);
    return complain_of_refusal_with(how.len > 0 && buf_ok(&how) ? how.bytes : NULL, about, answer);
}

enum outcome session_ask(struct session *session, const struct http_request *request,
                         const char *about, struct http_answer *ret_answer)
{
    struct why why = { "" };
    enum http_result result = http_send(session->http, request, ret_answer, &why);

    if (result != HTTP_ANSWERED)
        return complain_of_silence(result, &why);
    if (outcome_of(ret_answer->status) != OUTCOME_DONE)
        return session_refused(session, about, ret_answer);
    return OUTCOME_DONE;
}

enum outcome session_each(struct session *session,
                          enum outcome (*work)(struct session *session, const char *operand))
{
    enum outcome all = OUTCOME_DONE;

    for (size_t i = 0; i < session->operand_count; i++) {
        enum outcome one = work(session, session->operands[i]);

        all = outcome_first(all, one);
        if (one == OUTCOME_UNREACHABLE)
            break; /* the others would wait for the same silence */
    }
    return all;
}
