/*
 * core/json.c - one small strict reader in front of cJSON.
 *
 * Only what passes the scan (core/json_scan.h) is given to cJSON. The scan also copies the text of
 * every number, in the order of the document, and a walk over the finished tree hangs each text on
 * its item (`valuestring`, which cJSON leaves NULL in numbers and copies in cJSON_Duplicate()): a
 * double alone cannot tell 2^53 + 1 from 2^53, nor 1.0 from 1.
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
#include "core/json_scan.h"

/* Up to this many members are compared pair by pair, without memory; a vote has two or three. */
#define PAIRS_MAX 16
#define NAME_SHOWN_BYTES_MAX 64

struct json {
    cJSON *root;
    struct buf numbers; /* their texts, each with a NUL behind it; items point into it */
};

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
    const char *twin;
    char *next;

    if (!json)
        return JSON_NO_MEMORY;
    if (!json_scan(bytes, &json->numbers, reterr_why))
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

const char *json_cjson_version(void)
{
    return cJSON_Version();
}
