/*
 * http1_fuzz.c - any bytes at all as a request.
 *
 * What is read lies inside what was given, what stands behind a head changes nothing, and a chunked
 * body is the same wherever it is cut.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void expect(int holds)
{
    if (!holds)
        abort();
}

static void inside(struct str s, struct str whole)
{
    static const char slash[] = "/"; /* of an absolute target without a path */

    if (s.len == 0 || (s.len == 1 && memcmp(s.at, slash, 1) == 0))
        return;
    expect(s.at >= whole.at && s.at + s.len <= whole.at + whole.len);
}

static void check_head(struct str whole)
{
    static struct http1_request request;
    static struct http1_request again;
    const char *what;
    size_t used = 0;
    size_t used_again = 0;

    if (http1_head(whole, &request, &used, &what) != HTTP1_DONE)
        return;
    expect(used > 0 && used <= whole.len);
    inside(request.path, whole);
    inside(request.query, whole);
    inside(request.host, whole);
    for (size_t i = 0; i < request.n_fields; i++) {
        inside(request.fields[i].name, whole);
        inside(request.fields[i].value, whole);
    }
    expect(http1_head((struct str){ whole.at, used }, &again, &used_again, &what) == HTTP1_DONE);
    expect(used == used_again && request.body == again.body);
    expect(http1_head((struct str){ whole.at, used - 1 }, &again, &used_again, &what) !=
           HTTP1_DONE);
}

struct decoded {
    enum http1_chunk_result result;
    size_t used;
    size_t len;
    uint64_t hash;
};

static void decode_to(struct http1_chunked *chunked, struct str bytes, struct decoded *decoded)
{
    do {
        struct str data;
        size_t used;

        decoded->result = http1_chunked(
            chunked, (struct str){ bytes.at + decoded->used, bytes.len - decoded->used }, &used,
            &data);
        decoded->used += used;
        if (decoded->result != CHUNK_DATA)
            continue;
        inside(data, bytes);
        decoded->len += data.len;
        for (size_t i = 0; i < data.len; i++)
            decoded->hash = decoded->hash * 31 + (unsigned char)data.at[i];
    } while (decoded->result == CHUNK_DATA);
}

static void check_chunked(struct str whole, size_t cut)
{
    struct http1_chunked one = { 0 };
    struct http1_chunked two = { 0 };
    struct decoded at_once = { .used = 0 };
    struct decoded in_parts = { .used = 0 };

    decode_to(&one, whole, &at_once);
    decode_to(&two, (struct str){ whole.at, cut }, &in_parts);
    if (in_parts.result == CHUNK_MORE)
        decode_to(&two, whole, &in_parts);
    expect(at_once.result == in_parts.result && at_once.used == in_parts.used);
    expect(at_once.len == in_parts.len && at_once.hash == in_parts.hash);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str whole = { (const char *)bytes, len };

    if (len == 0)
        return 0;
    check_head(whole);
    check_chunked((struct str){ whole.at + 1, len - 1 }, (size_t)bytes[0] % len);
    return 0;
}
