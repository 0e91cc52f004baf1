/*
 * help.c - help, all of it from the tables of commands and options.
 *
 * Threads: main.
 */
#include <stdio.h>
#include <string.h>

#include "answers.h"
#include "commands.h"

#define OPTION_CELLS 24
#define NAME_CELLS 10

static const char exits[] =
    "\nExit: 0 done, 1 failed, 2 wrong usage, 3 daemon unreachable, 4 not allowed, 5 not found,\n"
    "6 refused. Without --url and --socket the daemon is asked at /run/tallyd/tallyd.sock.\n"
    "A vote that met no answer is sent again for up to 30 s; it never counts twice.\n";

/* What a command's help says below its options. */
static const struct {
    const char *name;
    const char *text;
} details[] = {
    { "watch", "On a terminal it draws the tallies again when they change, until Ctrl-C; in a\n"
               "pipe each is a line of JSON, beginning with the tallies as they are, which\n"
               "--count counts too. Below each picture stands how fast votes have come since it\n"
               "began. When the daemon goes away it waits for it for up to 30 s. It ends when\n"
               "all the polls are deleted (5).\n" },
    { "import",
      "A line of NDJSON is {\"poll\":\"p\",\"option\":2,\"voter\":\"v\"}; \"options\":[1,3] or\n"
      "\"rating\":5 in place of \"option\". CSV begins with the line poll,options,voter;\n"
      "several options are joined by |. Without --format, a name that ends in .csv\n"
      "means CSV.\n\n"
      "Each line is counted by itself. Refused ones go to FILE.rejects as they were\n"
      "written, to be mended and imported (from - to stderr), the first 10 reasons to\n"
      "stderr; then it ends with 6. FILE.rejects is that of the last import: it is\n"
      "written anew when a line is refused, and removed when all went through and none\n"
      "was.\n\n"
      "When the connection is lost, or the daemon cannot count for now, it goes on\n"
      "behind the last line that was answered, for up to 30 s without progress (not\n"
      "with --no-retry). Importing the same file again is safe: what is counted says\n"
      "`already` while the poll is open, and its voters may not vote anew.\n" },
    { "export", "The votes that stand, as of one moment: NDJSON, or CSV with a header. A file\n"
                "gets its name when the export is whole; what was cut before ends with 3 and\n"
                "leaves no file.\n" },
    { "top", "A score is a rating's mean drawn towards the mean of all by 10 votes, so that one\n"
             "five does not lead. By score and rating only ratings are listed, unless --kind\n"
             "says otherwise; polls without votes only with --min-votes 0.\n" },
    { "chart", "The file's name says whether it is SVG or PNG; it gets its name when the picture\n"
               "is whole. PNG is drawn where the daemon was built with it.\n" },
    { "history", "Votes up to the end of each step, carried ones included; steps without a change\n"
                 "are left out, and the last line is now. Times are UTC. On a terminal bars show\n"
                 "below how each answer grew over that time.\n" },
    { "token", "Whoever holds the token votes as V, or, without --voter, as somebody whom nobody\n"
               "knows. It stands alone on stdout: TOKEN=$(tally token --voter anna). Without\n"
               "--expires it is good for the daemon's token_lifetime, which is also the longest.\n"
               "A local user needs none, and may make none.\n" },
    { "keys", "Tokens that the old key signed stay good until they run out. The key of the\n"
              "voter hashes never changes, so nobody can vote twice.\n" },
    { "audit", "An address group is what counts as one address, shown as a hash. A burst is\n"
               "many times the poll's usual votes a minute. In a pipe it is JSON.\n" },
    { "void",
      "The votes of an address group, or of a time. Nothing is erased: new rows take\n"
      "them back, and the history shows it. Who gave them has voted, and votes no more.\n" },
    { "forget", "Counts and rows stand, but nothing links them to a voter any more. A poll that\n"
                "forgot all its voters never opens again. Backups made before still know.\n" },
    { "verify", "Counts all votes of the ledger again, of these polls or of all, and compares\n"
                "them with the tallies. A line for each mismatch; then it ends with 1.\n" },
    { "backup", "A copy of the ledger while it works, of one moment; nothing is overwritten.\n"
                "Without FILE its name is the time, tally-20261123T030000Z.db, and --keep deletes\n"
                "older ones with such names where it lies, with their keys. A plain name lies in\n"
                "the daemon's backup_dir; with a slash it is a path, and asked for on the Unix\n"
                "socket only. Ledger and key belong together: `tallyd --restore` needs both.\n" },
    { "completion",
      "For this shell: eval \"$(tally completion bash)\", or the same with zsh. A daemon that\n"
      "can be reached is asked for the ids of its polls.\n" },
    { "status",
      "With --watch, the polls that votes come for are drawn below, those first that got the most\n"
      "in the last minute. In a pipe it is JSON; with --watch a line each second.\n" },
};

static void option_write(enum option_id id)
{
    const struct option_row *row = &option_rows[id];
    bool may = row->wants == MAY_HAVE_VALUE;
    char name[64];

    (void)snprintf(name, sizeof name, "--%s%s%s%s", row->name,
                   !row->value ? ""
                   : may       ? "[="
                               : " ",
                   row->value ? row->value : "", may ? "]" : "");
    (void)printf("  %-*s %s\n", OPTION_CELLS, name, row->help);
}

static void options_write(uint64_t set)
{
    for (int id = 0; id < OPTION_COUNT_OF; id++) {
        if (set & OPTION_BIT(id))
            option_write((enum option_id)id);
    }
}

static void command_write(const struct command *command)
{
    (void)printf("Usage: tally %s %s\n\n%s: %s\n", command->name, command->synopsis, command->name,
                 command->help);
    if (command->options)
        (void)printf("\n");
    options_write(command->options);
    for (size_t i = 0; i < sizeof details / sizeof details[0]; i++) {
        if (strcmp(details[i].name, command->name) == 0)
            (void)printf("\n%s", details[i].text);
    }
    (void)printf("\n`tally help` shows the options that every command takes.\n");
}

enum outcome help_write(const struct command *command)
{
    if (command) {
        command_write(command);
        return OUTCOME_DONE;
    }
    (void)printf("Usage: tally [OPTION]... COMMAND ...\n\nVotes and tallies of a tallyd.\n\n");
    for (size_t i = 0; i < commands_count; i++)
        (void)printf("  %-*s %s\n", NAME_CELLS, commands[i].name, commands[i].help);
    (void)printf("\n`tally help COMMAND` shows more. Options, before or behind the command:\n");
    options_write(OPTION_BIT(OPTION_GLOBAL_LAST + 1) - 1);
    (void)printf("%s", exits);
    return OUTCOME_DONE;
}

enum outcome help_run(struct session *session)
{
    const struct command *command;

    if (session->operand_count == 0)
        return help_write(NULL);
    command = command_find(session->operands[0]);
    if (!command)
        return misused("there is no command %s", session->operands[0]);
    return help_write(command);
}
