/** `mx2s gateway` as a process, which comes and goes. */
import { join } from 'node:path';
import { runBinary, startBinary, type RunningBinary } from '../../kit/binary.js';

export class Gateway {
  readonly #home: string;
  #handler = 'echo';
  #running: RunningBinary | undefined;

  /** @param home the folder where everything of it is kept */
  constructor(home: string) {
    this.#home = home;
  }

  /** Where `init` puts the registration. */
  get registration(): string {
    return join(this.#home, 'mx2s.yaml');
  }

  /** Runs `mx2s gateway init`. */
  async init(baseUrl: string, serverName: string): Promise<void> {
    const place = ['--homeserver', baseUrl, '--server-name', serverName];
    const args = ['gateway', 'init', ...place, '--registration', this.registration];
    const { code, stderr } = await runBinary(args, { home: this.#home });
    if (code !== 0) throw new Error(`gateway init ended with ${String(code)}: ${stderr}`);
  }

  /** Resolves when it is ready; with the handler it had last, at first `echo`. */
  async start(handler = this.#handler): Promise<void> {
    this.#handler = handler;
    const flags = ['--registration', this.registration, '--on', `org.example.*=${handler}`];
    this.#running = startBinary(['gateway', ...flags], { home: this.#home });
    await this.#running.lineOf('stdout', /"ready":true/);
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#running?.kill(signal);
    await this.#running?.result;
  }
}
