/*
 * pictures_test.c - pictures that are kept, and the thread that paints them.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/painter.h"
#include "api/pictures.h"

#define ROOM 100000

static struct picture *of_bytes(size_t len)
{
    char *bytes = calloc(1, len);
    struct picture *picture;

    assert_non_null(bytes);
    picture = picture_new((struct str){ bytes, len });
    free(bytes);
    assert_non_null(picture);
    return picture;
}

static void put(struct pictures *pictures, const char *name, size_t len)
{
    AUTO(picture) picture = of_bytes(len);

    pictures_put(pictures, name, picture);
}

static bool has(struct pictures *pictures, const char *name, size_t len)
{
    AUTO(picture) picture = pictures_get(pictures, name);

    assert_true(!picture || picture->len == len);
    return picture != NULL;
}

static void a_picture_is_found_by_its_name_alone(void **state)
{
    AUTO(pictures) pictures = pictures_new(ROOM);

    (void)state;
    assert_false(has(pictures, "a", 0));
    put(pictures, "a", 10);
    put(pictures, "b", 20);
    put(pictures, "a", 30); /* two painted the same at once: the first stays */
    assert_true(has(pictures, "a", 10));
    assert_true(has(pictures, "b", 20));
    assert_false(has(pictures, "c", 0));
}

static void the_least_lately_asked_for_goes_first_and_the_room_is_never_exceeded(void **state)
{
    AUTO(pictures) pictures = pictures_new(ROOM);

    (void)state;
    put(pictures, "a", ROOM / 5);
    put(pictures, "b", ROOM / 5);
    put(pictures, "c", ROOM / 5);
    put(pictures, "d", ROOM / 5);
    assert_true(has(pictures, "a", ROOM / 5));
    put(pictures, "e", ROOM / 5);
    assert_false(has(pictures, "b", ROOM / 5));
    assert_true(has(pictures, "a", ROOM / 5));
    assert_true(has(pictures, "c", ROOM / 5));
    assert_true(has(pictures, "e", ROOM / 5));
}

static void what_would_push_all_others_out_is_not_kept(void **state)
{
    AUTO(pictures) pictures = pictures_new(ROOM);

    (void)state;
    put(pictures, "a", 10);
    put(pictures, "large", ROOM / 2);
    assert_false(has(pictures, "large", 0));
    assert_true(has(pictures, "a", 10));
}

static void a_picture_that_is_in_use_outlives_its_place(void **state)
{
    AUTO(pictures) pictures = pictures_new(ROOM);
    AUTO(picture) held = NULL;
    char name[16];

    (void)state;
    put(pictures, "a", 10);
    held = pictures_get(pictures, "a");
    for (int i = 0; i < 2000; i++) {
        (void)snprintf(name, sizeof name, "n%d", i);
        put(pictures, name, 100);
    }
    assert_false(has(pictures, "a", 10));
    assert_int_equal(held->len, 10);
    assert_int_equal(held->bytes[9], 0);
}

/* A painter whose brush waits until the test lets it go. */
struct studio {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool may_paint;
    const char *cannot; /* what the brush says in place of a picture; NULL: it paints */
    int painted;
    int begun;
    struct queue home;
};

static void wake(void *context)
{
    struct studio *studio = context;

    (void)pthread_mutex_lock(&studio->lock);
    (void)pthread_cond_broadcast(&studio->changed);
    (void)pthread_mutex_unlock(&studio->lock);
}

static struct picture *render(void *context, struct why *reterr_why)
{
    struct studio *studio = context;

    (void)pthread_mutex_lock(&studio->lock);
    studio->begun++;
    (void)pthread_cond_broadcast(&studio->changed);
    while (!studio->may_paint)
        (void)pthread_cond_wait(&studio->changed, &studio->lock);
    studio->painted++;
    (void)pthread_mutex_unlock(&studio->lock);
    if (studio->cannot)
        return why_set(reterr_why, "%s", studio->cannot);
    return picture_new(STR("a picture"));
}

static void studio_init(struct studio *studio)
{
    *studio = (struct studio){ 0 };
    (void)pthread_mutex_init(&studio->lock, NULL);
    (void)pthread_cond_init(&studio->changed, NULL);
    queue_init(&studio->home, wake, studio);
}

static void let_paint(struct studio *studio)
{
    (void)pthread_mutex_lock(&studio->lock);
    studio->may_paint = true;
    (void)pthread_cond_broadcast(&studio->changed);
    (void)pthread_mutex_unlock(&studio->lock);
}

static void wait_begun(struct studio *studio)
{
    (void)pthread_mutex_lock(&studio->lock);
    while (studio->begun == 0)
        (void)pthread_cond_wait(&studio->changed, &studio->lock);
    (void)pthread_mutex_unlock(&studio->lock);
}

/* Until so many jobs are home. */
static void wait_home(struct studio *studio, size_t n)
{
    size_t seen = 0;

    for (;;) {
        struct queue_list list = queue_take(&studio->home);

        seen += list.n;
        if (seen >= n)
            break;
        (void)pthread_mutex_lock(&studio->lock);
        if (list.n == 0)
            (void)pthread_cond_wait(&studio->changed, &studio->lock);
        (void)pthread_mutex_unlock(&studio->lock);
    }
    assert_int_equal(seen, n);
}

#define ORDERS 80

struct orders {
    struct job jobs[ORDERS];
    struct painting paintings[ORDERS];
};

static struct painting *order(struct studio *studio, struct orders *orders, size_t i,
                              const char *name)
{
    struct painting *painting = &orders->paintings[i];

    orders->jobs[i].home = &studio->home;
    painting->job = &orders->jobs[i];
    painting->render = render;
    painting->context = studio;
    (void)snprintf(painting->name, sizeof painting->name, "%s", name);
    return painting;
}

static void who_asks_for_the_same_waits_for_the_same(void **state)
{
    AUTO(pictures) pictures = pictures_new(ROOM);
    AUTO(painter) painter = painter_new(pictures);
    static struct orders orders;
    struct studio studio;

    (void)state;
    studio_init(&studio);
    for (size_t i = 0; i < ORDERS; i++)
        assert_true(painter_submit(painter, order(&studio, &orders, i, i % 2 ? "odd" : "even")));
    let_paint(&studio);
    wait_home(&studio, ORDERS);
    assert_int_equal(studio.painted, 2);
    for (size_t i = 0; i < ORDERS; i++) {
        assert_non_null(orders.paintings[i].picture);
        assert_ptr_equal(orders.paintings[i].picture, orders.paintings[i % 2].picture);
    }
    for (size_t i = 0; i < ORDERS; i++)
        picture_free(orders.paintings[i].picture);
    assert_true(has(pictures, "odd", 9));
    queue_destroy(&studio.home);
}

static void too_many_pictures_are_refused_and_the_others_painted(void **state)
{
    AUTO(pictures) pictures = pictures_new(ROOM);
    AUTO(painter) painter = painter_new(pictures);
    static struct orders orders;
    struct studio studio;
    size_t taken = 0;
    char name[16];

    (void)state;
    studio_init(&studio);
    for (size_t i = 0; i < ORDERS; i++) {
        (void)snprintf(name, sizeof name, "%zu", i);
        if (painter_submit(painter, order(&studio, &orders, i, name)))
            taken++;
    }
    assert_int_equal(taken, 64);
    let_paint(&studio);
    wait_home(&studio, taken);
    assert_int_equal(studio.painted, taken);
    for (size_t i = 0; i < ORDERS; i++)
        picture_free(orders.paintings[i].picture);
    queue_destroy(&studio.home);
}

static void at_the_end_what_has_begun_is_painted_and_the_rest_given_back(void **state)
{
    AUTO(pictures) pictures = pictures_new(ROOM);
    AUTO(painter) painter = painter_new(pictures);
    static struct orders orders;
    struct studio studio;

    (void)state;
    studio_init(&studio);
    assert_true(painter_submit(painter, order(&studio, &orders, 0, "first")));
    wait_begun(&studio);
    assert_true(painter_submit(painter, order(&studio, &orders, 1, "second")));
    painter_end_soon(painter);
    assert_false(painter_submit(painter, order(&studio, &orders, 2, "third")));
    let_paint(&studio);
    wait_home(&studio, 2);
    assert_non_null(orders.paintings[0].picture);
    assert_null(orders.paintings[1].picture);
    picture_free(orders.paintings[0].picture);
    queue_destroy(&studio.home);
}

static void why_it_cannot_be_painted_is_told_to_all_who_wait(void **state)
{
    AUTO(pictures) pictures = pictures_new(ROOM);
    AUTO(painter) painter = painter_new(pictures);
    static struct orders orders;
    struct studio studio;

    (void)state;
    studio_init(&studio);
    studio.cannot = "no brush";
    for (size_t i = 0; i < ORDERS; i++)
        assert_true(painter_submit(painter, order(&studio, &orders, i, "a")));
    let_paint(&studio);
    wait_home(&studio, ORDERS);
    assert_int_equal(studio.painted, 1);
    for (size_t i = 0; i < ORDERS; i++) {
        assert_null(orders.paintings[i].picture);
        assert_string_equal(orders.paintings[i].why.text, "no brush");
    }
    queue_destroy(&studio.home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_is_found_by_its_name_alone),
        cmocka_unit_test(the_least_lately_asked_for_goes_first_and_the_room_is_never_exceeded),
        cmocka_unit_test(what_would_push_all_others_out_is_not_kept),
        cmocka_unit_test(a_picture_that_is_in_use_outlives_its_place),
        cmocka_unit_test(who_asks_for_the_same_waits_for_the_same),
        cmocka_unit_test(too_many_pictures_are_refused_and_the_others_painted),
        cmocka_unit_test(why_it_cannot_be_painted_is_told_to_all_who_wait),
        cmocka_unit_test(at_the_end_what_has_begun_is_painted_and_the_rest_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
