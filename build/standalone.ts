/** The program as an executable of its own: what it starts itself with is that one file. */
import { main } from '../src/main.js';

process.exitCode = await main(process, { self: [process.execPath], stdoutDescriptor: 1 });
