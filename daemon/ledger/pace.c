/*
 * ledger/pace.c - how many votes came in the last minute.
 *
 * A slot is one word, so that whoever reads sees a second and its votes together.
 *
 * Threads: one notes, any reads.
 */
#include "ledger/pace.h"

void pace_note(struct pace *pace, int64_t mono_ms, uint32_t votes)
{
    uint32_t second = (uint32_t)(mono_ms / 1000);
    atomic_uint_least64_t *slot = &pace->slots[second % PACE_SLOTS];
    uint64_t held = atomic_load_explicit(slot, memory_order_relaxed);
    uint32_t before = held >> 32 == second ? (uint32_t)held : 0;
    uint32_t all = votes > UINT32_MAX - before ? UINT32_MAX : before + votes;

    atomic_store_explicit(slot, (uint64_t)second << 32 | all, memory_order_relaxed);
}

uint64_t pace_read(const struct pace *pace, int64_t mono_ms)
{
    uint32_t now = (uint32_t)(mono_ms / 1000);
    uint64_t sum = 0;

    for (size_t i = 0; i < PACE_SLOTS; i++) {
        uint64_t held = atomic_load_explicit(&pace->slots[i], memory_order_relaxed);
        uint32_t age = now - (uint32_t)(held >> 32);

        if (age >= 1 && age <= PACE_SECONDS)
            sum += (uint32_t)held;
    }
    return sum;
}
