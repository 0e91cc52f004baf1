/*
 * base/siphash.c - SipHash-2-4, by the paper of Aumasson and Bernstein.
 *
 * Threads: any; nothing is shared.
 */
#include "base/siphash.h"

struct state {
    uint64_t v0;
    uint64_t v1;
    uint64_t v2;
    uint64_t v3;
};

static uint64_t rotate(uint64_t n, unsigned by)
{
    return n << by | n >> (64 - by);
}

/* Up to 8 bytes, little end first. */
static uint64_t load(const unsigned char *bytes, size_t len)
{
    uint64_t n = 0;

    for (size_t i = 0; i < len; i++)
        n |= (uint64_t)bytes[i] << (8 * i);
    return n;
}

static void rounds(struct state *s, int n)
{
    for (int i = 0; i < n; i++) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 = rotate(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 = rotate(s->v2, 32);
    }
}

static void compress(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    rounds(s, 2);
    s->v0 ^= word;
}

uint64_t siphash(const unsigned char key[SIPHASH_KEY_BYTES], const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    uint64_t k0 = load(key, 8);
    uint64_t k1 = load(key + 8, 8);
    struct state s = { k0 ^ 0x736F6D6570736575U, k1 ^ 0x646F72616E646F6DU, k0 ^ 0x6C7967656E657261U,
                       k1 ^ 0x7465646279746573U };
    size_t left = len;

    for (; left >= 8; left -= 8, at += 8)
        compress(&s, load(at, 8));
    compress(&s, load(at, left) | (uint64_t)len << 56);
    s.v2 ^= 0xFF;
    rounds(&s, 4);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
