#!/bin/sh
':' //; exec node -- "$0" "$@" # without "--" node takes --env-file for its own, wherever it stands (nodejs/node#54232)
import { main } from '../dist/main.js';
process.exitCode = await main(process);
