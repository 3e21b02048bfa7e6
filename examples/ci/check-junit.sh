#!/bin/sh
# Checks a homeserver, and leaves a JUnit report; ends with the status of `mx2s check`.
#
#     check-junit.sh [URL] [FLAG…]
#
# The accounts stand in the environment: MX2S_HOMESERVER (which is the default of URL, too), MX2S_ACCESS_TOKEN and
# MX2S_OTHER_ACCESS_TOKEN. The report goes to $REPORT, else to mx2s-check.xml.
set -eu

case ${1-} in
  -*) url=$MX2S_HOMESERVER ;; # a flag of check
  *)
    url=${1:-$MX2S_HOMESERVER}
    if [ $# -gt 0 ]; then shift; fi
    ;;
esac
report=${REPORT:-mx2s-check.xml}

status=0
mx2s check "$url" --format junit "$@" >"$report" || status=$?
case $status in
  0 | 1) echo "$(grep -c '<testcase' "$report") requirements, $(grep -c '<failure' "$report") failed: $report" ;;
  *) # nothing was looked at, and stderr says why; a link, like /dev/stdout, stays
    if [ -f "$report" ] && ! [ -L "$report" ]; then rm -f "$report"; fi
    ;;
esac
exit "$status"
