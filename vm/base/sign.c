/* sign -- see the header. One static context serves verification; signing and key making use a
 * context of their own, created once and never freed, as libsecp256k1 advises against copying it.
 */
#include "vm/base/sign.h"

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
    secp256k1_xonly_pubkey key;
    if (!secp256k1_xonly_pubkey_parse(context(), &key, account->bytes)) return false;
    return secp256k1_schnorrsig_verify(context(), signature->bytes, message->bytes, TW_HASH_SIZE,
                                       &key) == 1;
}

bool tw_account_is_valid(const tw_account *account)
{
    secp256k1_xonly_pubkey key;
    return secp256k1_xonly_pubkey_parse(context(), &key, account->bytes) == 1;
}

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
