/*
 * bench/protocol.c - requests from a template.
 *
 * Threads: any; pure.
 */
#include "bench/protocol.h"

#include <string.h>

/* The last `digits` of a number. */
static void digits_put(char *at, size_t digits, uint64_t n)
{
    for (size_t i = digits; i-- > 0; n /= 10)
        at[i] = (char)('0' + n % 10);
}

void request_add(const struct protocol *protocol, uint64_t n, struct buf *out)
{
    const struct request *request = &protocol->request;
    char *at = buf_reserve(out, request->bytes.len);

    if (!at)
        return;
    memcpy(at, request->bytes.bytes, request->bytes.len);
    out->len += request->bytes.len;
    if (!request->has_holes)
        return;
    at[request->option_at] = (char)('1' + n % protocol->options);
    if (request->client_at > 0)
        digits_put(at + request->client_at, CLIENT_DIGITS, n);
    if (request->tokens)
        memcpy(at + request->voter_at, tokens_at(request->tokens, n), tokens_each(request->tokens));
    else
        digits_put(at + request->voter_at, VOTER_DIGITS, n);
}

void protocol_free(struct protocol *protocol)
{
    buf_free(&protocol->request.bytes);
    tokens_free(protocol->request.tokens);
    buf_free(&protocol->body);
}
