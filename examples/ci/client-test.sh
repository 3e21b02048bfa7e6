#!/bin/sh
# Runs the tests of a client beside a homeserver of their own, and ends with their status.
#
#     client-test.sh COMMAND [ARGUMENT…]
#
# The command finds the homeserver and two accounts in its environment: MX2S_HOMESERVER, MX2S_SERVER_NAME,
# MX2S_ACCESS_TOKEN, MX2S_USER_ID, MX2S_DEVICE_ID, and the same of the second account as MX2S_OTHER_….
set -eu

if [ $# = 0 ]; then
  echo "usage: $0 COMMAND [ARGUMENT…]" >&2
  exit 2
fi
exec mx2s serve --on 'org.example.*=echo' --log "${SERVE_LOG:-serve.log}" -- "$@"
