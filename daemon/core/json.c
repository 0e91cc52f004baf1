/*
 * core/json.c - one small strict reader in front of cJSON.
 *
 * The bytes are scanned once by the grammar of RFC 8259; only what passes is given to cJSON. The
 * scan also copies the text of every number, in the order of the document, and a walk over the
 * finished tree hangs each text on its item (`valuestring`, which cJSON leaves NULL in numbers and
 * copies in cJSON_Duplicate()): a double alone cannot tell 2^53 + 1 from 2^53, nor 1.0 from 1.
 *
 * Threads: any; nothing of ours is shared. cJSON keeps one global, the place of its last error,
 * which nobody reads.
 */
#include "core/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/ckd.h"
#include "base/utf8.h"

/* cJSON 1.7.15 reads a number through a buffer of 64 bytes and takes longer ones for two. */
#define NUMBER_BYTES_MAX 63
/* Up to this many members are compared pair by pair, without memory; a vote has two or three. */
#define PAIRS_MAX 16
#define NAME_SHOWN_BYTES_MAX 64

struct json {
    cJSON *root;
    struct buf numbers; /* their texts, each with a NUL behind it; items point into it */
};

struct scan {
    struct str bytes;
    size_t at;
    unsigned depth;
    char closers[JSON_DEPTH_MAX]; /* what ends each container that is open */
    struct buf *numbers;
    struct why *why;
};

static bool bad(const struct scan *scan, const char *what)
{
    (void)why_set(scan->why, "%s at byte %zu", what, scan->at);
    return false;
}

/* The byte at the scan's place, or -1 at the end. */
static int peek(const struct scan *scan)
{
    return scan->at < scan->bytes.len ? (unsigned char)scan->bytes.at[scan->at] : -1;
}

static int peek_past_blanks(struct scan *scan)
{
    int c = peek(scan);

    while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        scan->at++;
        c = peek(scan);
    }
    return c;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool scan_digits(struct scan *scan)
{
    if (!is_digit(peek(scan)))
        return bad(scan, "a digit is missing");
    while (is_digit(peek(scan)))
        scan->at++;
    return true;
}

static bool scan_number(struct scan *scan)
{
    size_t start = scan->at;

    if (peek(scan) == '-')
        scan->at++;
    if (peek(scan) == '0')
        scan->at++;
    else if (!scan_digits(scan))
        return false;
    if (peek(scan) == '.') {
        scan->at++;
        if (!scan_digits(scan))
            return false;
    }
    if (peek(scan) == 'e' || peek(scan) == 'E') {
        scan->at++;
        if (peek(scan) == '+' || peek(scan) == '-')
            scan->at++;
        if (!scan_digits(scan))
            return false;
    }
    if (scan->at - start > NUMBER_BYTES_MAX)
        return bad(scan, "a number is longer than 63 characters");
    buf_add(scan->numbers, scan->bytes.at + start, scan->at - start);
    buf_char(scan->numbers, '\0');
    return true;
}

/* The four digits behind `\u`. */
static bool scan_hex(struct scan *scan, unsigned *ret_unit)
{
    unsigned unit = 0;

    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(peek(scan));

        if (digit < 0)
            return bad(scan, "\\u needs four hexadecimal digits");
        unit = unit << 4 | (unsigned)digit;
        scan->at++;
    }
    *ret_unit = unit;
    return true;
}

static bool scan_unicode_escape(struct scan *scan)
{
    unsigned unit;
    unsigned low;

    if (!scan_hex(scan, &unit))
        return false;
    if (unit == 0)
        return bad(scan, "\\u0000 is not taken");
    if (unit < 0xD800 || unit > 0xDFFF)
        return true;
    if (unit > 0xDBFF || peek(scan) != '\\')
        return bad(scan, "a surrogate stands alone");
    scan->at++;
    if (peek(scan) != 'u')
        return bad(scan, "a surrogate stands alone");
    scan->at++;
    if (!scan_hex(scan, &low))
        return false;
    return (low >= 0xDC00 && low <= 0xDFFF) || bad(scan, "a surrogate stands alone");
}

static bool scan_escape(struct scan *scan)
{
    int c;

    scan->at++;
    c = peek(scan);
    if (c <= 0 || !strchr("\"\\/bfnrtu", c))
        return bad(scan, "an unknown escape in a string");
    scan->at++;
    return c != 'u' || scan_unicode_escape(scan);
}

static bool scan_string(struct scan *scan)
{
    scan->at++;
    for (;;) {
        int c = peek(scan);
        size_t len;

        if (c == '"') {
            scan->at++;
            return true;
        }
        if (c < 0)
            return bad(scan, "a string has no end");
        if (c < ' ')
            return bad(scan, "a control character in a string");
        if (c == '\\') {
            if (!scan_escape(scan))
                return false;
            continue;
        }
        len = c < 0x80 ? 1 : utf8_char(str_from(scan->bytes, scan->at), NULL);
        if (len == 0)
            return bad(scan, "bytes that are not UTF-8");
        scan->at += len;
    }
}

static bool scan_word(struct scan *scan, struct str word)
{
    if (!str_starts(str_from(scan->bytes, scan->at), word))
        return bad(scan, "a value is missing");
    scan->at += word.len;
    return true;
}

static bool scan_scalar(struct scan *scan, int first)
{
    if (first == '"')
        return scan_string(scan);
    if (first == '-' || is_digit(first))
        return scan_number(scan);
    if (first == 't')
        return scan_word(scan, STR("true"));
    if (first == 'f')
        return scan_word(scan, STR("false"));
    return scan_word(scan, STR("null"));
}

/* A member's name with its colon, where the innermost container is an object. */
static bool scan_name(struct scan *scan)
{
    if (scan->closers[scan->depth - 1] != '}')
        return true;
    if (peek_past_blanks(scan) != '"')
        return bad(scan, "a member's name is missing");
    if (!scan_string(scan))
        return false;
    if (peek_past_blanks(scan) != ':')
        return bad(scan, "a colon is missing");
    scan->at++;
    return true;
}

/*
 * One value, or the start of one: a container that is not empty is left open.
 *
 *   ret_inside  the next thing is the first value in a container
 */
static bool scan_value(struct scan *scan, bool *ret_inside)
{
    int first = peek_past_blanks(scan);
    char closer = first == '{' ? '}' : ']';

    *ret_inside = false;
    if (first != '{' && first != '[')
        return scan_scalar(scan, first);
    if (scan->depth == JSON_DEPTH_MAX)
        return bad(scan, "more than 16 levels of nesting");
    scan->at++;
    if (peek_past_blanks(scan) == closer) {
        scan->at++;
        return true;
    }
    scan->closers[scan->depth++] = closer;
    *ret_inside = true;
    return scan_name(scan);
}

/* Behind a value: closes what ends here. At depth 0 the document is whole; else a next value
 * follows. */
static bool scan_behind_value(struct scan *scan)
{
    while (scan->depth > 0) {
        int c = peek_past_blanks(scan);

        if (c == ',') {
            scan->at++;
            return scan_name(scan);
        }
        if (c != scan->closers[scan->depth - 1])
            return bad(scan, "a comma or an end is missing");
        scan->at++;
        scan->depth--;
    }
    return true;
}

static bool scan_document(struct scan *scan)
{
    bool inside;

    do {
        if (!scan_value(scan, &inside))
            return false;
        if (!inside && !scan_behind_value(scan))
            return false;
    } while (scan->depth > 0);
    return peek_past_blanks(scan) < 0 || bad(scan, "more behind the end");
}

/* Recursion here and below is bounded: the scan let no more than JSON_DEPTH_MAX levels pass. */
static void numbers_attach(cJSON *item, char **next)
{
    for (; item; item = item->next) {
        if (cJSON_IsNumber(item)) {
            assert(*next); /* the scan has seen every number */
            item->valuestring = *next;
            *next += strlen(*next) + 1;
        }
        numbers_attach(item->child, next);
    }
}

/* The texts are not cJSON's to free. */
static void numbers_detach(cJSON *item)
{
    for (; item; item = item->next) {
        if (cJSON_IsNumber(item))
            item->valuestring = NULL;
        numbers_detach(item->child);
    }
}

static int name_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sets *ret_name to a name that stands twice in `object`, or to NULL.  false: no memory */
static bool twin_find(const cJSON *object, const char **ret_name)
{
    AUTO_BYTES const char **names = NULL;
    size_t n = 0;
    const cJSON *member;

    *ret_name = NULL;
    cJSON_ArrayForEach(member, object) n++;
    if (n <= PAIRS_MAX) {
        for (member = object->child; member && !*ret_name; member = member->next) {
            for (const cJSON *other = member->next; other; other = other->next) {
                if (strcmp(member->string, other->string) == 0)
                    *ret_name = member->string;
            }
        }
        return true;
    }
    names = calloc(n, sizeof *names);
    if (!names)
        return false;
    n = 0;
    cJSON_ArrayForEach(member, object) names[n++] = member->string;
    qsort(names, n, sizeof *names, name_order);
    for (size_t i = 1; i < n && !*ret_name; i++) {
        if (strcmp(names[i - 1], names[i]) == 0)
            *ret_name = names[i];
    }
    return true;
}

/* The same for an item, all that is in it and all that follow it. */
static bool twin_find_below(const cJSON *item, const char **ret_name)
{
    *ret_name = NULL;
    for (; item && !*ret_name; item = item->next) {
        if (cJSON_IsObject(item) && !twin_find(item, ret_name))
            return false;
        if (!*ret_name && item->child && !twin_find_below(item->child, ret_name))
            return false;
    }
    return true;
}

static enum json_result refuse_twin(const char *name, struct why *why)
{
    if (strlen(name) <= NAME_SHOWN_BYTES_MAX && utf8_is_text(str_of(name)))
        (void)why_set(why, "the member \"%s\" stands twice in one object", name);
    else
        (void)why_set(why, "a member stands twice in one object");
    return JSON_BAD;
}

enum json_result json_parse(struct str bytes, struct json **ret_json, struct why *reterr_why)
{
    AUTO(json) json = calloc(1, sizeof *json);
    struct scan scan = { .bytes = bytes, .why = reterr_why };
    const char *twin;
    char *next;

    if (!json)
        return JSON_NO_MEMORY;
    scan.numbers = &json->numbers;
    if (!scan_document(&scan))
        return JSON_BAD;
    /* What passed the scan cJSON understands too: NULL is no memory. */
    json->root = cJSON_ParseWithLength(bytes.at, bytes.len);
    if (!json->root || !buf_ok(&json->numbers))
        return JSON_NO_MEMORY;
    next = json->numbers.bytes;
    numbers_attach(json->root, &next);
    if (!twin_find_below(json->root, &twin))
        return JSON_NO_MEMORY;
    if (twin)
        return refuse_twin(twin, reterr_why);
    *ret_json = TAKE(json);
    return JSON_OK;
}

void json_free(struct json *json)
{
    if (!json)
        return;
    numbers_detach(json->root);
    cJSON_Delete(json->root);
    buf_free(&json->numbers);
    free(json);
}

const cJSON *json_root(const struct json *json)
{
    return json->root;
}

const cJSON *json_member(const cJSON *object, const char *name)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}

bool json_int64(const cJSON *item, int64_t *ret_n)
{
    int64_t n = 0;
    bool negative;

    if (!cJSON_IsNumber(item) || !item->valuestring)
        return false;
    negative = item->valuestring[0] == '-';
    for (const char *at = item->valuestring + (negative ? 1 : 0); *at; at++) {
        int digit = *at - '0';

        if (digit < 0 || digit > 9)
            return false; /* 1.0 and 1e0 are no integers */
        if (ckd_mul(&n, n, 10) || ckd_add(&n, n, negative ? -digit : digit))
            return false;
    }
    *ret_n = n;
    return true;
}

struct str json_string(const cJSON *item)
{
    return cJSON_IsString(item) ? str_of(item->valuestring) : (struct str){ NULL, 0 };
}
