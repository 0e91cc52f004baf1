/*
 * base/auto.h - what is acquired is released by its declaration.
 *
 *   AUTO_FREE(store)   under the prototype of store_free(): makes its cleanup function
 *   AUTO(store) s = …; store_free(s) runs when s goes out of scope
 *   AUTO_BYTES p = …;  the same with free(), for plain memory
 *   TAKE(p)            hands p on and leaves NULL behind, so nothing is released
 *
 * Every NAME_free() takes NULL and half-built objects.
 */
#ifndef TALLYD_BASE_AUTO_H
#define TALLYD_BASE_AUTO_H

#include <stdlib.h>

#define MUST_USE __attribute__((warn_unused_result))

#define AUTO_FREE(name)                                                                            \
    static inline void name##_autofree(struct name **held)                                         \
    {                                                                                              \
        if (*held)                                                                                 \
            name##_free(*held);                                                                    \
    }                                                                                              \
    struct name

#define AUTO(name) __attribute__((cleanup(name##_autofree))) struct name *

static inline void bytes_autofree(void *held)
{
    free(*(void **)held);
}

#define AUTO_BYTES __attribute__((cleanup(bytes_autofree)))

#define TAKE(p)                                                                                    \
    __extension__({                                                                                \
        __typeof__(p) taken_ = (p);                                                                \
        (p) = NULL;                                                                                \
        taken_;                                                                                    \
    })

#endif
