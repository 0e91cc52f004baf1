/*
 * commands.c - the commands: one table for dispatch, help and the nearest name.
 *
 * Threads: main.
 */
#include "commands.h"

#include <string.h>

#include "answers.h"

#define NAME_BYTES_MAX 31
#define MANY SIZE_MAX

#define BIT(id) OPTION_BIT(OPTION_##id)
#define OF_A_POLL                                                                                  \
    (BIT(TITLE) | BIT(OPTION) | BIT(RATING) | BIT(OPENS) | BIT(CLOSES) | BIT(CHOICES) |            \
     BIT(REVOTE) | BIT(RESULTS) | BIT(VOTERS) | BIT(PER_ADDRESS) | BIT(AGAIN_AFTER))

const struct command commands[] = {
    { "create", create_run, "ID --title T (--option A --option B ... | --rating[=N]) ...",
      "make a poll", 1, 1, OF_A_POLL },
    { "set", set_run, "ID [--title T] [--closes TIME] ...", "change a poll", 1, 1, OF_A_POLL },
    { "apply", apply_run, "[--if-absent] FILE...|-", "make or replace polls from JSON files", 1,
      MANY, BIT(IF_ABSENT) },
    { "vote", vote_run, "ID N... [--voter V]", "vote for answer N", 2, MANY, BIT(VOTER) },
    { "rate", rate_run, "ID STARS [--voter V]", "give stars", 2, 2, BIT(VOTER) },
    { "retract", retract_run, "ID [--voter V]", "take a vote back", 1, 1, BIT(VOTER) },
    { "get", get_run, "ID...", "print tallies as JSON", 1, MANY, 0 },
    { "show", show_run, "ID...", "print tallies for people", 1, MANY, 0 },
    { "watch", watch_run, "ID... [--count N]", "print tallies as they change", 1, MANY,
      BIT(COUNT) },
    { "list", list_run, "[--kind KIND] [--state STATE]", "print what polls there are", 0, 0,
      BIT(KIND) | BIT(STATE) },
    { "top", top_run, "[--sort WHAT] [--min-votes N] [--limit N] ...", "print the best polls", 0, 0,
      BIT(SORT) | BIT(MIN_VOTES) | BIT(KIND) | BIT(STATE) | BIT(LIMIT) | BIT(PREFIX) },
    { "open", open_run, "ID", "let a poll take votes", 1, 1, 0 },
    { "close", close_run, "ID", "let a poll take no more votes", 1, 1, 0 },
    { "delete", delete_run, "ID", "remove a poll and forget its voters", 1, 1, 0 },
    { "carry", carry_run, "ID (N... [--voters N] | --count N --sum S)",
      "bring counts over from an older system", 1, MANY, BIT(VOTERS) | BIT(COUNT) | BIT(SUM) },
    { "import", import_run, "[--format ndjson|csv] FILE|-", "bring votes in, many at once", 1, 1,
      BIT(FORMAT) },
    { "export", export_run, "ID [--all] [--format ndjson|csv] [-o F]", "write a poll's votes out",
      1, 1, BIT(ALL) | BIT(FORMAT) | BIT(OUTPUT) },
    { "history", history_run, "ID [--step TIME]", "print how a poll's votes grew", 1, 1,
      BIT(STEP) },
    { "chart", chart_run, "ID -o F.svg|F.png [--theme THEME] [--width N] [--of WHAT]",
      "draw a poll's figures into a file", 1, 1, BIT(OUTPUT) | BIT(THEME) | BIT(WIDTH) | BIT(OF) },
    { "token", token_run, "[--voter V] [--poll ID]... [--expires TIME]", "print a new voter token",
      0, 0, BIT(VOTER) | BIT(POLL) | BIT(EXPIRES) },
    { "keys", keys_run, "rotate", "let a new key sign voter tokens", 1, 1, 0 },
    { "audit", audit_run, "ID", "print where and when votes came from", 1, 1, 0 },
    { "void", void_run, "ID (--address-group HEX | --from TIME --to TIME) [--dry-run]",
      "take votes back, in the open", 1, 1,
      BIT(ADDRESS_GROUP) | BIT(FROM) | BIT(TO) | BIT(DRY_RUN) },
    { "forget", forget_run, "ID [--voter V]", "forget who voted in a closed poll", 1, 1,
      BIT(VOTER) },
    { "verify", verify_run, "[ID...]", "count the ledger again", 0, MANY, 0 },
    { "backup", backup_run, "FILE", "copy the ledger while it works", 1, 1, 0 },
    { "status", status_run, "[--watch]", "print how the daemon is", 0, 0, BIT(WATCH) },
    { "help", help_run, "[COMMAND]", "print this, or a command's help", 0, 1, 0 },
    { .name = "completion" },
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

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters must be put in, left out, changed or swapped with their neighbour. */
static size_t distance(const char *from, const char *to)
{
    size_t from_len = strlen(from);
    size_t to_len = strlen(to);
    size_t d[NAME_BYTES_MAX + 1][NAME_BYTES_MAX + 1];

    if (from_len > NAME_BYTES_MAX || to_len > NAME_BYTES_MAX)
        return SIZE_MAX;
    for (size_t i = 0; i <= from_len; i++) {
        for (size_t j = 0; j <= to_len; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
                            d[i - 1][j - 1] + (from[i - 1] != to[j - 1]));
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[from_len][to_len];
}

const struct command *command_nearest(const char *name)
{
    const struct command *nearest = NULL;
    size_t best = strlen(name) < 4 ? 1 : 2; /* what is further off is another word */

    for (size_t i = 0; i < commands_count; i++) {
        size_t far = distance(name, commands[i].name);

        if (far < best || (far == best && !nearest)) {
            nearest = &commands[i];
            best = far;
        }
    }
    return nearest;
}

enum outcome session_ask(struct session *session, const struct http_request *request,
                         const char *about, struct http_answer *ret_answer)
{
    struct why why = { "" };
    enum http_result result = http_send(session->http, request, ret_answer, &why);

    if (result != HTTP_ANSWERED)
        return complain_of_silence(result, &why);
    if (outcome_of(ret_answer->status) != OUTCOME_DONE)
        return complain_of_refusal(about, ret_answer);
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
