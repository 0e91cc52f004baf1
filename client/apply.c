/*
 * apply.c - `tally apply`: makes or replaces the polls of JSON files.
 *
 * Each definition is sent as it stands in the file, so that the daemon judges what was written.
 *
 * Threads: main.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "answers.h"
#include "base/utf8.h"
#include "commands.h"
#include "json.h"
#include "paths.h"

#define FILE_BYTES_MAX (64U << 20)
#define READ_BYTES 65536

static bool stream_read(FILE *file, struct buf *out)
{
    for (;;) {
        char *at = buf_reserve(out, READ_BYTES);
        size_t len = at ? fread(at, 1, READ_BYTES, file) : 0;

        out->len += len;
        if (out->len > FILE_BYTES_MAX)
            errno = EFBIG;
        if (!at || ferror(file) || out->len > FILE_BYTES_MAX)
            return false;
        if (len == 0)
            return true;
    }
}

/* All of a file, `-` being stdin; false, with errno: it cannot be read. */
static bool file_read(const char *name, struct buf *out)
{
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    bool read;
    int kept;

    if (!file)
        return false;
    read = stream_read(file, out);
    kept = errno;
    if (file != stdin)
        (void)fclose(file);
    errno = kept;
    return read;
}

static enum outcome definition_send(struct session *session, struct str definition, const char *id)
{
    bool if_absent = options_has(session->options, OPTION_IF_ABSENT);
    AUTO_BUF path = { 0 };
    AUTO_ANSWER answer = { 0 };
    struct http_request request = { .method = "PUT",
                                    .path = path_of_poll(&path, id, ""),
                                    .body = definition,
                                    .type = "application/json",
                                    .only_create = if_absent };
    struct why why = { "" };
    enum http_result result;

    if (!buf_ok(&path))
        return failed_here("no memory");
    result = http_send(session->http, &request, &answer, &why);
    if (result != HTTP_ANSWERED)
        return complain_of_silence(result, &why);
    if (if_absent && answer.status == 412) {
        (void)printf("is there: %s\n", id);
        return OUTCOME_DONE;
    }
    if (outcome_of(answer.status) != OUTCOME_DONE)
        return complain_of_refusal(id, &answer);
    (void)printf("%s: %s\n", answer.status == 201 ? "created" : "replaced", id);
    return OUTCOME_DONE;
}

static enum outcome definition_apply(struct session *session, struct str definition,
                                     const char *file)
{
    AUTO_BUF id = { 0 };

    json_text(&id, json_member(definition, "id"));
    if (id.len == 0) {
        complain("give each poll an \"id\"", "%s: a definition has no id", file);
        return OUTCOME_REFUSED;
    }
    if (memchr(id.bytes, '\0', id.len) || !utf8_is_text(buf_str(&id))) {
        complain("an id is made of letters, digits and . _ ~ -", "%s: an id is no text", file);
        return OUTCOME_REFUSED;
    }
    buf_char(&id, '\0');
    return buf_ok(&id) ? definition_send(session, definition, id.bytes) : failed_here("no memory");
}

static enum outcome file_apply(struct session *session, const char *name)
{
    AUTO_BUF text = { 0 };
    enum outcome all = OUTCOME_DONE;
    struct str json;
    struct str polls;
    struct str rest;
    struct str definition;

    if (!file_read(name, &text))
        return failed_here("cannot read %s: %m", name);
    if (!json_read(buf_str(&text), &json) || !json_is_object(json)) {
        complain("a file holds one definition, or {\"polls\":[...]}", "%s: no JSON object", name);
        return OUTCOME_REFUSED;
    }
    polls = json_member(json, "polls");
    if (!json_is_array(polls))
        return definition_apply(session, json, name);
    rest = json_inside(polls);
    while (json_next(&rest, &definition)) {
        enum outcome one = definition_apply(session, definition, name);

        all = outcome_first(all, one);
        if (one == OUTCOME_UNREACHABLE)
            return one;
    }
    return all;
}

enum outcome apply_run(struct session *session)
{
    return session_each(session, file_apply);
}
