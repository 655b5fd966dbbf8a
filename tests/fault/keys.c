/* keys -- each allocation fails once while keys are made, sealed, opened and carried about, and no
 * secret stays in memory that was given back; output: TAP.
 *
 *     keys
 *
 * Each step works on a folder of keys. Call number n to the host's memory gives nothing, for n from
 * 1 on until the step gets through; of the steps that seal and open also each of the crypto
 * library's calls. It then ends with TW_ERR_MEMORY (or TW_ERR_CRYPTO, of the library), the keys are
 * as they were, and the next try is done as if nothing had been.
 *
 * All of it runs on a stack that this program has made, and every block of memory is looked at
 * before it is freed: neither may hold the secret that was worked with, in bytes, in their reverse
 * (a number of the machine) or in hex, after a step has ended in any way. At the end nothing that
 * the process may write to holds it.
 */
#include "tests/fault/load.h"
#include "tests/fault/memory.h"
#include "vm/runner/keyring.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CALLS_MAX = 400, /* of a step */
    STACK_SIZE = 1024 * 1024,
    PATH_SIZE = 4096,
    REGION_MAX = 256 * 1024 * 1024, /* a sanitizer's own are larger */
    PART = 12,                      /* bytes of a secret that are not there by chance */
    PART_EACH = 4,
    NEEDLES = 4,
    NEEDLE_MAX = 64,
};

static const char phrase[] = "rKq4 vulcan-97 Zebulon";
static const char other_phrase[] = "another one, 8 and more";
static const char seed[] = "the seed of a secret";

/* Of what must not stay, so hidden that the list itself is not it. */
typedef struct needle {
    const char *name;
    uint8_t hidden[NEEDLE_MAX];
    size_t size;
} needle;

typedef struct state {
    char folder[PATH_SIZE];
    char phrase_path[PATH_SIZE + 16], other_path[PATH_SIZE + 16];
    tw_account account;
    bool insecure;
    bool library; /* calls of the crypto library fail, not those of our code */
    uint64_t tries, told, went_on, wrong;
    /* of the try: */
    const struct step *step;
    tw_status status;
} state;

/* Libraries that call back have no other way to know. */
static plan library_plan = PLAN;
static needle needles[NEEDLES];
static uint64_t starts[65536 / 64]; /* a bit for each two bytes that a part may begin with */
static const char *left_in;         /* what was in a block that was freed; NULL: nothing */

/* ---- what must not stay ---- */

static uint8_t hide(uint8_t byte)
{
    return byte ^ 0xA5;
}

static void add_needle(size_t n, const char *name, const uint8_t *bytes, size_t size)
{
    needles[n].name = name;
    needles[n].size = size;
    for (size_t i = 0; i < size; i++) needles[n].hidden[i] = hide(bytes[i]);
    for (size_t i = 0; i + PART <= size; i += PART_EACH) {
        const size_t two = (size_t)bytes[i] << 8 | bytes[i + 1];
        starts[two / 64] |= UINT64_C(1) << two % 64;
    }
}

static void make_needles(state *s)
{
    tw_secret secret;
    uint8_t reverse[32];
    char hex[65];
    tw_secret_from_seed(seed, &secret);
    if (!tw_secret_account(&secret, &s->account)) abort();
    for (size_t i = 0; i < 32; i++) reverse[i] = secret.bytes[31 - i];
    tw_hex_encode(secret.bytes, 32, hex);
    add_needle(0, "the secret", secret.bytes, 32);
    add_needle(1, "the secret as a number", reverse, 32);
    add_needle(2, "the secret in hex", (const uint8_t *)hex, 64);
    add_needle(3, "the passphrase", (const uint8_t *)phrase, sizeof phrase - 1);
    OPENSSL_cleanse(&secret, sizeof secret);
    OPENSSL_cleanse(reverse, sizeof reverse);
    OPENSSL_cleanse(hex, sizeof hex);
}

/* A stack that is no longer used may not be read in ways that a sanitizer watches. */
#define UNWATCHED __attribute__((no_sanitize("address"), noinline))

UNWATCHED static bool is_at(const uint8_t *bytes, const needle *w)
{
    for (size_t from = 0; from + PART <= w->size; from += PART_EACH) {
        size_t same = 0;
        while (same < PART && hide(bytes[same]) == w->hidden[from + same]) same++;
        if (same == PART) return true;
    }
    return false;
}

/* PART bytes of a needle, of those that begin at each PART_EACH-th byte of it. */
UNWATCHED static const char *find(const uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at + PART <= size; at++) {
        const size_t two = (size_t)bytes[at] << 8 | bytes[at + 1];
        if ((starts[two / 64] >> two % 64 & 1) == 0) continue;
        for (size_t n = 0; n < NEEDLES; n++) {
            if (is_at(bytes + at, &needles[n])) return needles[n].name;
        }
    }
    return NULL;
}

static void look(const void *block, size_t size)
{
    if (left_in == NULL) left_in = find(block, size);
}

void *__real_malloc(size_t size);
void __real_free(void *block);

static void *library_new(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return plan_meets(&library_plan) ? NULL : __real_malloc(size > 0 ? size : 1);
}

static void library_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    if (block != NULL) look(block, malloc_usable_size(block));
    __real_free(block);
}

/* Always moves, so that what was there can be looked at. */
static void *library_resize(void *block, size_t size, const char *file, int line)
{
    void *moved = library_new(size, file, line);
    if (moved == NULL || block == NULL) return moved;
    const size_t held = malloc_usable_size(block);
    memcpy(moved, block, held < size ? held : size);
    library_free(block, file, line);
    return moved;
}

/* ---- steps ---- */

static void path_of(const state *s, const char *name, char path[static PATH_SIZE])
{
    (void)snprintf(path, PATH_SIZE, "%.4000s/keys/%s.key", s->folder, name);
}

static bool exists(const state *s, const char *name)
{
    char path[PATH_SIZE];
    path_of(s, name, path);
    return access(path, F_OK) == 0;
}

static void no_keys(state *s)
{
    static const char *const names[] = {"alice", "bob"};
    char path[PATH_SIZE];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        path_of(s, names[i], path);
        (void)unlink(path);
    }
}

typedef struct ring {
    tw_keyring *keys;
    tw_passphrases *good, *other;
} ring;

static tw_status open_ring(state *s, ring *r, tw_err *err)
{
    r->good = tw_passphrases_new();
    r->other = tw_passphrases_new();
    if (r->good == NULL || r->other == NULL) return TW_ERR_MEMORY;
    TW_TRY(tw_passphrases_add_file(r->good, s->phrase_path));
    TW_TRY(tw_passphrases_add_file(r->other, s->other_path));
    TW_TRY(tw_keyring_open(s->folder, &r->keys, err));
    tw_keyring_set_passphrases(r->keys, r->good);
    return TW_OK;
}

static void close_ring(ring *r)
{
    tw_keyring_close(r->keys);
    tw_passphrases_free(r->good);
    tw_passphrases_free(r->other);
}

static tw_status do_create(state *s, ring *r, tw_err *err)
{
    (void)r;
    return tw_keyring_create(s->folder, s->insecure, err);
}

static tw_status do_new(state *s, ring *r, tw_err *err)
{
    const tw_named_key *key = NULL;
    TW_TRY(tw_keyring_add(r->keys, "alice", seed, &key, err));
    return tw_account_equal(&key->account, &s->account) ? TW_OK : TW_ERR_CORRUPT;
}

static tw_status do_sign(state *s, ring *r, tw_err *err)
{
    static const tw_hash message = {{1, 2, 3}};
    const tw_named_key *key = tw_keyring_of(r->keys, &s->account);
    tw_signature signature;
    tw_secret secret;
    if (key == NULL) return TW_ERR_CORRUPT;
    TW_TRY(tw_keyring_secret(r->keys, key, &secret, err));
    const bool good =
        tw_sign(&secret, &message, &signature) && tw_verify(&s->account, &message, &signature);
    OPENSSL_cleanse(&secret, sizeof secret);
    return good ? TW_OK : TW_ERR_CORRUPT;
}

/* Out under one name and in under the other. */
static tw_status carry(ring *r, bool plain, tw_err *err)
{
    char text[TW_SEAL_TEXT_MAX];
    const tw_named_key *key = tw_keyring_find(r->keys, "alice");
    if (key == NULL) return TW_ERR_CORRUPT;
    tw_status status = tw_keyring_export(r->keys, key, plain, text, err);
    if (status == TW_OK) status = tw_keyring_remove(r->keys, "alice", err);
    if (status == TW_OK) {
        status =
            tw_keyring_import(r->keys, "bob", tw_bytes_of(text, strlen(text)), "it", &key, err);
    }
    OPENSSL_cleanse(text, sizeof text);
    return status;
}

static tw_status do_carry(state *s, ring *r, tw_err *err)
{
    (void)s;
    return carry(r, false, err);
}

static tw_status do_carry_plain(state *s, ring *r, tw_err *err)
{
    (void)s;
    return carry(r, true, err);
}

static tw_status do_reseal(state *s, ring *r, tw_err *err)
{
    (void)s;
    TW_TRY(tw_keyring_reseal(r->keys, "alice", r->other, err));
    tw_keyring_set_passphrases(r->keys, r->other);
    return tw_keyring_reseal(r->keys, "alice", r->good, err);
}

/* Refusals, of which each comes when the secret is at hand, or might be. */
static tw_status do_wrong_passphrase(state *s, ring *r, tw_err *err)
{
    tw_keyring_set_passphrases(r->keys, r->other);
    return do_sign(s, r, err);
}

static tw_status do_with_mode(state *s, ring *r, tw_err *err)
{
    char path[PATH_SIZE];
    path_of(s, "alice", path);
    if (chmod(path, 0644) != 0) return TW_ERR_IO;
    const tw_status status = do_sign(s, r, err);
    return chmod(path, 0600) == 0 ? status : TW_ERR_IO;
}

static tw_status do_misnamed(state *s, ring *r, tw_err *err)
{
    char from[PATH_SIZE], to[PATH_SIZE];
    ring again = {0};
    (void)r;
    path_of(s, "alice", from);
    path_of(s, "bob", to);
    if (rename(from, to) != 0) return TW_ERR_IO;
    const tw_status status = open_ring(s, &again, err);
    close_ring(&again);
    return rename(to, from) == 0 ? status : TW_ERR_IO;
}

/* The library alone, at a price that is soon paid. */
static tw_status do_seal(state *s, ring *r, tw_err *err)
{
    static const tw_seal_cost cheap = {.log_n = 10, .r = 1, .p = 1};
    const tw_bytes passphrase = tw_bytes_of(phrase, sizeof phrase - 1);
    tw_secret secret;
    tw_seal seal;
    (void)r;
    (void)err;
    tw_secret_from_seed(seed, &secret);
    tw_status status = tw_seal_close("alice", &secret, passphrase, cheap, &seal);
    OPENSSL_cleanse(&secret, sizeof secret);
    if (status == TW_OK) status = tw_seal_open(&seal, passphrase, &secret);
    OPENSSL_cleanse(&secret, sizeof secret);
    (void)s;
    return status;
}

typedef struct step {
    const char *name;
    tw_status (*run)(state *s, ring *r, tw_err *err);
    tw_status comes_to;
    bool from_none;   /* each try begins without keys; else with alice's */
    bool sealed_only; /* a plain key comes to another end */
} step;

static const step steps[] = {
    {"create", do_create, TW_OK, true, false},
    {"new", do_new, TW_OK, true, false},
    {"sign", do_sign, TW_OK, false, false},
    {"carry", do_carry, TW_OK, false, false},
    {"carry plain", do_carry_plain, TW_OK, false, false},
    {"others may read it", do_with_mode, TW_REFUSED_KEY, false, false},
    {"the name of another", do_misnamed, TW_REFUSED_KEY, false, false},
    {"wrong passphrase", do_wrong_passphrase, TW_REFUSED_KEY, false, true},
    {"seal again", do_reseal, TW_OK, false, true},
};
static const step library_step = {"library", do_seal, TW_OK, true, false};

/* ---- tries ---- */

static uint8_t *stack; /* that each try runs on */

static bool fail_at(const state *s, uint64_t n)
{
    return s->library ? plan_set(&library_plan, n) : memory_fail(n);
}

static void *try_main(void *context)
{
    state *s = context;
    ring r = {0};
    tw_err err = {.status = TW_OK};
    const bool opens = s->step->run != do_create && s->step->run != do_seal;
    s->status = opens ? open_ring(s, &r, &err) : TW_OK;
    if (s->status == TW_OK) s->status = s->step->run(s, &r, &err);
    close_ring(&r);
    return NULL;
}

/* On a thread of its own, whose stack is looked at when it has ended. */
static bool run_try(state *s)
{
    pthread_attr_t how;
    pthread_t thread;
    memset(stack, 0, STACK_SIZE);
    if (pthread_attr_init(&how) != 0 || pthread_attr_setstack(&how, stack, STACK_SIZE) != 0 ||
        pthread_create(&thread, &how, try_main, s) != 0 || pthread_join(thread, NULL) != 0) {
        return false;
    }
    (void)pthread_attr_destroy(&how);
    return true;
}

static void wrong(state *s, uint64_t n, const char *what)
{
    s->wrong++;
    printf("# %s, call %llu: %s (%s)\n", s->step->name, (unsigned long long)n, what,
           tw_status_name(s->status));
}

/* Alice's key, made without failures. */
static bool have_alice(state *s)
{
    const step *wanted = s->step;
    no_keys(s);
    s->step = &steps[1];
    const bool good = run_try(s) && s->status == TW_OK && exists(s, "alice");
    s->step = wanted;
    return good;
}

static void check(state *s, uint64_t n, bool failed, int64_t held)
{
    const tw_status told = s->status;
    if (failed && (told == TW_ERR_MEMORY || (s->library && told == TW_ERR_CRYPTO))) {
        s->told++;
        if (s->step->run == do_new && exists(s, "alice")) wrong(s, n, "a key is there");
        const bool carried = s->step->run == do_carry || s->step->run == do_carry_plain;
        if (!exists(s, "alice") && !s->step->from_none && !carried) {
            wrong(s, n, "the key is lost");
        }
    } else if (told != s->step->comes_to) {
        wrong(s, n, "it comes to another end");
    } else {
        s->went_on += failed;
    }
    if (memory_held() != held) wrong(s, n, "memory is lost");
    const char *in_stack = find(stack, STACK_SIZE);
    if (in_stack != NULL) wrong(s, n, in_stack);
    if (left_in != NULL) {
        wrong(s, n, left_in);
        printf("#   ^ in memory that was freed\n");
    } else if (in_stack != NULL) {
        printf("#   ^ on the stack\n");
    }
    left_in = NULL;
}

static void sweep(state *s, const step *wanted)
{
    bool failed = true;
    uint64_t n = 1;
    const uint64_t bad = s->wrong;
    s->step = wanted;
    for (; failed && n < CALLS_MAX && s->wrong < bad + 3; n++) {
        if (wanted->from_none) no_keys(s);
        if (!wanted->from_none && !exists(s, "alice") && !have_alice(s)) {
            wrong(s, n, "alice's key can't be made");
            return;
        }
        const int64_t held = memory_held();
        s->tries++;
        (void)fail_at(s, n);
        if (!run_try(s)) abort();
        failed = fail_at(s, 0);
        check(s, n, failed, held);
    }
    if (n == CALLS_MAX) wrong(s, n, "it never ends");
    printf("# %s, %s: %llu tries\n", wanted->name, s->insecure ? "plain" : "sealed",
           (unsigned long long)(n - 1));
}

static bool all_of(state *s, const char *parent, bool insecure)
{
    char path[PATH_SIZE];
    if (!load_folder_make(parent, s->folder)) return false;
    s->insecure = insecure;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (!insecure || !steps[i].sealed_only) sweep(s, &steps[i]);
    }
    no_keys(s);
    (void)snprintf(path, sizeof path, "%.4000s/keys", s->folder);
    load_folder_remove(path);
    load_folder_remove(s->folder);
    return s->wrong == 0;
}

/* ---- the whole process ---- */

/* What it may write to; the places where a test without a sanitizer has its memory. */
static bool look_at_all(void)
{
    char line[PATH_SIZE];
    bool good = true;
    FILE *maps = fopen("/proc/self/maps", "r");
    if (maps == NULL) return false;
    while (fgets(line, sizeof line, maps) != NULL) {
        char *rest = NULL; /* "from-to rw-p ..." */
        const unsigned long long from = strtoull(line, &rest, 16);
        const unsigned long long to = *rest == '-' ? strtoull(rest + 1, &rest, 16) : 0;
        if (strncmp(rest, " rw", 3) != 0 || to - from > REGION_MAX) continue;
        const char *left = find((const uint8_t *)(uintptr_t)from, (size_t)(to - from));
        if (left == NULL) continue;
        printf("# %s is left in %s", left, line);
        good = false;
    }
    (void)fclose(maps);
    return good;
}

static bool write_phrase(const char *parent, const char *name, const char *text,
                         char path[static PATH_SIZE + 16])
{
    (void)snprintf(path, PATH_SIZE + 16, "%.4000s/%s", parent, name);
    FILE *file = fopen(path, "w");
    if (file == NULL) return false;
    (void)setvbuf(file, NULL, _IONBF, 0);
    const bool good = fputs(text, file) >= 0;
    return fclose(file) == 0 && good;
}

int main(void)
{
    static state s;
    char parent[PATH_SIZE];
    const char *temporary = getenv("TMPDIR");
    /* before the library has asked for anything */
    if (CRYPTO_set_mem_functions(library_new, library_resize, library_free) != 1) return 2;
    stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED) return 2;
    if (!load_folder_make(temporary != NULL ? temporary : "/tmp", parent) ||
        !write_phrase(parent, "good", phrase, s.phrase_path) ||
        !write_phrase(parent, "other", other_phrase, s.other_path)) {
        return 2;
    }
    make_needles(&s);
    memory_watch(look);
    printf("1..3\n");
    const bool sealed = all_of(&s, parent, false);
    const bool plain = all_of(&s, parent, true);
    printf("# %llu tries: in %llu it was told, in %llu it went on; %llu wrong\n",
           (unsigned long long)s.tries, (unsigned long long)s.told, (unsigned long long)s.went_on,
           (unsigned long long)s.wrong);
    const bool ours = sealed && plain && s.told > 50;
    printf("%s 1 - each allocation fails once, and the next try is done\n", ours ? "ok" : "not ok");
    s.library = true;
    s.told = 0;
    sweep(&s, &library_step);
    const bool library = s.wrong == 0 && s.told > 5;
    printf("%s 2 - each of the library fails once when a key is sealed and opened\n",
           library ? "ok" : "not ok");
    const bool none = look_at_all();
    printf("%s 3 - no secret is left in the process\n", none ? "ok" : "not ok");
    load_folder_remove(parent);
    return ours && library && none ? 0 : 1;
}
