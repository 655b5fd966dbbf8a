/* test_sign -- BIP 340: the vectors of the standard, then every flipped bit is refused; and the
 * vectors of SHA-256 and of the tagged hash under it.
 *
 * The vectors are those of bip-0340/test-vectors.csv in github.com/bitcoin/bips, numbers 0 to 14:
 * the ones whose message has 32 bytes. They give the auxiliary randomness of the signer; ours uses
 * none, which is number 0's.
 */
#include "tests/unit/state_fixture.h"
#include "vm/base/sign.h"

#include <criterion/criterion.h>
#include <pthread.h>

typedef struct vector {
    const char *secret; /* "" where only the verifier is tried */
    const char *account;
    const char *message;
    const char *signature;
    bool good;
    const char *comment;
} vector;

/* clang-format off */
static const vector vectors[] = {
    {"0000000000000000000000000000000000000000000000000000000000000003",
     "F9308A019258C31049344F85F89D5229B531C845836F99B08601F113BCE036F9",
     "0000000000000000000000000000000000000000000000000000000000000000",
     "E907831F80848D1069A5371B402410364BDF1C5F8307B0084C55F1CE2DCA8215"
     "25F66A4A85EA8B71E482A74F382D2CE5EBEEE8FDB2172F477DF4900D310536C0",
     true, ""},
    {"B7E151628AED2A6ABF7158809CF4F3C762E7160F38B4DA56A784D9045190CFEF",
     "DFF1D77F2A671C5F36183726DB2341BE58FEAE1DA2DECED843240F7B502BA659",
     "243F6A8885A308D313198A2E03707344A4093822299F31D0082EFA98EC4E6C89",
     "6896BD60EEAE296DB48A229FF71DFE071BDE413E6D43F917DC8DCF8C78DE3341"
     "8906D11AC976ABCCB20B091292BFF4EA897EFCB639EA871CFA95F6DE339E4B0A",
     true, ""},
    {"C90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B14E5C9",
     "DD308AFEC5777E13121FA72B9CC1B7CC0139715309B086C960E18FD969774EB8",
     "7E2D58D8B3BCDF1ABADEC7829054F90DDA9805AAB56C77333024B9D0A508B75C",
     "5831AAEED7B44BB74E5EAB94BA9D4294C49BCF2A60728D8B4C200F50DD313C1B"
     "AB745879A5AD954A72C45A91C3A51D3C7ADEA98D82F8481E0E1E03674A6F3FB7",
     true, ""},
    {"0B432B2677937381AEF05BB02A66ECD012773062CF3FA2549E44F58ED2401710",
     "25D1DFF95105F5253C4022F628A996AD3A0D95FBF21D468A1B33F8C160D8F517",
     "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
     "7EB0509757E246F19449885651611CB965ECC1A187DD51B64FDA1EDC9637D5EC"
     "97582B9CB13DB3933705B32BA982AF5AF25FD78881EBB32771FC5922EFC66EA3",
     true, "test fails if msg is reduced modulo p or n"},
    {"",
     "D69C3509BB99E412E68B0FE8544E72837DFA30746D8BE2AA65975F29D22DC7B9",
     "4DF3C3F68FCC83B27E9D42C90431A72499F17875C81A599B566C9889B9696703",
     "00000000000000000000003B78CE563F89A0ED9414F5AA28AD0D96D6795F9C63"
     "76AFB1548AF603B3EB45C9F8207DEE1060CB71C04E80F593060B07D28308D7F4",
     true, ""},
    {"",
     "EEFDEA4CDB677750A420FEE807EACF21EB9898AE79B9768766E4FAA04A2D4A34",
     "243F6A8885A308D313198A2E03707344A4093822299F31D0082EFA98EC4E6C89",
     "6CFF5C3BA86C69EA4B7376F31A9BCB4F74C1976089B2D9963DA2E5543E177769"
     "69E89B4C5564D00349106B8497785DD7D1D713A8AE82B32FA79D5F7FC407D39B",
     false, "public key not on the curve"},
    {"",
     "DFF1D77F2A671C5F36183726DB2341BE58FEAE1DA2DECED843240F7B502BA659",
     "243F6A8885A308D313198A2E03707344A4093822299F31D0082EFA98EC4E6C89",
     "FFF97BD5755EEEA420453A14355235D382F6472F8568A18B2F057A1460297556"
     "3CC27944640AC607CD107AE10923D9EF7A73C643E166BE5EBEAFA34B1AC553E2",
     false, "has_even_y(R) is false"},
    {"",
     "DFF1D77F2A671C5F36183726DB2341BE58FEAE1DA2DECED843240F7B502BA659",
     "243F6A8885A308D313198A2E03707344A4093822299F31D0082EFA98EC4E6C89",
     "1FA62E331EDBC21C394792D2AB1100A7B432B013DF3F6FF4F99FCB33E0E1515F"
     "28890B3EDB6E7189B630448B515CE4F8622A954CFE545735AAEA5134FCCDB2BD",
     false, "negated message"},
    {"",
     "DFF1D77F2A671C5F36183726DB2341BE58FEAE1DA2DECED843240F7B502BA659",
     "243F6A8885A308D313198A2E03707344A4093822299F31D0082EFA98EC4E6C89",
     "6CFF5C3BA86C69EA4B7376F31A9BCB4F74C1976089B2D9963DA2E5543E177769"
     "961764B3AA9B2FFCB6EF947B6887A226E8D7C93E00C5ED0C1834FF0D0C2E6DA6",
     false, "negated s value"},
    {"",
     "DFF1D77F2A671C5F36183726DB2341BE58FEAE1DA2DECED843240F7B502BA659",
     "243F6A8885A308D313198A2E03707344A4093822299F31D0082EFA98EC4E6C89",
     "0000000000000000000000000000000000000000000000000000000000000000"
     "123DDA8328AF9C23A94C1FEECFD123BA4FB73476F0D594DCB65C6425BD186051",
     false, "sG - eP is infinite"},
    {"",
     "DFF1D77F2A671C5F36183726DB2341BE58FEAE1DA2DECED843240F7B502BA659",
     "243F6A8885A308D313198A2E03707344A4093822299F31D0082EFA98EC4E6C89",
     "0000000000000000000000000000000000000000000000000000000000000001"
     "7615FBAF5AE28864013C099742DEADB4DBA87F11AC6754F93780D5A1837CF197",
     false, "sG - eP is infinite"},
    {"",
     "DFF1D77F2A671C5F36183726DB2341BE58FEAE1DA2DECED843240F7B502BA659",
     "243F6A8885A308D313198A2E03707344A4093822299F31D0082EFA98EC4E6C89",
     "4A298DACAE57395A15D0795DDBFD1DCB564DA82B0F269BC70A74F8220429BA1D"
     "69E89B4C5564D00349106B8497785DD7D1D713A8AE82B32FA79D5F7FC407D39B",
     false, "sig[0:32] is not an X coordinate on the curve"},
    {"",
     "DFF1D77F2A671C5F36183726DB2341BE58FEAE1DA2DECED843240F7B502BA659",
     "243F6A8885A308D313198A2E03707344A4093822299F31D0082EFA98EC4E6C89",
     "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F"
     "69E89B4C5564D00349106B8497785DD7D1D713A8AE82B32FA79D5F7FC407D39B",
     false, "sig[0:32] is equal to field size"},
    {"",
     "DFF1D77F2A671C5F36183726DB2341BE58FEAE1DA2DECED843240F7B502BA659",
     "243F6A8885A308D313198A2E03707344A4093822299F31D0082EFA98EC4E6C89",
     "6CFF5C3BA86C69EA4B7376F31A9BCB4F74C1976089B2D9963DA2E5543E177769"
     "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141",
     false, "sig[32:64] is equal to curve order"},
    {"",
     "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC30",
     "243F6A8885A308D313198A2E03707344A4093822299F31D0082EFA98EC4E6C89",
     "6CFF5C3BA86C69EA4B7376F31A9BCB4F74C1976089B2D9963DA2E5543E177769"
     "69E89B4C5564D00349106B8497785DD7D1D713A8AE82B32FA79D5F7FC407D39B",
     false, "public key is not a valid X coordinate because it exceeds the field size"},
};
/* clang-format on */

enum { VECTORS = sizeof vectors / sizeof vectors[0] };

static void from_hex(const char *hex, uint8_t *bytes, size_t size)
{
    cr_assert(tw_hex_decode(hex, strlen(hex), bytes, size));
}

Test(sign, the_vectors_of_the_standard)
{
    for (size_t i = 0; i < VECTORS; i++) {
        tw_account account;
        tw_hash message;
        tw_signature signature;
        from_hex(vectors[i].account, account.bytes, 32);
        from_hex(vectors[i].message, message.bytes, 32);
        from_hex(vectors[i].signature, signature.bytes, 64);
        cr_assert_eq(tw_verify(&account, &message, &signature), vectors[i].good, "vector %zu: %s",
                     i, vectors[i].comment);
    }
}

Test(sign, secrets_of_the_vectors_give_their_accounts)
{
    for (size_t i = 0; i < VECTORS; i++) {
        if (vectors[i].secret[0] == '\0') continue;
        tw_secret secret;
        tw_account wanted;
        tw_account got;
        from_hex(vectors[i].secret, secret.bytes, 32);
        from_hex(vectors[i].account, wanted.bytes, 32);
        cr_assert(tw_secret_account(&secret, &got));
        cr_assert(tw_account_equal(&got, &wanted), "vector %zu", i);
        cr_assert(tw_account_is_valid(&got));
    }
}

Test(sign, signing_makes_the_bytes_of_vector_0)
{
    tw_secret secret;
    tw_hash message;
    tw_signature wanted;
    tw_signature got;
    from_hex(vectors[0].secret, secret.bytes, 32);
    from_hex(vectors[0].message, message.bytes, 32);
    from_hex(vectors[0].signature, wanted.bytes, 64);
    cr_assert(tw_sign(&secret, &message, &got));
    cr_assert_eq(memcmp(got.bytes, wanted.bytes, 64), 0);
}

typedef struct signed_message {
    tw_secret secret;
    tw_account account;
    tw_hash message;
    tw_signature signature;
} signed_message;

static signed_message make(const char *seed)
{
    signed_message s;
    tw_secret_from_seed(seed, &s.secret);
    cr_assert(tw_secret_account(&s.secret, &s.account));
    s.message = tw_sha256(seed, strlen(seed));
    cr_assert(tw_sign(&s.secret, &s.message, &s.signature));
    cr_assert(tw_verify(&s.account, &s.message, &s.signature));
    return s;
}

static void flips_are_refused(signed_message *s, uint8_t *bytes, size_t size, const char *what)
{
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert_not(tw_verify(&s->account, &s->message, &s->signature), "bit %zu of the %s", bit,
                      what);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cr_assert(tw_verify(&s->account, &s->message, &s->signature));
}

Test(sign, every_flipped_bit_is_refused)
{
    signed_message s = make("alice");
    flips_are_refused(&s, s.signature.bytes, sizeof s.signature.bytes, "signature");
    flips_are_refused(&s, s.message.bytes, sizeof s.message.bytes, "message");
    flips_are_refused(&s, s.account.bytes, sizeof s.account.bytes, "account");
}

Test(sign, a_signature_is_of_one_account_and_one_message)
{
    const signed_message a = make("alice");
    const signed_message b = make("bob");
    tw_signature again;
    cr_assert_not(tw_verify(&a.account, &b.message, &a.signature));
    cr_assert_not(tw_verify(&b.account, &a.message, &a.signature));
    cr_assert_not(tw_verify(&a.account, &a.message, &b.signature));
    cr_assert(tw_sign(&a.secret, &a.message, &again));
    cr_assert_eq(memcmp(again.bytes, a.signature.bytes, 64), 0, "signing is deterministic");
    const tw_signature zeros = {{0}};
    cr_assert_not(tw_verify(&a.account, &a.message, &zeros));
}

/* ---- accounts seen before ---- */

/* Twice: the second time the account is known. */
static void known_agrees(tw_known *known, const tw_account *account, const tw_hash *message,
                         const tw_signature *signature, const char *what)
{
    const bool good = tw_verify(account, message, signature);
    const bool valid = tw_account_is_valid(account);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(tw_known_verify(known, account, message, signature), good, "%s, look %d", what,
                     i);
        cr_assert_eq(tw_known_is_valid(known, account), valid, "%s, look %d", what, i);
    }
}

Test(known, the_vectors_have_the_same_answers)
{
    tw_known *known = tw_known_new();
    cr_assert_not_null(known);
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        tw_account account;
        tw_hash message;
        tw_signature signature;
        from_hex(vectors[i].account, account.bytes, 32);
        from_hex(vectors[i].message, message.bytes, 32);
        from_hex(vectors[i].signature, signature.bytes, 64);
        known_agrees(known, &account, &message, &signature, vectors[i].comment);
        known_agrees(NULL, &account, &message, &signature, vectors[i].comment);
    }
    tw_known_free(known);
    tw_known_free(NULL);
}

/* One bit of an account that is known makes another account, or none: also where both belong to the
 * same set, which is said by the first bytes alone. */
Test(known, an_account_is_known_by_all_its_bytes)
{
    tw_known *known = tw_known_new();
    signed_message s = make("alice");
    cr_assert(tw_known_verify(known, &s.account, &s.message, &s.signature));
    for (size_t bit = 0; bit < 256; bit++) {
        s.account.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert_not(tw_known_verify(known, &s.account, &s.message, &s.signature), "bit %zu", bit);
        cr_assert_eq(tw_known_is_valid(known, &s.account), tw_account_is_valid(&s.account),
                     "bit %zu", bit);
        s.account.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cr_assert(tw_known_verify(known, &s.account, &s.message, &s.signature));
    tw_known_free(known);
}

enum { CROWD = 12000, CROWD_STEP = 100 }; /* more than it holds; of these, so many are checked */

/* Numbers that are x coordinates, in one place after another of the first bytes: they fill every
 * set and push each other out. */
static tw_account nth_account(uint32_t number)
{
    tw_account account = {{0}};
    tw_store_u32(account.bytes, number);
    while (!tw_account_is_valid(&account)) account.bytes[31]++;
    return account;
}

static void *crowd(void *data)
{
    tw_known *known = data;
    const signed_message s = make("alice");
    size_t wrong = 0;
    for (uint32_t i = 0; i < CROWD; i++) {
        tw_account account = nth_account(i);
        if (!tw_known_is_valid(known, &account)) wrong++;
        if (i % CROWD_STEP != 0) continue;
        if (!tw_known_verify(known, &s.account, &s.message, &s.signature)) wrong++;
        if (tw_known_verify(known, &account, &s.message, &s.signature)) wrong++;
        account = nth_account(i / 2); /* there or gone */
        if (!tw_known_is_valid(known, &account)) wrong++;
    }
    return (void *)wrong;
}

Test(known, more_accounts_than_it_holds, .timeout = 120)
{
    tw_known *known = tw_known_new();
    cr_assert_null(crowd(known));
    tw_known_free(known);
}

Test(known, any_number_of_threads, .timeout = 120)
{
    tw_known *known = tw_known_new();
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, crowd, known), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *wrong = &threads;
        cr_assert_eq(pthread_join(threads[i], &wrong), 0);
        cr_assert_null(wrong);
    }
    tw_known_free(known);
}

Test(sign, secrets_outside_the_group_are_refused)
{
    static const struct {
        const char *hex;
        bool good;
    } cases[] = {
        {"0000000000000000000000000000000000000000000000000000000000000000", false},
        {"0000000000000000000000000000000000000000000000000000000000000001", true},
        {"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364140", true},
        {"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141", false},
        {"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", false},
    };
    const tw_hash message = tw_sha256("m", 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tw_secret secret;
        tw_account account;
        tw_signature signature;
        from_hex(cases[i].hex, secret.bytes, 32);
        cr_assert_eq(tw_secret_account(&secret, &account), cases[i].good, "case %zu", i);
        cr_assert_eq(tw_sign(&secret, &message, &signature), cases[i].good, "case %zu", i);
    }
}

Test(sign, an_account_is_an_x_coordinate_on_the_curve)
{
    tw_account account = {{0}};
    cr_assert_not(tw_account_is_valid(&account)); /* x = 0: 7 has no root in the field */
    memset(account.bytes, 0xFF, 32);
    cr_assert_not(tw_account_is_valid(&account));
    from_hex(vectors[5].account, account.bytes, 32);
    cr_assert_not(tw_account_is_valid(&account));
    from_hex(vectors[14].account, account.bytes, 32);
    cr_assert_not(tw_account_is_valid(&account));
    from_hex(vectors[4].account, account.bytes, 32);
    cr_assert(tw_account_is_valid(&account));
}

Test(sign, seeds_give_the_same_secret_each_time)
{
    tw_secret a;
    tw_secret b;
    tw_secret c;
    tw_secret_from_seed("pump1", &a);
    tw_secret_from_seed("pump1", &b);
    tw_secret_from_seed("pump2", &c);
    cr_assert_eq(memcmp(a.bytes, b.bytes, 32), 0);
    cr_assert_neq(memcmp(a.bytes, c.bytes, 32), 0);
    cr_assert_eq(tw_secret_random(&a), TW_OK);
    cr_assert_eq(tw_secret_random(&b), TW_OK);
    cr_assert_neq(memcmp(a.bytes, b.bytes, 32), 0);
}

static void hash_is(tw_hash hash, const char *wanted)
{
    char hex[2 * TW_HASH_SIZE + 1];
    tw_hex_encode(hash.bytes, TW_HASH_SIZE, hex);
    cr_assert_str_eq(hex, wanted);
}

/* The vectors of FIPS 180-4: no byte, one block, two blocks. */
Test(sign, sha256_of_the_standard)
{
    hash_is(tw_sha256("", 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hash_is(tw_sha256("abc", 3),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const char *two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    hash_is(tw_sha256(two, strlen(two)),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

Test(sign, parts_hash_like_the_whole)
{
    uint8_t data[200];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)i;
    const tw_hash whole = tw_sha256(data, sizeof data);
    for (size_t cut = 0; cut <= sizeof data; cut++) {
        const tw_bytes parts[] = {
            tw_bytes_of(data, cut), {NULL, 0}, tw_bytes_of(data + cut, sizeof data - cut)};
        const tw_hash joined = tw_sha256_parts(parts, 3);
        cr_assert(tw_hash_equal(&whole, &joined));
    }
}

/* SHA256(SHA256(tag) | SHA256(tag) | bytes), and different for each tag. */
Test(sign, a_tagged_hash_is_that_of_bip_340)
{
    const tw_hash tag = tw_sha256("twvm/tx", 7);
    const tw_bytes message = text("message");
    const tw_bytes parts[] = {{tag.bytes, 32}, {tag.bytes, 32}, message};
    const tw_hash wanted = tw_sha256_parts(parts, 3);
    const tw_hash got = tw_hash_tagged("twvm/tx", &message, 1);
    const tw_hash other = tw_hash_tagged("twvm/pack", &message, 1);
    cr_assert(tw_hash_equal(&got, &wanted));
    cr_assert_not(tw_hash_equal(&got, &other));
    const tw_hash zero = {{0}};
    cr_assert(tw_hash_is_zero(&zero));
    cr_assert_not(tw_hash_is_zero(&got));
}
