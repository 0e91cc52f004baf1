/*
 * bench/resp.c - votes in Redis: one EVALSHA a vote, over RESP.
 *
 * Threads: any; pure but for the memory it takes.
 */
#include "bench/resp.h"

#include <string.h>

#define LINE_BYTES_MAX 1024U

static enum reply_state resp_read(const struct protocol *protocol, struct str arrived,
                                  struct reply *ret_reply, struct why *reterr_why)
{
    size_t newline = str_find(arrived, '\n');
    uint64_t count;

    (void)protocol;
    if (newline == arrived.len) {
        if (arrived.len <= LINE_BYTES_MAX)
            return REPLY_PART;
        why_set(reterr_why, "a line of more than %u bytes", LINE_BYTES_MAX);
        return REPLY_BROKEN;
    }
    if (newline < 2 || newline > LINE_BYTES_MAX || arrived.at[newline - 1] != '\r' ||
        (arrived.at[0] != ':' && arrived.at[0] != '-')) {
        why_set(reterr_why, "neither an integer nor an error: %.*s",
                newline > LINE_BYTES_MAX ? (int)LINE_BYTES_MAX : (int)newline, arrived.at);
        return REPLY_BROKEN;
    }
    *ret_reply = (struct reply){ .len = newline + 1 };
    if (arrived.at[0] == ':' &&
        str_uint64((struct str){ arrived.at + 1, newline - 2 }, UINT64_MAX, &count) && count > 0) {
        ret_reply->mark = count;
        return REPLY_RIGHT;
    }
    why_set(reterr_why, "a vote that is not counted: %.*s", (int)newline - 1, arrived.at);
    return REPLY_WRONG;
}

/* RESP strings carry their length in front, so that any byte may stand in them. */
static void string_add(struct buf *bytes, const char *text)
{
    buf_format(bytes, "$%zu\r\n%s\r\n", strlen(text), text);
}

struct protocol resp_vote(const char *sha, const char *poll, const char *voters, unsigned options)
{
    struct protocol vote = { .options = options, .marks = options, .read = resp_read };
    struct buf *bytes = &vote.request.bytes;

    buf_text(bytes, "*7\r\n");
    string_add(bytes, "EVALSHA");
    string_add(bytes, sha);
    string_add(bytes, "2");
    buf_format(bytes, "$%zu\r\n%s:voters\r\n", strlen(poll) + strlen(":voters"), poll);
    buf_format(bytes, "$%zu\r\n%s:votes\r\n", strlen(poll) + strlen(":votes"), poll);
    buf_text(bytes, "$1\r\n");
    vote.request.option_at = bytes->len;
    buf_format(bytes, "1\r\n$%zu\r\n%s", strlen(voters) + VOTER_DIGITS, voters);
    vote.request.voter_at = bytes->len;
    buf_format(bytes, "%0*d\r\n", (int)VOTER_DIGITS, 0);
    vote.request.has_holes = true;
    return vote;
}
