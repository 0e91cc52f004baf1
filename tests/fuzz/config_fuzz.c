/*
 * fuzz/config_fuzz.c - any bytes as tallyd.conf.
 *
 * A file that is refused is refused with one line that names the file; one that is taken says the
 * same when it is written out again key by key.
 */
#include "config/inside.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_out(const struct config *config, struct buf *out)
{
    const char *section = "";

    for (size_t i = 0; i < config_keys_count; i++) {
        if (config->line[i] == 0)
            continue;
        if (strcmp(section, config_keys[i].section) != 0) {
            section = config_keys[i].section;
            buf_format(out, "[%s]\n", section);
        }
        buf_format(out, "%s = ", config_keys[i].name);
        buf_text(out, config->said[i]);
        buf_char(out, '\n');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(config) config = config_new();
    AUTO(config) again = config_new();
    AUTO_BUF written = { 0 };
    struct why why = { "" };
    bool taken;

    if (!config_parse(config, (struct str){ (const char *)data, size }, "F", &why)) {
        assert(strncmp(why.text, "F:", 2) == 0 && !strchr(why.text, '\n'));
        return 0;
    }
    write_out(config, &written);
    assert(buf_ok(&written));
    taken = config_parse(again, buf_str(&written), "F", &why);
    assert(taken); /* what was written out is no worse than what was read */
    for (size_t i = 0; i < config_keys_count; i++) {
        assert((config->line[i] == 0) == (again->line[i] == 0));
        assert(!config->said[i] || strcmp(config->said[i], again->said[i]) == 0);
    }
    return 0;
}
