#!/bin/sh
# check_shared_object.sh FILE NAME: a plugin exports exactly one symbol, carries its note, and runs nothing when it is
# opened.
set -eu
file=$1 name=$2

fail() {
  echo "$file: $*" >&2
  exit 1
}

exported=$(nm -D --defined-only "$file" | awk '{print $NF}')
[ "$exported" = konductor_plugin_v1 ] || fail "exports [$exported], expected only konductor_plugin_v1"

readelf -nW "$file" | grep -q '^ *Konductor  *0x00000058' || fail "has no note of Konductor of 88 bytes"
readelf -p .note.konductor "$file" | grep -qw "$name" || fail "its note does not name $name"

# A sanitizer brings constructors and libraries of its own.
if nm -D --undefined-only "$file" | grep -Eq '__(asan|tsan|ubsan)_'; then exit 0; fi

# One entry is the compiler's own (frame_dummy); a second one would be a constructor of the plugin.
size=$(readelf -SW "$file" | awk '/ \.init_array /{for (i = 1; i < NF; ++i) if ($i == "INIT_ARRAY") print $(i + 3)}')
[ $((0x${size:-0})) -le 8 ] || fail "runs constructors: .init_array is 0x$size bytes"

others=$(readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -Ev '^lib(stdc\+\+|gcc_s|c|m)\.so' || true)
[ -z "$others" ] || fail "needs $others"
