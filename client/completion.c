/*
 * completion.c - `tally completion`: what may come next on a command line.
 *
 * The scripts are small: a shell hands over its words by `tally completion words -- WORD...`, the
 * last of them the one that is being typed, and is told what may stand there, one a line, with what
 * it means behind a tab. So both shells know what the tables of commands and options know.
 *
 * Threads: main.
 */
#include <stdio.h>
#include <string.h>

#include "answers.h"
#include "commands.h"
#include "json.h"
#include "paths.h"

#define IDS_MAX 1000
#define ID_BYTES_MAX 128

static const char script_bash[] =
    "# bash: eval \"$(tally completion bash)\", or a file in bash-completion's completions folder\n"
    "_tally() {\n"
    "  local line\n"
    "  COMPREPLY=()\n"
    "  while IFS= read -r line; do\n"
    "    COMPREPLY+=(\"${line%%$'\\t'*}\")\n"
    "  done < <(tally completion words -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
    "}\n"
    "complete -o default -F _tally tally\n";

static const char script_zsh[] =
    "#compdef tally\n"
    "# zsh: a file named _tally in a folder of $fpath, or: source <(tally completion zsh)\n"
    "_tally() {\n"
    "  local line\n"
    "  local -a found\n"
    "  for line in \"${(@f)$(tally completion words -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\"; "
    "do\n"
    "    [[ -n $line ]] && found+=(\"${${line//:/\\\\:}/$'\\t'/:}\")\n"
    "  done\n"
    "  if (( $#found )); then _describe tally found; else _files; fi\n"
    "}\n"
    "if [[ $funcstack[1] == _tally ]]; then _tally \"$@\"; else compdef _tally tally; fi\n";

/* What options take, where that is one of a few words. */
static const struct {
    enum option_id id;
    const char *words;
} values[] = {
    { OPTION_COLOR, "auto always never" },
    { OPTION_REVOTE, "yes no" },
    { OPTION_RESULTS, "always after_vote after_close" },
    { OPTION_VOTERS, "address token account" },
    { OPTION_KIND, "choice rating" },
    { OPTION_STATE, "open closed scheduled" },
    { OPTION_SORT, "score rating votes" },
    { OPTION_FORMAT, "ndjson csv" },
    { OPTION_THEME, "light dark" },
    { OPTION_OF, "tally history" },
    { OPTION_STEP, "1h 1d 7d" },
    { OPTION_POLL, NEXT_POLLS },
};

/* Where on the command line the cursor is. */
struct place_in_line {
    const struct command *command; /* NULL: not named yet */
    size_t operands;               /* of the command, before the cursor */
    enum option_id open;           /* an option that wants its value next, or OPTION_COUNT_OF */
    char **argv;                   /* the words that stand before, behind some name */
    int argc;
    struct str typed; /* of the word itself */
    struct str kept;  /* `--color=` where that is part of the word */
};

static enum option_id option_find(struct str name)
{
    for (int id = 0; id < OPTION_COUNT_OF; id++) {
        if (str_eq(name, str_of(option_rows[id].name)))
            return (enum option_id)id;
    }
    return OPTION_COUNT_OF;
}

/* `--name` or `-o`, without a value of its own. */
static enum option_id option_of(const char *word)
{
    if (strcmp(word, "-o") == 0)
        return OPTION_OUTPUT;
    return strncmp(word, "--", 2) == 0 ? option_find(str_of(word + 2)) : OPTION_COUNT_OF;
}

/* bash hands `--color=al` over as three words, zsh as one. */
static void look(struct place_in_line *at, char **words, size_t count)
{
    enum option_id last = OPTION_COUNT_OF;

    for (size_t i = 0; i + 1 < count; i++) {
        if (strcmp(words[i], "=") == 0) {
            at->open = last;
            continue;
        }
        if (at->open != OPTION_COUNT_OF) {
            at->open = OPTION_COUNT_OF;
            continue;
        }
        last = option_of(words[i]);
        if (last != OPTION_COUNT_OF && option_rows[last].wants == WANTS_VALUE)
            at->open = last;
        else if (words[i][0] != '-' && at->command)
            at->operands++;
        else if (words[i][0] != '-')
            at->command = command_find(words[i]);
    }
    at->typed = str_of(words[count - 1]);
    if (str_eq(at->typed, STR("="))) {
        at->open = last;
        at->typed.len = 0;
    }
}

static void look_into_word(struct place_in_line *at)
{
    const char *sign = memchr(at->typed.at, '=', at->typed.len);
    size_t before = sign ? (size_t)(sign - at->typed.at) : 0;

    if (!sign || before < 2 || strncmp(at->typed.at, "--", 2) != 0)
        return;
    at->open = option_find((struct str){ at->typed.at + 2, before - 2 });
    at->kept = (struct str){ at->typed.at, before + 1 };
    at->typed = (struct str){ sign + 1, at->typed.len - before - 1 };
}

static bool begins(struct str word, struct str typed)
{
    return word.len >= typed.len && memcmp(word.at, typed.at, typed.len) == 0;
}

static void offer(struct buf *out, const struct place_in_line *at, struct str word,
                  const char *meaning)
{
    if (!begins(word, at->typed))
        return;
    buf_str_add(out, at->kept);
    buf_str_add(out, word);
    if (meaning)
        buf_format(out, "\t%s", meaning);
    buf_char(out, '\n');
}

static void offer_words(struct buf *out, const struct place_in_line *at, const char *words)
{
    while (*words) {
        size_t len = strcspn(words, " ");

        offer(out, at, (struct str){ words, len }, NULL);
        words += len + (words[len] == ' ');
    }
}

static void offer_commands(struct buf *out, const struct place_in_line *at)
{
    for (size_t i = 0; i < commands_count; i++)
        offer(out, at, str_of(commands[i].name), commands[i].help);
}

static void offer_options(struct buf *out, const struct place_in_line *at)
{
    uint64_t set = OPTION_BIT(OPTION_GLOBAL_LAST + 1) - 1;

    if (at->command)
        set |= at->command->options;
    for (int id = 0; id < OPTION_COUNT_OF; id++) {
        char name[64];

        if (!(set & OPTION_BIT(id)))
            continue;
        (void)snprintf(name, sizeof name, "--%s", option_rows[id].name);
        offer(out, at, str_of(name), option_rows[id].help);
    }
}

/* Ids come in their order: those from the typed one on, less its last letter, so that a poll whose
 * id is just what was typed is among them. */
static bool ids_path(struct buf *out, struct str typed)
{
    char after[IDS_MAX];

    buf_format(out, "/v1/polls?limit=%d", IDS_MAX);
    if (typed.len > 1 && typed.len < sizeof after) {
        memcpy(after, typed.at, typed.len - 1);
        after[typed.len - 1] = '\0';
        buf_text(out, "&after=");
        http_encode(out, after);
    }
    return buf_ok(out);
}

/* A shell puts what is offered on its line as it is, and may run it. */
static bool is_id(struct str id)
{
    bool ok = id.len > 0 && id.len <= ID_BYTES_MAX && strchr("._~-", id.at[0]) == NULL;

    for (size_t i = 0; i < id.len; i++) {
        char c = id.at[i];
        char lower = (char)(c | 0x20);

        ok &= (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') ||
              (c != '\0' && strchr("._~-", c) != NULL);
    }
    return ok;
}

/* Nobody waits for a daemon that is not there: then nothing is offered. */
static void offer_polls(struct buf *out, const struct place_in_line *at)
{
    struct http_settings settings = { .language = "" };
    struct http_request request = { .method = "GET" };
    AUTO(options) options = options_read(at->argc, at->argv);
    AUTO_BUF path = { 0 };
    AUTO_ANSWER answer = { 0 };
    AUTO(http) http = NULL;
    struct str json;
    struct str rest;
    struct str poll;
    struct why why;

    if (!options || !ids_path(&path, at->typed) || !options_place(options, &settings.place, &why))
        return;
    http = http_new(&settings, &why);
    request.path = buf_str(&path);
    if (!http || http_send(http, &request, &answer, &why) != HTTP_ANSWERED ||
        answer.status != 200 || !answer_json(&answer, &json))
        return;
    rest = json_inside(json_member(json, "polls"));
    while (json_next(&rest, &poll)) {
        AUTO_BUF id = { 0 };
        AUTO_BUF text = { 0 };
        AUTO_BUF title = { 0 };

        json_text(&id, json_member(poll, "id"));
        json_text(&text, json_member(poll, "title"));
        screen_text(&title, buf_str(&text));
        buf_char(&title, '\0');
        if (buf_ok(&id) && buf_ok(&text) && buf_ok(&title) && is_id(buf_str(&id)))
            offer(out, at, buf_str(&id), title.bytes);
    }
}

static void offer_next(struct buf *out, const struct place_in_line *at, const char *next)
{
    bool many = next && strcmp(next, NEXT_MANY_POLLS) == 0;

    if (!next || strcmp(next, NEXT_FILES) == 0 || (at->operands > 0 && !many))
        return; /* the shell knows its files, and nobody the numbers of options */
    if (many || strcmp(next, NEXT_POLLS) == 0)
        offer_polls(out, at);
    else if (strcmp(next, NEXT_COMMANDS) == 0)
        offer_commands(out, at);
    else
        offer_words(out, at, next);
}

static void offer_value(struct buf *out, const struct place_in_line *at)
{
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (values[i].id != at->open)
            continue;
        if (strcmp(values[i].words, NEXT_POLLS) == 0)
            offer_polls(out, at);
        else
            offer_words(out, at, values[i].words);
    }
}

/*
 *   operands  `words`, and then the words; put into another order
 */
static enum outcome words_write(char **operands, size_t count)
{
    struct place_in_line at = { .open = OPTION_COUNT_OF, .argv = operands, .argc = (int)count - 1 };
    AUTO_BUF out = { 0 };

    look(&at, operands + 1, count - 1);
    look_into_word(&at);
    if (at.open != OPTION_COUNT_OF)
        offer_value(&out, &at);
    else if (at.typed.len > 0 && at.typed.at[0] == '-')
        offer_options(&out, &at);
    else if (!at.command)
        offer_commands(&out, &at);
    else
        offer_next(&out, &at, at.command->next);
    return written(&out);
}

enum outcome completion_run(struct session *session)
{
    const char *what = session->operands[0];

    if (strcmp(what, "words") == 0 && session->operand_count > 1)
        return words_write(session->operands, session->operand_count);
    if (session->operand_count > 1)
        return misused("it is: tally completion %s", session->command->synopsis);
    if (strcmp(what, "bash") == 0)
        (void)fputs(script_bash, stdout);
    else if (strcmp(what, "zsh") == 0)
        (void)fputs(script_zsh, stdout);
    else
        return misused("there is no completion for %s, but for bash and zsh", what);
    return OUTCOME_DONE;
}
