/*
 * dump_own.h - what the files of the dump reader share.
 */
#ifndef TALLY_TAKEOVER_DUMP_OWN_H
#define TALLY_TAKEOVER_DUMP_OWN_H

#include "dump.h"
#include "gather.h"

#define NAME_BYTES_MAX 192
#define WORD_BYTES_MAX 32
#define TEXT_BYTES_MAX 160
#define LAYOUTS_MAX 16
#define DELIMITER_BYTES_MAX 8

/* A name as the dump has it, without quotes and schema. */
struct name {
    char bytes[NAME_BYTES_MAX];
    size_t len;
    bool quoted;
};

struct dump {
    struct source *source;
    const struct sink *sink;
    struct fault *fault;
    bool postgres;    /* else MySQL: how strings are quoted */
    bool backslashes; /* what they mean in a plain string */
    unsigned begun;   /* parts that said that they begin, and will say that they are complete */
    unsigned complete;
    uint64_t statements;
    char delimiter[DELIMITER_BYTES_MAX + 1];
    size_t layouts_count;
    struct layout layouts[LAYOUTS_MAX]; /* of the tables that are wanted, by CREATE TABLE */
    struct gather gather;
};

static inline struct str name_str(const struct name *name)
{
    return (struct str){ name->bytes, name->len };
}

/* The file ends where it must not; false. */
bool dump_cut(struct dump *dump, const char *inside);

/* Something else stands where `expected` was; false. */
bool dump_expected(struct dump *dump, const char *expected);

/* dump_text.c */

/* Skips white space and comments. What mysqldump and pg_dump say in comments is noted.
 * false: a comment does not end, or says that the dump is not in UTF-8. */
MUST_USE bool dump_space(struct dump *dump);

/* Letters, digits and _ as far as they go, in capitals; cut where they are too many. */
void dump_word(struct dump *dump, char ret_word[WORD_BYTES_MAX]);

/* A name, perhaps quoted, perhaps behind a schema and a dot. */
MUST_USE bool dump_name(struct dump *dump, struct name *ret_name);

/* Takes `c` if it comes next, space in front of it left out. */
MUST_USE bool dump_take(struct dump *dump, int c, const char *expected);

/* Skips the rest of a statement; its first bytes are kept, for a SET. */
MUST_USE bool dump_statement_skip(struct dump *dump, char ret_text[TEXT_BYTES_MAX]);

/* Skips a string, or a name in quotes, of which the first quote comes next. */
MUST_USE bool dump_quoted_skip(struct dump *dump);

/* dump_setting.c: the text, in capitals, of a SET or of a comment that MySQL runs. false: it says
 * that this is not UTF-8. */
MUST_USE bool dump_setting(struct dump *dump, const char *text);

/* dump_table.c */

MUST_USE bool dump_create(struct dump *dump);
/* The columns of a table as its CREATE had them, or none if there was none. NULL: too many tables.
 */
struct layout *dump_layout(struct dump *dump, const struct table *table);
/* (a, b, …), of which the parenthesis comes next. */
MUST_USE bool dump_columns(struct dump *dump, struct layout *layout);
MUST_USE bool dump_layout_check(struct dump *dump, const struct layout *layout);

/* dump_insert.c: behind INSERT or REPLACE. */
MUST_USE bool dump_insert(struct dump *dump);

/* dump_copy.c: behind COPY. */
MUST_USE bool dump_copy(struct dump *dump);

#endif
