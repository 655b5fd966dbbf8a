/* passphrase -- see the header. */
#include "vm/runner/passphrase.h"

#include "vm/base/arena.h"
#include "vm/runner/guard.h"
#include "vm/runner/seal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { SLOT_SIZE = TW_PASSPHRASE_MAX, CHOICES_MAX = 3 };

struct tw_passphrases {
    const char *paths[TW_PASSPHRASES_MAX];
    uint32_t path_count, read_count;
    char *slots; /* guarded: TW_PASSPHRASES_MAX of SLOT_SIZE */
    size_t sizes[TW_PASSPHRASES_MAX];
    uint32_t count;
};

tw_passphrases *tw_passphrases_new(void)
{
    return tw_mem_new(sizeof(tw_passphrases));
}

void tw_passphrases_free(tw_passphrases *p)
{
    if (p == NULL) return;
    tw_guard_free(p->slots, TW_PASSPHRASES_MAX * SLOT_SIZE);
    tw_mem_free(p);
}

tw_status tw_passphrases_add_file(tw_passphrases *p, const char *path)
{
    if (p->path_count == TW_PASSPHRASES_MAX) return TW_REFUSED_LIMIT;
    p->paths[p->path_count++] = path;
    return TW_OK;
}

bool tw_passphrases_from_files(const tw_passphrases *p)
{
    return p->path_count > 0;
}

/* An empty slot behind the last. */
static tw_status free_slot(tw_passphrases *p, char **ret_slot, tw_err *err)
{
    if (p->slots == NULL) p->slots = tw_guard_new(TW_PASSPHRASES_MAX * SLOT_SIZE);
    if (p->slots == NULL) return tw_err_set(err, TW_ERR_MEMORY, "no memory");
    if (p->count == TW_PASSPHRASES_MAX) {
        return tw_err_set(err, TW_REFUSED_LIMIT, "more than %d passphrases in one command",
                          TW_PASSPHRASES_MAX);
    }
    *ret_slot = p->slots + p->count * SLOT_SIZE;
    return TW_OK;
}

/* ---- files ---- */

/* The first line into the slot, byte by byte: a pipe may go on behind it. */
static tw_status read_line(int file, char *slot, size_t *ret_size, const char **ret_why)
{
    for (size_t size = 0;;) {
        char c = '\n';
        const ssize_t got = read(file, &c, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            *ret_why = strerror(errno);
            return TW_ERR_IO;
        }
        if (got == 0 || c == '\n') {
            if (size > 0 && slot[size - 1] == '\r') slot[--size] = '\0';
            *ret_size = size;
            *ret_why = "its first line holds no passphrase";
            return size > 0 ? TW_OK : TW_REFUSED_ARGUMENT;
        }
        *ret_why = c == '\0' ? "it is no text" : "a passphrase has at most 1024 bytes";
        if (c == '\0' || size == SLOT_SIZE) return TW_REFUSED_ARGUMENT;
        slot[size++] = c;
    }
}

static tw_status read_files(tw_passphrases *p, tw_err *err)
{
    for (; p->read_count < p->path_count; p->read_count++) {
        const char *path = p->paths[p->read_count];
        char *slot = NULL;
        TW_TRY(free_slot(p, &slot, err));
        errno = 0;
        const int file = open(path, O_RDONLY | O_CLOEXEC);
        const char *why = strerror(errno);
        tw_status status = TW_ERR_IO;
        if (file >= 0) {
            status = read_line(file, slot, &p->sizes[p->count], &why);
            close(file);
        }
        if (status != TW_OK) {
            return tw_err_set(err, status, "the file of the passphrase, %s: %s", path, why);
        }
        p->count++;
    }
    return TW_OK;
}

tw_status tw_passphrases_known(tw_passphrases *p, uint32_t index, tw_bytes *ret_passphrase,
                               tw_err *err)
{
    TW_TRY(read_files(p, err));
    *ret_passphrase = tw_bytes_of(NULL, 0);
    if (index < p->count) {
        *ret_passphrase = tw_bytes_of(p->slots + index * SLOT_SIZE, p->sizes[index]);
    }
    return TW_OK;
}

/* ---- the terminal ---- */

static void say(int terminal, const char *text)
{
    const ssize_t done = write(terminal, text, strlen(text));
    (void)done; /* a terminal that takes no text will give none: reading tells */
}

/* The line without its last character, which may have several bytes. */
static size_t without_last(char *slot, size_t size)
{
    while (size > 0 && ((uint8_t)slot[size - 1] & 0xC0) == 0x80) slot[--size] = '\0';
    if (size > 0) slot[--size] = '\0';
    return size;
}

/* One line, whose keys are taken one by one: the terminal's own line would keep a copy, and a
 * signal would leave it without echo. False when the person gave up. */
static bool type_line(int terminal, const struct termios *usual, char *slot, size_t *ret_size)
{
    size_t size = 0;
    for (;;) {
        char c = '\0';
        const ssize_t got = read(terminal, &c, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        const cc_t key = (cc_t)c;
        if (c == '\n' || c == '\r') break;
        if (key == usual->c_cc[VINTR] || key == usual->c_cc[VQUIT]) return false;
        if (key == usual->c_cc[VEOF]) {
            if (size == 0) return false;
            break;
        }
        if (key == usual->c_cc[VERASE] || key == '\b' || key == 0x7f) {
            size = without_last(slot, size);
        } else if (key == usual->c_cc[VKILL]) {
            size = 0;
        } else if (key >= ' ' && size < SLOT_SIZE) {
            slot[size++] = c;
        }
    }
    *ret_size = size;
    return true;
}

static tw_status ask(const char *question, char *slot, size_t *ret_size, tw_err *err)
{
    struct termios usual;
    const int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0 || tcgetattr(terminal, &usual) != 0) {
        if (terminal >= 0) close(terminal);
        return tw_err_set(
            err, TW_REFUSED_ARGUMENT,
            "keys are sealed with a passphrase, and there is no terminal to ask for "
            "it; --passphrase-file FILE or TWVM_PASSPHRASE_FILE names a file with it");
    }
    struct termios silent = usual;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG);
    silent.c_cc[VMIN] = 1;
    silent.c_cc[VTIME] = 0;
    bool typed = tcsetattr(terminal, TCSAFLUSH, &silent) == 0;
    if (typed) {
        say(terminal, question);
        say(terminal, ": ");
        typed = type_line(terminal, &usual, slot, ret_size);
        say(terminal, "\n");
        (void)tcsetattr(terminal, TCSAFLUSH, &usual);
    }
    close(terminal);
    if (typed) return TW_OK;
    return tw_err_set(err, TW_REFUSED_ARGUMENT, "no passphrase was typed; nothing is done");
}

tw_status tw_passphrases_ask(tw_passphrases *p, const char *question, tw_bytes *ret_passphrase,
                             tw_err *err)
{
    char *slot = NULL;
    TW_TRY(free_slot(p, &slot, err));
    TW_TRY(ask(question, slot, &p->sizes[p->count], err));
    *ret_passphrase = tw_bytes_of(slot, p->sizes[p->count]);
    p->count++;
    return TW_OK;
}

void tw_passphrases_drop(tw_passphrases *p)
{
    assert(p->count > p->path_count);
    p->count--;
    memset(p->slots + p->count * SLOT_SIZE, 0, SLOT_SIZE);
}

/* Two that must agree. *ret_size is 0 when they do not, or it is too short; `why` is said with the
 * next question. */
static tw_status ask_twice(tw_passphrases *p, const char *question, tw_bytes *ret_passphrase,
                           const char **ret_why, tw_err *err)
{
    tw_bytes again;
    TW_TRY(tw_passphrases_ask(p, question, ret_passphrase, err));
    *ret_why = "it is too short: 8 bytes at least";
    bool good = ret_passphrase->size >= TW_PASSPHRASE_MIN;
    if (good) {
        const tw_status status = tw_passphrases_ask(p, "once more", &again, err);
        if (status != TW_OK) {
            tw_passphrases_drop(p);
            return status;
        }
        *ret_why = "the two differ";
        good = tw_bytes_equal(*ret_passphrase, again);
        tw_passphrases_drop(p);
    }
    if (good) return TW_OK;
    tw_passphrases_drop(p);
    *ret_passphrase = tw_bytes_of(NULL, 0);
    return TW_OK;
}

tw_status tw_passphrases_choose(tw_passphrases *p, const char *question, tw_bytes *ret_passphrase,
                                tw_err *err)
{
    TW_TRY(tw_passphrases_known(p, 0, ret_passphrase, err));
    if (ret_passphrase->size > 0) {
        if (ret_passphrase->size >= TW_PASSPHRASE_MIN) return TW_OK;
        return tw_err_set(err, TW_REFUSED_ARGUMENT,
                          "the passphrase is too short for a new key: %d bytes at least",
                          TW_PASSPHRASE_MIN);
    }
    const char *why = "";
    for (int i = 0; i < CHOICES_MAX; i++) {
        char text[200];
        snprintf(text, sizeof text, "%s%s%s", why, why[0] != '\0' ? "; " : "", question);
        TW_TRY(ask_twice(p, text, ret_passphrase, &why, err));
        if (ret_passphrase->size > 0) return TW_OK;
    }
    return tw_err_set(err, TW_REFUSED_ARGUMENT, "no passphrase: %s", why);
}
