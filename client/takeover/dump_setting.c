/*
 * dump_setting.c - what a dump says about itself with SET: its encoding, and how it quotes.
 *
 * Threads: main.
 */
#include <string.h>

#include "dump_own.h"

static const char utf8_names[] = "UTF8 UTF8MB3 UTF8MB4 UTF-8 UNICODE BINARY";

/* The word behind `name`, `=`, TO, spaces and quotes; both in capitals. Empty: none. */
static struct str value_of(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    size_t len;

    if (!at)
        return (struct str){ NULL, 0 };
    at += strlen(name);
    at += strspn(at, " ='");
    if (strncmp(at, "TO ", 3) == 0)
        at += 3;
    at += strspn(at, " ='");
    len = strcspn(at, " ;'*,");
    return (struct str){ at, len };
}

bool dump_setting(struct dump *dump, const char *text)
{
    static const char *const encodings[] = { "CLIENT_ENCODING", "NAMES " };
    struct str strings = value_of(text, "STANDARD_CONFORMING_STRINGS");

    if (strings.len > 0) {
        dump->postgres = true;
        dump->backslashes = !str_eq(strings, STR("ON"));
    }
    for (size_t i = 0; i < sizeof encodings / sizeof encodings[0]; i++) {
        struct str encoding = value_of(text, encodings[i]);

        /* @OLD_… puts back what was before. */
        if (encoding.len > 0 && encoding.at[0] != '@' && !str_is_one_of(encoding, utf8_names))
            return source_fault(dump->source, dump->fault,
                                "make it with mysqldump --default-character-set=utf8mb4, or "
                                "pg_dump --encoding=UTF8",
                                "this dump is in %.*s; UTF-8 was expected", (int)encoding.len,
                                encoding.at);
    }
    return true;
}
