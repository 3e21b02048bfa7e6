/** `mx2s gateway`: what `init` made and what to do with it, and the ready line. */
import { escapeText } from '../escape.js';
import type { Palette } from '../palette.js';

/** The JSON object of `gateway init`; no tokens. */
export interface GatewayInitResult {
  readonly v: 1;
  /** Where the registration is, as typed. */
  readonly registration: string;
  readonly homeserver: string;
  readonly server_name: string;
  readonly user_id: string;
}

/** The first line of `gateway`: `{"v":1,"ready":true,"homeserver","server_name","user_id"}`. */
export interface GatewayReadyResult {
  readonly v: 1;
  readonly ready: true;
  readonly homeserver: string;
  readonly server_name: string;
  readonly user_id: string;
}

/** The first line of one that is a member of a queue group only. */
export interface QueueReadyResult {
  readonly v: 1;
  readonly ready: true;
  readonly server_name: string;
  readonly queue: string;
  /** URLs. */
  readonly subjects: readonly string[];
}

/** A line, without its end. */
export function renderGatewayInit({ registration, user_id }: GatewayInitResult, palette: Palette): string {
  return `${palette.good('made')}  the registration of ${palette.name(user_id)}  ${palette.faint(escapeText(registration))}`;
}

/** A line, without its end. */
export function renderGatewayReady({ homeserver, user_id }: GatewayReadyResult, palette: Palette): string {
  return `${palette.good('ready')}  ${palette.name(user_id)}  at ${palette.strong(homeserver)}`;
}

/** A line, without its end. */
export function renderQueueReady(
  { server_name, queue, subjects }: QueueReadyResult,
  palette: Palette,
): string {
  const where = subjects.map((subject) => palette.strong(escapeText(subject))).join(', ');
  return `${palette.good('ready')}  ${palette.name(server_name)}  in the queue group ${escapeText(queue)} of ${where}`;
}

/**
 * What the operator has to do next, a line each.
 * @param path of the registration, absolute
 */
export function gatewayInstructions(file: string, path: string): string[] {
  return [
    'add this to the configuration of the homeserver (Synapse: homeserver.yaml), then restart it:',
    '',
    'app_service_config_files:',
    `  - ${JSON.stringify(path)}`,
    '',
    'the homeserver has to be able to read the file; on another machine or in a container, copy it there',
    `then run: mx2s gateway --registration ${file}`,
  ];
}
