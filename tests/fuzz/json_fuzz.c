/*
 * fuzz/json_fuzz.c - any bytes into the JSON reader.
 *
 * What it takes is printed from the tree, numbers by their own text, and read again: the second
 * print is the same as the first, so nothing was lost or made up on the way.
 */
#include "core/json.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(const cJSON *item, unsigned depth, struct buf *out)
{
    const cJSON *inside;
    bool object = cJSON_IsObject(item);
    int64_t n;

    assert(depth <= JSON_DEPTH_MAX);
    if (cJSON_IsNumber(item)) {
        buf_text(out, item->valuestring);
        assert(!json_int64(item, &n) || n != 0 || item->valuedouble == 0);
    } else if (cJSON_IsString(item)) {
        assert(utf8_valid(json_string(item)));
        buf_json_string(out, json_string(item));
    } else if (object || cJSON_IsArray(item)) {
        buf_char(out, object ? '{' : '[');
        cJSON_ArrayForEach(inside, item)
        {
            if (inside != item->child)
                buf_char(out, ',');
            if (object) {
                buf_json_string(out, str_of(inside->string));
                buf_char(out, ':');
            }
            print(inside, depth + 1, out);
        }
        buf_char(out, object ? '}' : ']');
    } else {
        buf_text(out, cJSON_IsNull(item) ? "null" : cJSON_IsTrue(item) ? "true" : "false");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(json) first = NULL;
    AUTO(json) second = NULL;
    AUTO_BUF printed = { 0 };
    AUTO_BUF again = { 0 };
    struct why why = { "" };
    enum json_result result = json_parse((struct str){ (const char *)data, size }, &first, &why);

    if (result != JSON_OK) {
        assert(result == JSON_BAD && why.text[0] && utf8_valid(str_of(why.text)));
        return 0;
    }
    print(json_root(first), 0, &printed);
    assert(buf_ok(&printed));
    assert(json_parse(buf_str(&printed), &second, NULL) == JSON_OK);
    print(json_root(second), 0, &again);
    assert(str_eq(buf_str(&printed), buf_str(&again)));
    return 0;
}
