// Parses a command line like that of `validate-id`, and prints what it has got: what flags and help alone take.
import { writeSync } from 'node:fs';
import { Command } from 'commander';

const program = new Command('peer')
  .argument('[id...]')
  .option('--kind <kind>', 'what they are', 'user')
  .option('--count')
  .action((ids, flags) => writeSync(1, `${JSON.stringify({ ids, flags })}\n`));
program.parseAsync();
