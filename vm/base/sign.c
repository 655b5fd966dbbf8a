/* sign -- see the header. One static context serves verification; signing and key making use a
 * context of their own, created once and never freed, as libsecp256k1 advises against copying it.
 */
#include "vm/base/sign.h"

#include "vm/base/arena.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>
#include <string.h>
#include <sys/random.h>

static secp256k1_context *shared_context;
static pthread_once_t shared_once = PTHREAD_ONCE_INIT;

static void make_context(void)
{
    shared_context = secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
}

static const secp256k1_context *context(void)
{
    pthread_once(&shared_once, make_context);
    return shared_context;
}

bool tw_account_equal(const tw_account *a, const tw_account *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

int tw_account_compare(const tw_account *a, const tw_account *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

bool tw_secret_account(const tw_secret *secret, tw_account *ret_account)
{
    secp256k1_keypair pair;
    secp256k1_xonly_pubkey key;
    if (!secp256k1_keypair_create(context(), &pair, secret->bytes)) return false;
    const bool ok = secp256k1_keypair_xonly_pub(context(), &key, NULL, &pair) == 1 &&
                    secp256k1_xonly_pubkey_serialize(context(), ret_account->bytes, &key) == 1;
    OPENSSL_cleanse(&pair, sizeof pair);
    return ok;
}

bool tw_sign(const tw_secret *secret, const tw_hash *message, tw_signature *ret_signature)
{
    secp256k1_keypair pair;
    if (!secp256k1_keypair_create(context(), &pair, secret->bytes)) return false;
    const int ok =
        secp256k1_schnorrsig_sign32(context(), ret_signature->bytes, message->bytes, &pair, NULL);
    OPENSSL_cleanse(&pair, sizeof pair);
    return ok == 1;
}

bool tw_verify(const tw_account *account, const tw_hash *message, const tw_signature *signature)
{
    return tw_known_verify(NULL, account, message, signature);
}

bool tw_account_is_valid(const tw_account *account)
{
    return tw_known_is_valid(NULL, account);
}

/* ---- accounts seen before ---- */

/* An account belongs to one set, by its own first bytes: who makes accounts that crowd a set makes
 * checks of its accounts as dear as they are without all this. */
enum { SETS = 2048, SET_SIZE = 4 };

typedef struct point {
    tw_account account;
    secp256k1_xonly_pubkey key; /* opaque, but may be copied: secp256k1_extrakeys.h */
} point;

struct tw_known {
    pthread_mutex_t lock; /* held for a look or a copy, never while something is computed */
    uint8_t counts[SETS]; /* that are there */
    uint8_t next[SETS];   /* the place that is taken next */
    point points[SETS][SET_SIZE];
};

static void must_be_zero(int failed)
{
    assert(failed == 0);
    (void)failed;
}

tw_known *tw_known_new(void)
{
    tw_known *known = tw_mem_new(sizeof *known);
    if (known == NULL || pthread_mutex_init(&known->lock, NULL) == 0) return known;
    tw_mem_free(known);
    return NULL;
}

void tw_known_free(tw_known *known)
{
    if (known == NULL) return;
    must_be_zero(pthread_mutex_destroy(&known->lock));
    tw_mem_free(known);
}

static uint32_t set_of(const tw_account *account)
{
    return tw_load_u32(account->bytes) % SETS;
}

static const point *find(const tw_known *known, const tw_account *account)
{
    const uint32_t set = set_of(account);
    for (uint8_t i = 0; i < known->counts[set]; i++) {
        const point *each = &known->points[set][i];
        if (tw_account_equal(&each->account, account)) return each;
    }
    return NULL;
}

static void keep(tw_known *known, const tw_account *account, const secp256k1_xonly_pubkey *key)
{
    const uint32_t set = set_of(account);
    must_be_zero(pthread_mutex_lock(&known->lock));
    /* Another thread may have met the same account meanwhile. */
    if (find(known, account) == NULL) {
        known->points[set][known->next[set]] = (point){*account, *key};
        known->next[set] = (uint8_t)((known->next[set] + 1) % SET_SIZE);
        if (known->counts[set] < SET_SIZE) known->counts[set]++;
    }
    must_be_zero(pthread_mutex_unlock(&known->lock));
}

/* The point of an account; false when there is none. */
static bool point_of(tw_known *known, const tw_account *account, secp256k1_xonly_pubkey *ret_key)
{
    bool found = false;
    if (known != NULL) {
        must_be_zero(pthread_mutex_lock(&known->lock));
        const point *same = find(known, account);
        found = same != NULL;
        if (found) *ret_key = same->key;
        must_be_zero(pthread_mutex_unlock(&known->lock));
    }
    if (found) return true;
    if (!secp256k1_xonly_pubkey_parse(context(), ret_key, account->bytes)) return false;
    if (known != NULL) keep(known, account, ret_key);
    return true;
}

bool tw_known_verify(tw_known *known, const tw_account *account, const tw_hash *message,
                     const tw_signature *signature)
{
    secp256k1_xonly_pubkey key;
    return point_of(known, account, &key) &&
           secp256k1_schnorrsig_verify(context(), signature->bytes, message->bytes, TW_HASH_SIZE,
                                       &key) == 1;
}

bool tw_known_is_valid(tw_known *known, const tw_account *account)
{
    secp256k1_xonly_pubkey key;
    return point_of(known, account, &key);
}

/* ---- secrets ---- */

tw_status tw_secret_random(tw_secret *ret_secret)
{
    tw_account account;
    do {
        if (getrandom(ret_secret->bytes, sizeof ret_secret->bytes, 0) !=
            (ssize_t)sizeof ret_secret->bytes) {
            return TW_ERR_CRYPTO;
        }
    } while (!tw_secret_account(ret_secret, &account));
    return TW_OK;
}

void tw_secret_from_seed(const char *seed, tw_secret *ret_secret)
{
    tw_hash hash = tw_sha256(seed, strlen(seed));
    tw_account account;
    memcpy(ret_secret->bytes, hash.bytes, sizeof hash.bytes);
    while (!tw_secret_account(ret_secret, &account)) {
        hash = tw_sha256(hash.bytes, sizeof hash.bytes);
        memcpy(ret_secret->bytes, hash.bytes, sizeof hash.bytes);
    }
    OPENSSL_cleanse(&hash, sizeof hash);
}
