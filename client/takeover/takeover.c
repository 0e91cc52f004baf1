/*
 * takeover.c - one run: opens the files, finds the tables, and gives origins their hands.
 *
 * Threads: main.
 */
#include "takeover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"
#include "sheet.h"

bool takeover_init(struct takeover *takeover, const struct settings *settings)
{
    *takeover = (struct takeover){ .settings = settings };
    takeover->polls = polls_new();
    takeover->notes = index_new();
    return takeover->polls && takeover->notes;
}

void takeover_release(struct takeover *takeover)
{
    polls_free(takeover->polls);
    index_free(takeover->notes);
    free(takeover->standing);
}

static const char *prefix_of(const struct takeover *takeover)
{
    return takeover->settings->prefix ? takeover->settings->prefix
                                      : takeover->settings->origin->prefix;
}

static bool ends_with(struct str name, struct str end)
{
    return name.len > end.len && str_eq_nocase(str_from(name, name.len - end.len), end);
}

/* The table of that name, whatever its pass. */
static const struct table *table_named(struct takeover *takeover, struct str name)
{
    const struct origin *origin = takeover->settings->origin;
    struct str prefix = str_of(prefix_of(takeover));

    for (size_t i = 0; i < origin->count; i++) {
        const struct table *table = &origin->tables[i];
        struct str wanted = str_of(table->name);

        if (name.len == prefix.len + wanted.len &&
            str_eq_nocase((struct str){ name.at, prefix.len }, prefix) &&
            str_eq_nocase(str_from(name, prefix.len), wanted)) {
            takeover->seen[i] = true;
            return table;
        }
        if (table->needed && ends_with(name, wanted))
            (void)snprintf(takeover->other_name, sizeof takeover->other_name, "%.*s",
                           (int)(name.len < 100 ? name.len : 100), name.at);
    }
    return NULL;
}

static const struct table *wants(void *with, struct str name)
{
    struct takeover *takeover = with;
    const struct table *table = table_named(takeover, name);

    return table && table->pass == takeover->pass ? table : NULL;
}

/* TABLE=FILE, FOLDER/TABLE.csv, or a dump: then there is no table. */
static struct str table_of_file(const char *operand, const char **ret_path)
{
    const char *equals = strchr(operand, '=');
    const char *slash = strrchr(operand, '/');
    const char *name = slash ? slash + 1 : operand;
    size_t len = strlen(name);

    *ret_path = operand;
    if (equals && (!strchr(operand, '/') || equals < strchr(operand, '/'))) {
        *ret_path = equals + 1;
        return (struct str){ operand, (size_t)(equals - operand) };
    }
    if (len > 4 && strcasecmp(name + len - 4, ".csv") == 0)
        return (struct str){ name, len - 4 };
    return (struct str){ NULL, 0 };
}

static bool file_read(struct takeover *takeover, const char *operand, struct fault *reterr_fault)
{
    const struct sink sink = { .with = takeover, .wants = wants };
    const char *path;
    struct str name = table_of_file(operand, &path);
    const struct table *table = name.len > 0 ? table_named(takeover, name) : NULL;
    AUTO(source) source = NULL;

    if (name.len > 0 && !table)
        return fault_set(reterr_fault, "--help names the tables; say it as TABLE=FILE",
                         "%s: \"%.*s\" is no table that %s reads, with the prefix \"%s\"", path,
                         (int)name.len, name.at, takeover->settings->origin->name,
                         prefix_of(takeover));
    if (table && table->pass != takeover->pass)
        return true;
    source = source_open(path, reterr_fault);
    if (!source)
        return false;
    return table ? sheet_read(source, table, &sink, reterr_fault)
                 : dump_read(source, &sink, reterr_fault);
}

static bool tables_check(const struct takeover *takeover, struct fault *reterr_fault)
{
    const struct origin *origin = takeover->settings->origin;

    for (size_t i = 0; i < origin->count; i++) {
        if (!origin->tables[i].needed || takeover->seen[i])
            continue;
        if (takeover->other_name[0])
            return fault_set(reterr_fault, "say --prefix with what stands in front of that name",
                             "a table %s%s was expected, and %s found", prefix_of(takeover),
                             origin->tables[i].name, takeover->other_name);
        return fault_set(reterr_fault, "give the dump of the whole database, or that table too",
                         "the files hold no table %s%s", prefix_of(takeover),
                         origin->tables[i].name);
    }
    return true;
}

bool takeover_read(struct takeover *takeover, struct fault *reterr_fault)
{
    const struct origin *origin = takeover->settings->origin;
    unsigned passes = 0;

    for (size_t i = 0; i < origin->count; i++)
        passes = origin->tables[i].pass > passes ? origin->tables[i].pass : passes;
    for (takeover->pass = 1; takeover->pass <= passes; takeover->pass++) {
        for (size_t i = 0; i < takeover->settings->files_count; i++) {
            if (!file_read(takeover, takeover->settings->files[i], reterr_fault))
                return false;
        }
        if (!tables_check(takeover, reterr_fault))
            return false;
    }
    return true;
}

static void id_write(char id[ID_BYTES_MAX], const char *stem, uint64_t number)
{
    (void)snprintf(id, ID_BYTES_MAX, "%s-%llu", stem, (unsigned long long)number);
}

struct old_poll *takeover_add(struct takeover *takeover, const struct row *row, const char *stem,
                              uint64_t number, struct fault *reterr_fault)
{
    char id[ID_BYTES_MAX];
    struct old_poll *poll;

    id_write(id, stem, number);
    if (polls_find(takeover->polls, id)) {
        (void)row_fault(row, reterr_fault, "give each table once",
                        "number %llu was expected once, and is there twice",
                        (unsigned long long)number);
        return NULL;
    }
    poll = polls_add(takeover->polls, id);
    if (!poll)
        (void)fault_memory(reterr_fault);
    return poll;
}

struct old_poll *takeover_find(const struct takeover *takeover, const char *stem, uint64_t number)
{
    char id[ID_BYTES_MAX];

    id_write(id, stem, number);
    return polls_find(takeover->polls, id);
}

bool takeover_text(const struct row *row, size_t cell, enum stored_as as, char **ret_text,
                   struct fault *reterr_fault)
{
    if (row->cells[cell].cut)
        return row_fault(row, reterr_fault, "is this the dump of that system?",
                         "%s: a title or label was expected, and more than 64 KiB found",
                         row->table->columns[cell]);
    *ret_text = readable(row->cells[cell].text, as);
    return *ret_text ? true : fault_memory(reterr_fault);
}

bool takeover_option(struct old_poll *poll, const struct row *row, uint64_t id, int64_t order,
                     char *label, uint64_t votes, struct fault *reterr_fault)
{
    AUTO_BYTES char *owned = label;
    struct old_option *option;

    if (old_option_find(poll, id))
        return row_fault(row, reterr_fault, "give each table once",
                         "answer %llu was expected once, and is there twice",
                         (unsigned long long)id);
    if (poll->count == OLD_OPTIONS_MAX)
        return row_fault(row, reterr_fault, "is this the dump of that system?",
                         "at most %d answers to a question were expected", OLD_OPTIONS_MAX);
    option = old_option_add(poll, id, order, TAKE(owned));
    if (!option)
        return fault_memory(reterr_fault);
    option->votes = votes;
    return true;
}

static struct str note_key(char key[ID_BYTES_MAX], char letter, uint64_t number)
{
    int len = snprintf(key, ID_BYTES_MAX, "%c%llu", letter, (unsigned long long)number);

    return (struct str){ key, (size_t)len };
}

bool takeover_note(struct takeover *takeover, char letter, uint64_t number, size_t value,
                   struct fault *reterr_fault)
{
    char key[ID_BYTES_MAX];
    size_t *noted = takeover_noted(takeover, letter, number);

    if (noted) {
        *noted = value;
        return true;
    }
    return index_put(takeover->notes, note_key(key, letter, number), value)
               ? true
               : fault_memory(reterr_fault);
}

size_t *takeover_noted(const struct takeover *takeover, char letter, uint64_t number)
{
    char key[ID_BYTES_MAX];

    return index_find(takeover->notes, note_key(key, letter, number));
}

uint64_t takeover_scale(const struct takeover *takeover)
{
    if (takeover->settings->scale > 0)
        return takeover->settings->scale;
    return takeover->scale > 0 ? takeover->scale : SCALE_USUAL;
}
