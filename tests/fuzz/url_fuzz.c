/*
 * fuzz/url_fuzz.c - any bytes as a path and a query.
 *
 * What is decoded is encoded again, every byte of it, and read: the same segments and parameters,
 * so nothing is decoded twice or left out. Each refusal is one that people can read.
 */
#include "api/url.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode(struct str s, struct buf *out)
{
    for (size_t i = 0; i < s.len; i++)
        buf_format(out, "%%%02X", (unsigned)(unsigned char)s.at[i]);
}

static void check_refusal(const struct refusal *refusal)
{
    assert(refusal->problem == PROBLEM_MALFORMED || refusal->problem == PROBLEM_INVALID);
    assert(refusal->detail[0] && utf8_is_text(str_of(refusal->detail)));
    for (size_t i = 0; i < refusal->n_errors; i++)
        assert(utf8_is_text(str_of(refusal->errors[i].where)));
}

static void check_same(const struct url *a, const struct url *b)
{
    assert(a->n_segments == b->n_segments && a->n_parameters == b->n_parameters);
    for (size_t i = 0; i < a->n_segments; i++)
        assert(str_eq(a->segments[i], b->segments[i]));
    for (size_t i = 0; i < a->n_parameters; i++) {
        assert(str_eq(a->parameters[i].name, b->parameters[i].name));
        assert(str_eq(a->parameters[i].value, b->parameters[i].value));
    }
}

static void check_again(const struct url *url)
{
    static struct url again;
    struct refusal refusal = { .problem = PROBLEM_NONE };
    AUTO_BUF path = { 0 };
    AUTO_BUF query = { 0 };
    struct http1_request request = { .method = METHOD_GET };

    for (size_t i = 0; i < url->n_segments; i++) {
        buf_char(&path, '/');
        encode(url->segments[i], &path);
    }
    for (size_t i = 0; i < url->n_parameters; i++) {
        encode(url->parameters[i].name, &query);
        buf_char(&query, '=');
        encode(url->parameters[i].value, &query);
        buf_char(&query, '&');
    }
    assert(buf_ok(&path) && buf_ok(&query));
    if (path.len + query.len > HTTP1_HEAD_BYTES_MAX)
        return; /* no head is so long */
    request.path = path.len > 0 ? buf_str(&path) : STR("*");
    request.query = buf_str(&query);
    assert(url_read(&request, &again, &refusal));
    check_same(url, &again);
}

static void check_parameters(const struct url *url)
{
    struct refusal refusal = { .problem = PROBLEM_NONE };
    uint64_t n = 0;

    if (url_parameters_ok(url, "lang limit after", &refusal)) {
        assert(url->n_parameters <= 3);
        for (size_t i = 0; i < url->n_parameters; i++)
            assert(str_eq(url_parameter(url, url->parameters[i].name.at[1] == 'a'   ? "lang"
                                             : url->parameters[i].name.at[1] == 'i' ? "limit"
                                                                                    : "after"),
                          url->parameters[i].value));
    } else {
        check_refusal(&refusal);
    }
    refusal = (struct refusal){ .problem = PROBLEM_NONE };
    if (url_number(url, "limit", 1, 1000, 100, &n, &refusal))
        assert(n >= 1 && n <= 1000);
    else
        check_refusal(&refusal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct url url;
    struct refusal refusal = { .problem = PROBLEM_NONE };
    struct str whole = { (const char *)data, size };
    size_t mark = str_find(whole, '?');
    struct http1_request request = { .method = METHOD_GET, .path = { whole.at, mark } };

    if (size > HTTP1_HEAD_BYTES_MAX)
        return 0; /* no head is so long */
    if (mark < size)
        request.query = str_from(whole, mark + 1);
    if (!url_read(&request, &url, &refusal)) {
        check_refusal(&refusal);
        return 0;
    }
    assert(url.used <= sizeof url.bytes);
    if (!url.too_deep)
        check_again(&url);
    check_parameters(&url);
    return 0;
}
