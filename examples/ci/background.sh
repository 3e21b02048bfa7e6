#!/bin/sh
# Starts a homeserver in the background, waits until it is ready, uses it, and stops it, however it ends.
#
#     background.sh
set -eu

work=$(mktemp -d)
mx2s serve --on 'org.example.*=echo' --env-file "$work/env" >"$work/log" &
server=$!
stop() {
  kill "$server" 2>/dev/null || true
  wait "$server" || true
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The file is there when the server answers. A server that could not start has ended.
until [ -s "$work/env" ]; do
  kill -0 "$server" 2>/dev/null || exit 1
  sleep 0.1
done
set -a
. "$work/env"
set +a

# The server answers the first user, …
mx2s request "@:$MX2S_SERVER_NAME" -t org.example.hello -d '{"n":1}' --raw

# … who sends to the second one, …
mx2s send "$MX2S_OTHER_USER_ID" --device '*' -t org.example.note -d '{"n":2}' >/dev/null
MX2S_ACCESS_TOKEN=$MX2S_OTHER_ACCESS_TOKEN mx2s listen --any-sender --count 1 --timeout 10s --raw

# … and its log tells what it was sent.
grep '"outcome":"handled"' "$work/log" | grep '"direction":"in"'
