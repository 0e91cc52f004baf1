/*
 * dump.c - the SQL that mysqldump, phpMyAdmin and pg_dump write: one statement after the other.
 *
 * Threads: main.
 */
#include "dump.h"

#include <stdlib.h>
#include <string.h>

#include "dump_own.h"

/* What such dumps hold besides rows. Anything else says that this is another kind of file. */
static const char passed[] =
    "ALTER ANALYZE BEGIN CALL CHANGE COMMENT COMMIT DELETE DO DROP FLUSH GRANT LOCK PURGE REFRESH "
    "RESET REVOKE SECURITY SELECT START TRUNCATE UNLOCK UPDATE USE WITH ROLLBACK";

static const char again[] =
    "make the dump again; its last line is to say that it is complete (mysqldump: \"Dump "
    "completed\", pg_dump: \"database dump complete\")";

static const char whole[] = "is it a whole dump, as mysqldump, phpMyAdmin or pg_dump write it?";

bool dump_cut(struct dump *dump, const char *inside)
{
    return source_fault(dump->source, dump->fault, again, "the file ends inside %s: it was cut",
                        inside);
}

bool dump_expected(struct dump *dump, const char *expected)
{
    int c = source_peek(dump->source);

    if (c == SOURCE_END)
        return source_fault(dump->source, dump->fault, again,
                            "the file ends where %s was expected: it was cut", expected);
    if (c <= ' ' || c >= 127)
        return source_fault(dump->source, dump->fault, whole,
                            "%s was expected, and other bytes found", expected);
    return source_fault(dump->source, dump->fault, whole, "%s was expected, and \"%c\" found",
                        expected, c);
}

/* psql's own commands, as \connect and \restrict: a line each. */
static bool backslash_skip(struct dump *dump)
{
    int c;

    do {
        c = source_next(dump->source);
    } while (c != '\n' && c != SOURCE_END);
    return true;
}

/* DELIMITER ;; is a line of the mysql client: triggers and procedures have ; inside. */
static bool delimiter_read(struct dump *dump)
{
    size_t len = 0;

    while (source_peek(dump->source) == ' ')
        (void)source_next(dump->source);
    while (source_peek(dump->source) > ' ') {
        int c = source_next(dump->source);

        if (len == DELIMITER_BYTES_MAX)
            return dump_expected(dump, "a short delimiter");
        dump->delimiter[len++] = (char)c;
    }
    if (len == 0)
        return dump_expected(dump, "a delimiter");
    dump->delimiter[len] = '\0';
    return true;
}

static bool statement_read(struct dump *dump)
{
    char word[WORD_BYTES_MAX];
    char text[TEXT_BYTES_MAX];

    dump->statements++;
    dump_word(dump, word);
    if (strcmp(word, "INSERT") == 0 || strcmp(word, "REPLACE") == 0)
        return dump_insert(dump);
    if (strcmp(word, "CREATE") == 0)
        return dump_create(dump);
    if (strcmp(word, "COPY") == 0)
        return dump_copy(dump);
    if (strcmp(word, "DELIMITER") == 0)
        return delimiter_read(dump);
    if (strcmp(word, "SET") == 0)
        return dump_statement_skip(dump, text) && dump_setting(dump, text);
    if (word[0] && str_is_one_of(str_of(word), passed))
        return dump_statement_skip(dump, text);
    return source_fault(dump->source, dump->fault,
                        "give a dump of mysqldump, phpMyAdmin or pg_dump; CSV has a name that ends "
                        "in .csv, or TABLE= in front",
                        "an SQL statement was expected, and \"%.20s\" found", word);
}

/* Nothing but what stands between two statements. false: it is the end. */
static bool next_is_there(struct dump *dump, bool *ret_ok)
{
    *ret_ok = dump_space(dump);
    return *ret_ok && source_peek(dump->source) != SOURCE_END;
}

static bool whole_check(struct dump *dump)
{
    if (!source_ok(dump->source, dump->fault))
        return false;
    if (dump->complete < dump->begun)
        return dump_cut(dump, "the dump, before the line that says it is complete");
    if (dump->statements == 0)
        return source_fault(dump->source, dump->fault, again, "this file holds no SQL statement");
    return true;
}

static void dump_free(struct dump *dump)
{
    if (!dump)
        return;
    gather_release(&dump->gather);
    free(dump);
}
AUTO_FREE(dump);

bool dump_read(struct source *source, const struct sink *sink, struct fault *reterr_fault)
{
    AUTO(dump) dump = calloc(1, sizeof *dump);
    bool ok;

    if (!dump)
        return fault_memory(reterr_fault);
    dump->source = source;
    dump->sink = sink;
    dump->fault = reterr_fault;
    dump->backslashes = true;
    dump->delimiter[0] = ';';
    while (next_is_there(dump, &ok)) {
        int c = source_peek(source);

        if (c == (unsigned char)dump->delimiter[0] || c == ';') {
            (void)source_next(
                source); /* an empty statement, or the end of one that was a comment */
            continue;
        }
        if (!(c == '\\' ? backslash_skip(dump) : statement_read(dump)))
            return false;
    }
    return ok && whole_check(dump);
}
