#!/bin/sh
':' //; exec node -- "$0" "$@" # without "--" node takes --env-file for its own, wherever it stands (nodejs/node#54232)
require('../dist/main.cjs').main(process, { stdoutDescriptor: 1 }).then((exitCode) => (process.exitCode = exitCode));
