/*
 * bench/protocol.c - requests from a template.
 *
 * Threads: any; pure.
 */
#include "bench/protocol.h"

#include <string.h>

void request_add(const struct protocol *protocol, uint64_t n, struct buf *out)
{
    const struct request *request = &protocol->request;
    char *at = buf_reserve(out, request->bytes.len);
    uint64_t left = n;

    if (!at)
        return;
    memcpy(at, request->bytes.bytes, request->bytes.len);
    out->len += request->bytes.len;
    if (!request->has_holes)
        return;
    at[request->option_at] = (char)('1' + n % protocol->options);
    for (size_t i = VOTER_DIGITS; i-- > 0; left /= 10)
        at[request->voter_at + i] = (char)('0' + left % 10);
}

void protocol_free(struct protocol *protocol)
{
    buf_free(&protocol->request.bytes);
    buf_free(&protocol->body);
}
