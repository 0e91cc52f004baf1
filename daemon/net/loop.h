/*
 * net/loop.h - one thread that owns sockets: an event loop, its connections and its clock.
 */
#ifndef TALLYD_NET_LOOP_H
#define TALLYD_NET_LOOP_H

#include <stddef.h>
#include <stdint.h>

struct loop; /* opaque: net/loop.c */

/* Its number, from 0. Any thread. */
size_t loop_number(const struct loop *loop);

/* Has the handler's woken() called soon on this loop. Any thread; never blocks, never fails. */
void loop_wake(struct loop *loop);

/* The wall clock as this turn of the loop began, so that one turn asks the kernel once. Its own
 * thread. */
int64_t loop_wall_ms(const struct loop *loop);
/* The same of the clock that never jumps. */
int64_t loop_mono_ms(const struct loop *loop);

/* The whole server's, as they are now. Any thread. */
struct net_now {
    uint64_t connections; /* open */
    uint64_t accepted;    /* since the start */
    uint64_t requests;    /* since the start */
    uint64_t refused;     /* connections turned away since the start */
};
struct net_now loop_net_now(const struct loop *loop);

#endif
