/*
 * base/ckd.h - sums that say when they do not fit, by the names of C23's <stdckdint.h>.
 *
 * Each returns true on overflow; *result then holds the wrapped value and must not be used.
 */
#ifndef TALLYD_BASE_CKD_H
#define TALLYD_BASE_CKD_H

#define ckd_add(result, a, b) __builtin_add_overflow((a), (b), (result))
#define ckd_sub(result, a, b) __builtin_sub_overflow((a), (b), (result))
#define ckd_mul(result, a, b) __builtin_mul_overflow((a), (b), (result))

#endif
