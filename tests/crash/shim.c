/* Stands between a program and the C library: lets one call fail, be the last, or wait.
 *
 * A step is whatever lasts: a write to a file, a sync, a rename, a removal, a cut; and a message to a database server, or
 * a lock on the file of one that is none.
 * Names of our own functions do not come into it. Loaded with LD_PRELOAD; a program is armed with shim_arm(), see
 * shim.py for what the words mean.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

enum action { COUNT, KILL, TORN, AFTER, FAIL, PAUSE, CUT };

static struct {
    char calls[256], place[512], text[128], since[128];
    int action, error, told;
    long n, seen;
} trap;

void shim_arm(const char *calls, const char *place, const char *text, const char *since, int action, long n, int error,
              int told) {
    snprintf(trap.calls, sizeof trap.calls, "%s", calls);
    snprintf(trap.place, sizeof trap.place, "%s", place);
    snprintf(trap.text, sizeof trap.text, "%s", text);
    snprintf(trap.since, sizeof trap.since, "%s", since);
    trap.action = action, trap.error = error, trap.told = told, trap.seen = 0;
    trap.n = n;
}

static pthread_mutex_t telling = PTHREAD_MUTEX_INITIALIZER;

static void tell(const char *call, const char *path) {
    REAL(ssize_t, write, int, const void *, size_t);
    char line[1024];
    int length = snprintf(line, sizeof line, "%s %s\n", call, path);
    pthread_mutex_lock(&telling);  // or a line of another thread's could be written over
    real(trap.told, line, (size_t)length);
    pthread_mutex_unlock(&telling);
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static int holds(const void *data, size_t size, const char *text) {
    return !text[0] || (data && memmem(data, size, text, strlen(text)));
}

/* What to do with this call; COUNT stands for nothing. */
static int step(const char *call, const char *path, const void *data, size_t size) {
    char name[32];
    if (trap.since[0]) {
        if (!data || !holds(data, size, trap.since)) return COUNT;
        trap.since[0] = 0;
    }
    snprintf(name, sizeof name, ",%s,", call);
    if (trap.calls[0] && !strstr(trap.calls, name)) return COUNT;
    if (!strstr(path, trap.place) || !holds(data, size, trap.text)) return COUNT;
    tell(call, path);
    if (__atomic_add_fetch(&trap.seen, 1, __ATOMIC_SEQ_CST) != trap.n) return COUNT;
    if (trap.action == KILL) die();
    if (trap.action == PAUSE) kill(getpid(), SIGSTOP);
    return trap.action;
}

static int on_disk(const char *call, int handle, const void *data, size_t size) {
    struct stat about;
    char link[64], path[512];
    if (!trap.n || fstat(handle, &about) || !(S_ISREG(about.st_mode) || S_ISDIR(about.st_mode))) return COUNT;
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    return strncmp(path, "/memfd:", 7) ? step(call, path, data, size) : COUNT;
}

#define DONE(how, half, whole) \
    switch (how) { \
    case TORN: half; die(); break; \
    case AFTER: whole; die(); break; \
    case FAIL: errno = trap.error; return -1; \
    } \
    return whole

ssize_t write(int handle, const void *data, size_t size) {
    REAL(ssize_t, write, int, const void *, size_t);
    DONE(on_disk("write", handle, data, size), real(handle, data, size / 2), real(handle, data, size));
}

ssize_t pwrite(int handle, const void *data, size_t size, off_t at) {
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    DONE(on_disk("write", handle, data, size), real(handle, data, size / 2, at), real(handle, data, size, at));
}

ssize_t pwrite64(int handle, const void *data, size_t size, off64_t at) {
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    DONE(on_disk("write", handle, data, size), real(handle, data, size / 2, at), real(handle, data, size, at));
}

int fsync(int handle) {
    REAL(int, fsync, int);
    DONE(on_disk("sync", handle, NULL, 0), (void)0, real(handle));
}

int fdatasync(int handle) {
    REAL(int, fdatasync, int);
    DONE(on_disk("sync", handle, NULL, 0), (void)0, real(handle));
}

int ftruncate(int handle, off_t length) {
    REAL(int, ftruncate, int, off_t);
    DONE(on_disk("cut", handle, NULL, 0), (void)0, real(handle, length));
}

int ftruncate64(int handle, off64_t length) {
    REAL(int, ftruncate64, int, off64_t);
    DONE(on_disk("cut", handle, NULL, 0), (void)0, real(handle, length));
}

/* SQLite's locks: the moment before it takes one. */
#define LOCKING(name) \
    int name(int handle, int command, ...) { \
        REAL(int, name, int, int, ...); \
        va_list more; \
        va_start(more, command); \
        void *how = va_arg(more, void *); \
        va_end(more); \
        if (command == F_SETLK && ((struct flock *)how)->l_type != F_UNLCK) on_disk("lock", handle, NULL, 0); \
        return real(handle, command, how); \
    }
LOCKING(fcntl)
LOCKING(fcntl64)

int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    DONE(trap.n ? step("rename", to, NULL, 0) : COUNT, (void)0, real(from, to));
}

int unlink(const char *path) {
    REAL(int, unlink, const char *);
    DONE(trap.n ? step("remove", path, NULL, 0) : COUNT, (void)0, real(path));
}

ssize_t send(int handle, const void *data, size_t size, int flags) {
    REAL(ssize_t, send, int, const void *, size_t, int);
    char said[100];
    size_t length = 0;
    for (; trap.n && length < size && length < sizeof said - 1; length++) {
        char one = ((const char *)data)[length];
        said[length] = one >= ' ' && one <= '~' ? one : '.';
    }
    said[length] = 0;
    int how = trap.n ? step("send", said, data, size) : COUNT;
    if (how == CUT) {
        shutdown(handle, SHUT_RD);  /* first, or the answer might be there already */
        ssize_t sent = real(handle, data, size, flags);
        shutdown(handle, SHUT_WR);
        return sent;
    }
    DONE(how, real(handle, data, size / 2, flags), real(handle, data, size, flags));
}
