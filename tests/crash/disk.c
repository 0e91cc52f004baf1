/*
 * crash/disk.c - what would survive of one folder if the power went now.
 *
 * Threads: any; disk_lock() first.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crash/disk_inside.h"

#define FDS_MAX 4096

static struct {
    pthread_mutex_t lock;
    char folder[4096]; /* "": nothing is watched */
    enum disk_plant plant;
    struct disk_file *files;
    struct disk_file *folder_file;
    struct disk_names names;
    struct disk_file *fds[FDS_MAX];
    bool rewrites[FDS_MAX];
    uint64_t random;
    unsigned cut_at;
    unsigned fail_sync_at;
    bool off;
    bool sync_failed;
    void (*ends)(void);
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER };

void disk_lock(void)
{
    (void)pthread_mutex_lock(&disk.lock);
}

void disk_unlock(void)
{
    (void)pthread_mutex_unlock(&disk.lock);
}

void disk_seed(uint64_t seed)
{
    disk.random = seed;
}

/* splitmix64 */
uint64_t disk_random(uint64_t below)
{
    uint64_t z = disk.random += 0x9E3779B97F4A7C15U;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return (z ^ z >> 31) % below;
}

static struct disk_file *file_new(bool is_folder)
{
    struct disk_file *file = disk_must(calloc(1, sizeof *file));

    file->is_folder = is_folder;
    file->next = disk.files;
    disk.files = file;
    return file;
}

static void forget_all(void)
{
    disk_names_free(&disk.names);
    while (disk.files) {
        struct disk_file *file = disk.files;

        disk.files = file->next;
        disk_bytes_settle(file, DROP_ALL);
        free(file->durable);
        free(file);
    }
    memset(disk.fds, 0, sizeof disk.fds);
    memset(disk.rewrites, 0, sizeof disk.rewrites);
}

static void path_of(char *ret, size_t room, const char *folder, const char *name)
{
    int len = snprintf(ret, room, "%s/%s", folder, name);

    if (len < 0 || (size_t)len >= room)
        abort();
}

static void adopt(const char *folder, const char *name)
{
    char path[sizeof disk.folder + 256];
    struct disk_file *file;
    struct stat is;
    int fd;

    path_of(path, sizeof path, folder, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &is) < 0)
        abort();
    if (S_ISREG(is.st_mode)) {
        file = file_new(false);
        disk_bytes_grow(file, (size_t)is.st_size);
        for (size_t at = 0; at < file->len;) {
            ssize_t got = read(fd, file->durable + at, file->len - at);

            if (got <= 0)
                abort();
            at += (size_t)got;
        }
        disk_names_settled(&disk.names, name, file);
    }
    (void)close(fd);
}

void disk_begin(const char *folder, enum disk_plant plant)
{
    struct dirent *entry;
    DIR *listed;

    disk_end();
    listed = opendir(folder);
    if (!listed || strlen(folder) >= sizeof disk.folder)
        abort();
    while ((entry = readdir(listed)) != NULL) {
        if (entry->d_type == DT_REG)
            adopt(folder, entry->d_name);
    }
    (void)closedir(listed);
    disk.folder_file = file_new(true);
    disk.plant = plant;
    disk.off = disk.sync_failed = false;
    disk.cut_at = disk.fail_sync_at = 0;
    (void)snprintf(disk.folder, sizeof disk.folder, "%s", folder);
}

void disk_end(void)
{
    disk.folder[0] = '\0';
    forget_all();
}

void disk_arm(unsigned cut_at, unsigned fail_sync_at)
{
    disk_lock();
    disk.cut_at = cut_at;
    disk.fail_sync_at = fail_sync_at;
    disk.sync_failed = false;
    disk_unlock();
}

bool disk_is_off(void)
{
    return disk.off;
}

bool disk_sync_failed(void)
{
    return disk.sync_failed;
}

void disk_on_cut(void (*ends)(void))
{
    disk.ends = ends;
}

static void write_file(const char *folder, const char *name, const struct disk_file *file)
{
    char path[sizeof disk.folder + 256];
    int fd;

    path_of(path, sizeof path, folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        abort();
    for (size_t at = 0; at < file->len;) {
        ssize_t put = write(fd, file->durable + at, file->len - at);

        if (put <= 0)
            abort();
        at += (size_t)put;
    }
    (void)close(fd);
}

void disk_cut(void)
{
    enum tearing tearing = (enum tearing)disk_random(TEARINGS);
    enum disk_plant plant = disk.plant;
    char folder[sizeof disk.folder];

    (void)snprintf(folder, sizeof folder, "%s", disk.folder);
    disk.folder[0] = '\0'; /* what follows is no call of the process */
    disk_names_cut(&disk.names, tearing);
    for (size_t i = 0; i < DISK_NAMES_MAX; i++) {
        char path[sizeof disk.folder + 256];

        if (!disk.names.seen[i].name)
            continue;
        path_of(path, sizeof path, folder, disk.names.seen[i].name);
        if (unlink(path) < 0)
            abort();
    }
    for (struct disk_file *file = disk.files; file; file = file->next)
        disk_bytes_settle(file, tearing);
    for (size_t i = 0; i < DISK_NAMES_MAX; i++) {
        if (disk.names.durable[i].name)
            write_file(folder, disk.names.durable[i].name, disk.names.durable[i].file);
    }
    disk_begin(folder, plant);
}

/* ---- what disk_calls.c tells ---- */

const char *disk_name(const char *path)
{
    size_t len = strlen(disk.folder);
    const char *name = path + len;

    if (len == 0 || strncmp(path, disk.folder, len) != 0)
        return NULL;
    if (name[0] == '\0')
        return name;
    if (name[0] != '/' || strchr(name + 1, '/'))
        return NULL;
    return name + 1;
}

struct disk_file *disk_file_of(int fd)
{
    return disk.folder[0] && fd >= 0 && fd < FDS_MAX ? disk.fds[fd] : NULL;
}

void disk_remember(int fd, struct disk_file *file)
{
    if (fd < 0 || fd >= FDS_MAX)
        return;
    disk.fds[fd] = file;
    disk.rewrites[fd] = false;
}

bool disk_is_folder(const struct disk_file *file)
{
    return file->is_folder;
}

struct disk_file *disk_find(const char *name)
{
    return disk_names_find(&disk.names, name);
}

struct disk_file *disk_find_folder(void)
{
    return disk.folder_file;
}

bool disk_is_on(void)
{
    if (disk.off)
        errno = EIO;
    return !disk.off;
}

bool disk_change(void)
{
    if (!disk.off && disk.cut_at > 0 && --disk.cut_at == 0) {
        disk.off = true;
        if (disk.ends)
            disk.ends();
    }
    return disk_is_on();
}

void disk_wrote(struct disk_file *file, off_t at, const void *bytes, size_t len)
{
    disk_bytes_add(file, at, bytes, len, false);
}

void disk_truncated(struct disk_file *file, off_t len)
{
    disk_bytes_add(file, len, NULL, 0, true);
}

struct disk_file *disk_made(const char *name)
{
    struct disk_file *file = file_new(false);

    disk_names_change(&disk.names, NULL, name, file);
    return file;
}

void disk_removed(const char *name)
{
    disk_names_change(&disk.names, name, NULL, NULL);
}

void disk_renamed(const char *from, const char *to)
{
    disk_names_change(&disk.names, from, to, disk_find(from));
}

void disk_linked(const char *from, const char *to)
{
    disk_names_change(&disk.names, NULL, to, disk_find(from));
}

bool disk_synced(struct disk_file *file)
{
    if (disk.plant == DISK_NO_SYNC && !file->is_folder)
        return true;
    if (file->is_folder) {
        if (disk.plant != DISK_NO_FOLDER_SYNC)
            disk_names_flush(&disk.names);
        return true;
    }
    if (disk.fail_sync_at == 0 || --disk.fail_sync_at > 0) {
        disk_bytes_settle(file, KEEP_ALL);
        return true;
    }
    disk.sync_failed = true;
    disk_bytes_settle(file, EACH_SECTOR);
    errno = EIO;
    return false;
}

void disk_rewrites(int fd)
{
    if (fd >= 0 && fd < FDS_MAX)
        disk.rewrites[fd] = true;
}

bool disk_is_rewriting(int fd)
{
    return disk.plant == DISK_NO_REWRITE && fd >= 0 && fd < FDS_MAX && disk.rewrites[fd];
}
