/*
 * takeover/dump_test.c - which rows a dump or a sheet has, and where it is refused.
 */
#include "dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "sheet.h"

static bool row_note(void *with, const struct row *row, struct fault *fault)
{
    struct buf *out = with;

    (void)fault;
    buf_format(out, "%llu:", (unsigned long long)row->line);
    for (size_t i = 0; i < 2; i++) {
        if (row->cells[i].null)
            buf_text(out, "-");
        else
            buf_format(out, "[%.*s]", (int)row->cells[i].text.len,
                       row->cells[i].text.at ? row->cells[i].text.at : "");
    }
    buf_text(out, "\n");
    return true;
}

static const struct table table = { "t", 1, true, { "a", "?b" }, row_note };

static const struct table *wants(void *with, struct str name)
{
    (void)with;
    return str_eq(name, STR("t")) ? &table : NULL;
}

struct reading {
    const char *when;
    const char *text;
    const char *rows; /* what is read, or how the fault begins */
};

static void readings_check(const struct reading *rows, size_t count, bool sheet)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_BUF out = { 0 };
        const struct sink sink = { .with = &out, .wants = wants };
        AUTO(source) source = source_of_bytes("f", str_of(rows[i].text));
        struct fault fault = { .how = "" };
        bool ok;

        assert_non_null(source);
        ok = sheet ? sheet_read(source, &table, &sink, &fault) : dump_read(source, &sink, &fault);
        if (!ok) {
            buf_clear(&out);
            buf_text(&out, fault.what);
            assert_true(strlen(fault.how) > 0);
        }
        buf_char(&out, '\0');
        assert_true(buf_ok(&out));
        if (ok ? strcmp(out.bytes, rows[i].rows) != 0
               : strncmp(out.bytes, rows[i].rows, strlen(rows[i].rows)) != 0)
            fail_msg("%s: %s", rows[i].when, out.bytes);
    }
}

#define T "CREATE TABLE `t` (`x` int, `a` enum('b)','c'), `b` text, PRIMARY KEY (`x`));\n"
#define PG "--\n-- PostgreSQL database dump\n--\nSET standard_conforming_strings = on;\n"
#define PG_END "--\n-- PostgreSQL database dump complete\n--\n"

static void rows_of_a_dump_are_read_as_they_were_written(void **state)
{
    static const struct reading rows[] = {
        { "several rows", T "INSERT INTO `t` VALUES (1,'p','q'),\n(2,NULL,3);",
          "2:[p][q]\n3:-[3]\n" },
        { "named columns", "INSERT INTO t (b, a) VALUES ('q','p');", "1:[p][q]\n" },
        { "a column less", "INSERT INTO t (a) VALUES ('p');", "1:[p]-\n" },
        { "a schema", "INSERT INTO `d`.`t` (`a`) VALUES ('p');", "1:[p]-\n" },
        { "MySQL's quoting", "INSERT INTO t (a,b) VALUES ('a''b\\'c\\\\','\\n\\t\\%');",
          "1:[a'b'c\\][\n\t%]\n" },
        { "double quotes", "INSERT INTO t (a,b) VALUES (\"a\"\"'\",'\"');", "1:[a\"'][\"]\n" },
        { "an introducer", "INSERT INTO t (a,b) VALUES (_utf8mb4'a',_binary 'b');", "1:[a][b]\n" },
        { "what looks like SQL", "INSERT INTO t (a,b) VALUES ('),(;--','/*#`');",
          "1:[),(;--][/*#`]\n" },
        { "comments", "/* a */ # b ;\n-- c '\nINSERT /* d */ INTO t (a) VALUES (1 /* e */);",
          "3:[1]-\n" },
        { "other tables", "INSERT INTO u VALUES ('t;',2);INSERT INTO t (a) VALUES (-1.5e3);",
          "1:[-1.5e3]-\n" },
        { "REPLACE, IGNORE and a tail",
          "REPLACE INTO t (a) VALUES (1);INSERT IGNORE INTO t (a) VALUES (2) ON DUPLICATE KEY "
          "UPDATE a=';';",
          "1:[1]-\n1:[2]-\n" },
        { "a trigger",
          "DELIMITER ;;\nCREATE TRIGGER x BEGIN a; b; END ;;\nDELIMITER ;\n"
          "INSERT INTO t (a) VALUES (1);",
          "4:[1]-\n" },
        { "PostgreSQL's quoting",
          PG "INSERT INTO public.t (a,b) VALUES ('a\\''b', E'\\n\\'');" PG_END,
          "5:[a\\'b][\n']\n" },
        { "PostgreSQL's types", PG "INSERT INTO t (a,b) VALUES ('a'::text, true);\n" PG_END,
          "5:[a][true]\n" },
        { "PostgreSQL's escapes where nothing is wanted",
          PG "CREATE TABLE t (a text DEFAULT E'\\',(', b int);\nSET x = E'\\';';\n"
             "INSERT INTO t VALUES (1,2);\n" PG_END,
          "7:[1][2]\n" },
        { "a function", PG "CREATE FUNCTION f() AS $x$ INSERT INTO t VALUES ('; $$ $x$;\n" PG_END,
          "" },
        { "COPY", PG "COPY public.t (b, a) FROM stdin;\nx\\ty\t\\N\n\\\\.\tp\\x\n\\.\n" PG_END,
          "6:-[x\ty]\n7:[px][\\.]\n" },
        { "COPY of another table", PG "COPY u (a) FROM stdin;\n';\n\\.\n" PG_END, "" },
        { "psql's commands", PG "\\connect 'x\nCOPY t (a) FROM stdin;\n\\.\n" PG_END, "" },
    };

    (void)state;
    readings_check(rows, sizeof rows / sizeof rows[0], false);
}

static void a_dump_that_is_none_or_was_cut_is_refused_with_its_line(void **state)
{
    static const struct reading rows[] = {
        { "nothing", "", "f:1: this file holds no SQL statement" },
        { "another kind of file", "\nhello world;", "f:2: an SQL statement was expected" },
        { "cut in a text", T "INSERT INTO t VALUES (1,'p", "f:2: the file ends inside a value" },
        { "cut behind a backslash", T "INSERT INTO t VALUES (1,'p\\", "f:2: the file ends inside" },
        { "cut in a row", T "INSERT INTO t VALUES (1,\n2", "f:3: the file ends inside a row" },
        { "cut behind a row", T "INSERT INTO t VALUES (1,2,3)",
          "f:2: the file ends inside INSERT" },
        { "cut behind a comma", T "INSERT INTO t VALUES (1,2,3),",
          "f:2: the file ends where ( and the values" },
        { "cut in another table", "INSERT INTO u VALUES ('", "f:1: the file ends inside" },
        { "cut in CREATE", "CREATE TABLE t (a int", "f:1: the file ends inside CREATE TABLE" },
        { "cut in a comment", "/* a", "f:1: the file ends inside a comment" },
        { "cut in COPY", PG "COPY t (a) FROM stdin;\n1\n", "f:7: the file ends inside the rows" },
        { "cut in a function", PG "CREATE FUNCTION f() AS $$ ;",
          "f:5: the file ends inside a text" },
        { "cut between statements of mysqldump", "-- MySQL dump 10.13\n" T,
          "f:3: the file ends inside the dump" },
        { "cut between statements of pg_dump", PG "SET x = 1;\n", "f:6: the file ends inside the" },
        { "a value too few", T "INSERT INTO t VALUES (1,2);", "f:2: t: 3 values were expected" },
        { "a value too many", PG "COPY t (a) FROM stdin;\n1\t2\n\\.\n" PG_END,
          "f:6: t: 1 values were expected, as there are columns, and 2 found" },
        { "no columns", "INSERT INTO t VALUES (1);", "f:1: the names of the columns" },
        { "a column is missing", "INSERT INTO t (b) VALUES (1);", "f:1: t: a column a was" },
        { "no values", "INSERT INTO t (a) SELECT 1;", "f:1: VALUES was expected" },
        { "no value", "INSERT INTO t (a) VALUES (1,);",
          "f:1: a value was expected, and \")\" found" },
        { "no separator", "INSERT INTO t (a) VALUES (1 2);", "f:1: , or ) behind a value" },
        { "no UTF-8", "INSERT INTO t (a) VALUES ('\xE9');", "f:1: t: a: UTF-8 was expected" },
        { "another encoding of MySQL", "/*!40101 SET NAMES latin1 */;",
          "f:1: this dump is in LATIN1" },
        { "another encoding of PostgreSQL", PG "SET client_encoding = 'WIN1251';",
          "f:5: this dump is in WIN1251" },
    };

    (void)state;
    readings_check(rows, sizeof rows / sizeof rows[0], false);
}

static void a_sheet_is_read_by_its_header(void **state)
{
    static const struct reading rows[] = {
        { "commas", "x,b,a\n1,2,3\n", "2:[3][2]\n" },
        { "semicolons", "a;b\r\n\"1;\"\"2\";3\r\n", "2:[1;\"2][3]\n" },
        { "tabs, and no end", "a\tb\n1\t2", "2:[1][2]\n" },
        { "one column", "a\n1,2\n\n3\n", "f:2: t: 1 values were expected" },
        { "no value", "a,b\nNULL,\\N\n\"NULL\",\n", "2:--\n3:[NULL][]\n" },
        { "a line end inside", "a,b\n\"1\n2\",3\n4,5\n", "2:[1\n2][3]\n4:[4][5]\n" },
        { "no such column", "b,c\n1,2\n", "f:1: a column a of the table t was expected" },
        { "nothing", "", "f:1: a column a" },
        { "cut in quotes", "a,b\n1,\"2\n",
          "f:3: the file ends inside the quotes that were opened in "
          "line 2" },
        { "cut in a record", "a,b\n1", "f:2: t: 2 values were expected" },
        { "text behind quotes", "a,b\n\"1\"2,3\n", "f:2: a separator was expected" },
        { "no UTF-8", "a,b\n\xE9,1\n", "f:2: t: a: UTF-8 was expected" },
    };

    (void)state;
    readings_check(rows, sizeof rows / sizeof rows[0], true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_a_dump_are_read_as_they_were_written),
        cmocka_unit_test(a_dump_that_is_none_or_was_cut_is_refused_with_its_line),
        cmocka_unit_test(a_sheet_is_read_by_its_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
