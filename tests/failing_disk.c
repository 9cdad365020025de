/* Fails chosen system calls of a process on chosen files: LD_PRELOAD it, with FAULT_CONTROL naming the file that
 * failing_disk.py maps, and FAULT_UNDER the folders that count, between colons. Calls on anything else pass. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { OPEN, WRITE, SYNC, CUT, RENAME, MKDIR, CLOSE, UNLINK, KINDS };
enum { AT, ERROR, LASTING, MASK, SEEN, FIRED, COUNTS, SIZE = COUNTS + KINDS };
#define SHORT (-1)
#define SLOW (-2)
#define FILES 65536

static volatile int *told;
static const char *under;
static unsigned char ours[FILES];

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULT_CONTROL");
    int fd = path ? (int)open(path, O_RDWR | O_CLOEXEC) : -1;
    under = getenv("FAULT_UNDER");
    if (fd < 0 || !under) return;
    void *map = mmap(NULL, SIZE * sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map != MAP_FAILED) told = map;
}

static int counts(const char *path) {
    if (!told || !path) return 0;
    for (const char *each = under; *each;) {
        size_t length = strcspn(each, ":");
        if (!strncmp(path, each, length)) return 1;
        each += length + (each[length] == ':');
    }
    return 0;
}

/* 0, or what this call has to fail with. */
static int due(int kind) {
    if (!(told[MASK] & (1 << kind))) return 0;
    int number = __sync_add_and_fetch(&told[SEEN], 1);
    __sync_add_and_fetch(&told[COUNTS + kind], 1);
    int at = told[AT];
    /* once is once, but not never: the one that was meant may have passed while all this was being said */
    if (!at || number < at || (number > at && !told[LASTING] && told[FIRED])) return 0;
    if (told[ERROR] == SHORT && kind != WRITE) return 0;
    __sync_add_and_fetch(&told[FIRED], 1);
    int error = told[ERROR];
    while (error == SLOW && told[AT]) usleep(1000); /* until the disk is healed */
    return error;
}

static int is_ours(int fd) { return told && fd >= 0 && fd < FILES && ours[fd]; }

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define FAIL_IF_DUE(kind) do { int error = due(kind); if (error > 0) { errno = error; return -1; } } while (0)

#define OPENING(name)                                                              \
    int name(const char *path, int flags, ...) {                                   \
        REAL(name);                                                                \
        va_list rest; va_start(rest, flags);                                       \
        mode_t mode = va_arg(rest, mode_t); va_end(rest);                          \
        int counted = counts(path);                                                \
        if (counted) FAIL_IF_DUE(OPEN);                                            \
        int fd = real(path, flags, mode);                                          \
        if (fd >= 0 && fd < FILES) ours[fd] = (unsigned char)counted;              \
        return fd;                                                                 \
    }
OPENING(open)
OPENING(open64)

#define OPENING_AT(name)                                                           \
    int name(int folder, const char *path, int flags, ...) {                       \
        REAL(name);                                                                \
        va_list rest; va_start(rest, flags);                                       \
        mode_t mode = va_arg(rest, mode_t); va_end(rest);                          \
        int counted = counts(path);                                                \
        if (counted) FAIL_IF_DUE(OPEN);                                            \
        int fd = real(folder, path, flags, mode);                                  \
        if (fd >= 0 && fd < FILES) ours[fd] = (unsigned char)counted;              \
        return fd;                                                                 \
    }
OPENING_AT(openat)
OPENING_AT(openat64)

/* a short write takes one byte, or half of what there is */
#define WRITING(name, parameters, arguments)                                       \
    ssize_t name parameters {                                                      \
        REAL(name);                                                                \
        if (is_ours(fd)) {                                                         \
            int error = due(WRITE);                                                \
            if (error > 0) { errno = error; return -1; }                           \
            if (error == SHORT && size > 1) size /= 2;                             \
        }                                                                          \
        return real arguments;                                                     \
    }
WRITING(write, (int fd, const void *bytes, size_t size), (fd, bytes, size))
WRITING(pwrite, (int fd, const void *bytes, size_t size, off_t offset), (fd, bytes, size, offset))
WRITING(pwrite64, (int fd, const void *bytes, size_t size, off64_t offset), (fd, bytes, size, offset))

#define ON_FILE(name, kind, parameters, arguments)                                 \
    int name parameters {                                                          \
        REAL(name);                                                                \
        if (is_ours(fd)) FAIL_IF_DUE(kind);                                        \
        return real arguments;                                                     \
    }
ON_FILE(fsync, SYNC, (int fd), (fd))
ON_FILE(fdatasync, SYNC, (int fd), (fd))
ON_FILE(ftruncate, CUT, (int fd, off_t size), (fd, size))
ON_FILE(ftruncate64, CUT, (int fd, off64_t size), (fd, size))

#define ON_PATH(name, kind, parameters, arguments)                                 \
    int name parameters {                                                          \
        REAL(name);                                                                \
        if (counts(path)) FAIL_IF_DUE(kind);                                       \
        return real arguments;                                                     \
    }
ON_PATH(truncate, CUT, (const char *path, off_t size), (path, size))
ON_PATH(truncate64, CUT, (const char *path, off64_t size), (path, size))
ON_PATH(mkdir, MKDIR, (const char *path, mode_t mode), (path, mode))
ON_PATH(unlink, UNLINK, (const char *path), (path))
ON_PATH(rename, RENAME, (const char *path, const char *target), (path, target))

int close(int fd) {
    REAL(close);
    int counted = is_ours(fd);
    if (counted) ours[fd] = 0;
    int done = real(fd); /* the number is free also where closing says that the disk failed */
    if (counted) FAIL_IF_DUE(CLOSE);
    return done;
}
