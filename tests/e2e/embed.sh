#!/bin/sh
# embed -- the library as others use it: installed into a folder of its own, found by pkg-config,
# its header in C and C++, its symbols, and the example of vm/README.md built on it and run.
# BUILD is the build folder, CC the compiler.
. "${0%/*}/lib.sh"
: "${BUILD:?the build folder}" "${CC:?the compiler}"

DESTDIR=$work/root meson install -C "$BUILD" --no-rebuild --quiet >install 2>&1
same 'it installs' 0 $?
prefix=$(meson introspect "$BUILD" --buildoptions | python3 -c '
import json, sys
print(next(o["value"] for o in json.load(sys.stdin) if o["name"] == "prefix"))')
place=$work/root$prefix
pc=$(find "$place" -name twvm.pc)
library=$(find "$place" -name 'libtwvm.so.1')
header=$place/include/twvm.h
programs=$place/bin
export PKG_CONFIG_PATH="${pc%/*}"
packages() { pkg-config --define-variable=prefix="$place" "$@" twvm; }
# what the test itself was given to run with must not stand in for the installed library
unset LD_LIBRARY_PATH

# ---- the header ----

strict="-Wall -Wextra -Wpedantic -Werror -fsyntax-only $(packages --cflags)"
echo '#include <twvm.h>' >alone.c
cp alone.c alone.cc
for standard in c11 c17; do
    check "the header alone is $standard" 0 '' $CC -std=$standard $strict alone.c
done
check 'and C++' 0 '' clang -std=c++11 $strict alone.cc
cat >count.py <<'END'
import re, sys
text = open(sys.argv[1]).read()
# each declaration, and whether a comment, or another declaration under one, stands before it
bare = re.findall(r"\n\n(TW_PUBLIC[^;]*;)", text)
names = re.findall(r"TW_PUBLIC[^;{]*?\b(tw_\w+)\(", text)
print("\n".join(sorted(names)) if len(sys.argv) == 2 else " ".join(bare))
END
python3 count.py "$header" >declared
same 'each function of the header has its comment' '' "$(python3 count.py "$header" bare)"

# ---- the library ----

nm -D --defined-only "$library" | awk '{ print $3 }' | sort >exported
same 'the library exports what the header declares, and nothing else' "$(cat declared)" \
    "$(cat exported)"
same 'it has its soname' 1 "$(readelf -d "$library" | grep -c 'SONAME.*libtwvm\.so\.1\]')"
same 'the number in it is that of the header' 1 "$(grep -c 'TW_ABI_VERSION = 1 ' "$header")"
version=$(sed -n 's/^#define TW_RELEASE "\(.*\)"/\1/p' "$header")
same 'pkg-config knows the release' "$version" "$(pkg-config --modversion twvm)"
same 'and so do the programs' "$version" \
    "$("$programs/twc" --version | sed -n 's/^twc \([0-9.]*\) .*/\1/p')"

# ---- the example ----

python3 - "$ROOT/vm/README.md" >shown.c <<'END'
import re, sys
print(re.search(r"```c\n(.*?)```", open(sys.argv[1]).read(), re.S).group(1), end="")
END
same 'the example of vm/README.md is the one that is run' "$(cat "$ROOT/tests/embed/node.c")" \
    "$(cat shown.c)"
test "$(wc -l <shown.c)" -lt 100
verdict $? 'it has fewer than 100 lines'
flags="-std=c17 -Wall -Wextra -Werror $(packages --cflags) $(packages --libs)"
flags="$flags -Wl,-rpath,${library%/*}"
mkdir client node alone
check 'a client builds on the installed copy' 0 '' \
    $CC -o client/client "$ROOT/tests/embed/client.c" $flags
check 'the node builds on it' 0 '' $CC -o node/node shown.c $flags
check 'the node builds on the static library too' 0 '' $CC -o alone/node shown.c -std=c17 \
    $(packages --cflags) "$(find "$place" -name libtwvm.a)" \
    $(packages --libs-only-l --static | sed 's/-ltwvm//')
"$programs/twc" build "$ROOT/tests/embed/adder.twc" -o adder.twm >built
(cd client && ./client ../adder.twm >hash)
same 'the client makes blocks' 6 "$(find client -name '[1-9]' | wc -l)"
(cd node && ./node store ../client/1 ../client/2 >out && ./node store ../client/[3-6] >>out)
same 'the node takes them, and goes on where it was' 'block 6' \
    "$(sed -n 's/^\(block 6\) root.*/\1/p' node/out)"
same 'the calls that fail are told' 5 "$(grep -c "the contract's own error" node/out)"
same 'the view tells the total' 'so far 45' "$(grep '^so far' node/out | tail -n 1)"
(cd alone && ./node store ../client/[1-6] >out)
same 'the static library gives the same roots' "$(grep '^block' node/out)" \
    "$(grep '^block' alone/out)"
same 'and the same snapshot, byte for byte' "$(cksum <node/snapshot)" "$(cksum <alone/snapshot)"
root=$(sed -n 's/^block 6 root //p' node/out)
check 'the installed twvm verifies the proof' 0 'value  *45' \
    "$programs/twvm" verify node/proof --root "$root"
check 'also against the block that the client knows' 0 '' \
    "$programs/twvm" verify node/proof --block "$(cat client/hash)"
check 'and makes a ledger of the snapshot' 0 '' \
    "$programs/twvm" -d loaded snapshot load node/snapshot --root "$root"
same 'which stands at the same root' "$root" "$(root_of loaded)"
(cd node && ./node other ../client/2 >refused 2>&1)
same 'a block that is not the next one is refused' 1 "$?"
finish
