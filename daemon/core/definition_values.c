/*
 * core/definition_values.c - the kinds of value that definitions are made of, on the way in.
 *
 * Threads: any; nothing is shared.
 */
#include "core/definition_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "core/json.h"

bool integer_read(struct reading *reading, const cJSON *item, const char *pointer, int64_t least,
                  int64_t most, int64_t *ret_n)
{
    int64_t n;

    if (!item)
        return true;
    if (!json_int64(item, &n) || n < least || n > most)
        return refuse_member(reading->refusal, pointer,
                             "give a whole number from %" PRId64 " to %" PRId64, least, most);
    *ret_n = n;
    return true;
}

bool plain_read(struct reading *reading, const cJSON *item, const char *pointer, size_t bytes_max,
                char **ret_text)
{
    struct str text = json_string(item);

    if (!cJSON_IsString(item))
        return refuse_member(reading->refusal, pointer, "give a string");
    if (text.len == 0 || text.len > bytes_max)
        return refuse_member(reading->refusal, pointer, "give 1 to %zu bytes", bytes_max);
    if (!utf8_is_text(text))
        return refuse_member(reading->refusal, pointer, "control characters are not taken");
    *ret_text = str_copy(text);
    if (!*ret_text)
        reading->no_memory = true;
    return *ret_text != NULL;
}

/* One language of a text, into the next place of `text`, which has room. */
static bool language_read(struct reading *reading, const cJSON *item, const char *pointer,
                          size_t bytes_max, struct text *text)
{
    struct text_in *in = &text->in[text->n];
    struct str tag = str_of(item->string);
    char where[POINTER_BYTES_MAX];

    if (!language_tag_ok(tag))
        return refuse_member(reading->refusal, pointer, "the names here are language tags");
    (void)snprintf(where, sizeof where, "%s/%s", pointer, item->string);
    for (size_t i = 0; i < text->n; i++) {
        if (str_eq_nocase(str_of(text->in[i].language), tag))
            return refuse_member(reading->refusal, where, "this language is there already");
    }
    text->n++;
    in->language = str_copy(tag);
    if (!in->language) {
        reading->no_memory = true;
        return false;
    }
    return plain_read(reading, item, where, bytes_max, &in->value);
}

bool text_read(struct reading *reading, const cJSON *item, const char *pointer, size_t bytes_max,
               struct text *ret_text)
{
    int n = cJSON_IsObject(item) ? cJSON_GetArraySize(item) : 1;
    const cJSON *in;

    if (!cJSON_IsString(item) && !cJSON_IsObject(item))
        return refuse_member(reading->refusal, pointer,
                             "give a string, or an object of language tags and strings");
    if (n < 1 || n > TEXT_LANGUAGES_MAX)
        return refuse_member(reading->refusal, pointer, "give 1 to %d languages",
                             TEXT_LANGUAGES_MAX);
    ret_text->in = calloc((size_t)n, sizeof *ret_text->in);
    if (!ret_text->in) {
        reading->no_memory = true;
        return false;
    }
    if (cJSON_IsString(item)) {
        ret_text->n = 1;
        return plain_read(reading, item, pointer, bytes_max, &ret_text->in[0].value);
    }
    cJSON_ArrayForEach(in, item)
    {
        if (!language_read(reading, in, pointer, bytes_max, ret_text))
            return false;
    }
    return true;
}

static bool is_among(const char *name, const char *const *names)
{
    for (; *names; names++) {
        if (strcmp(name, *names) == 0)
            return true;
    }
    return false;
}

/* Appends `/name` as a JSON pointer has it (RFC 6901 §3), cut between two characters where there
 * is no more room. */
static void pointer_add(char *pointer, size_t room, const char *name)
{
    size_t at = strlen(pointer);
    struct str rest = str_of(name);

    pointer[at++] = '/';
    while (rest.len > 0) {
        size_t len = utf8_char(rest, NULL);
        bool escaped = rest.at[0] == '~' || rest.at[0] == '/';

        if (len == 0 || at + len + 2 > room)
            break;
        if (escaped) {
            pointer[at++] = '~';
            pointer[at++] = rest.at[0] == '~' ? '0' : '1';
        } else {
            memcpy(pointer + at, rest.at, len);
            at += len;
        }
        rest = str_from(rest, len);
    }
    pointer[at] = '\0';
}

bool members_known(struct reading *reading, const cJSON *object, const char *pointer,
                   const char *const *names)
{
    const cJSON *member;
    bool known = true;

    cJSON_ArrayForEach(member, object)
    {
        char where[POINTER_BYTES_MAX];

        if (is_among(member->string, names))
            continue;
        (void)snprintf(where, sizeof where, "%s", pointer);
        pointer_add(where, sizeof where, member->string);
        known = refuse_member(reading->refusal, where, "there is no such member");
    }
    return known;
}
