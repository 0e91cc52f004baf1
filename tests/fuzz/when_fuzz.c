/*
 * fuzz/when_fuzz.c - any bytes as a time.
 *
 * What is taken is printed and read again: the same moment. Where it named UTC and no leap second,
 * the print is what was given, so no day and no month was made up.
 */
#include "core/when.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define SECOND_BYTES 19 /* 2026-11-23T08:40:12 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_plain_utc(struct str text)
{
    return (text.at[text.len - 1] | 0x20) == 'z' && text.at[17] != '6';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = { (const char *)data, size };
    AUTO_BUF printed = { 0 };
    int64_t at_ms = -1;
    int64_t again_ms;

    if (!when_parse(text, &at_ms)) {
        assert(at_ms == -1); /* written only on success */
        return 0;
    }
    assert(at_ms % 1000 == 0);
    buf_time(&printed, at_ms);
    assert(buf_ok(&printed) && printed.len == SECOND_BYTES + 1);
    assert(when_parse(buf_str(&printed), &again_ms) && again_ms == at_ms);
    if (is_plain_utc(text))
        assert(str_eq_nocase((struct str){ text.at, SECOND_BYTES },
                             (struct str){ printed.bytes, SECOND_BYTES }));
    return 0;
}
