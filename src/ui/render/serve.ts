/** `mx2s serve`: the ready line and the event log, for scripts and for people. */
import { isServerDevice, WILDCARD_DEVICE } from '../../ids/device-id.js';
import type { LogEntry } from '../../server/log-entry.js';
import type { FirstUser } from '../../server/first-users.js';
import type { Palette } from '../palette.js';
import { asIs, renderColumns, timeOfDay } from './columns.js';
import { quoteForShell } from './shell.js';

/** What there is to know of a homeserver that has started. */
export interface ReadyServer {
  readonly homeserver: string;
  readonly federation?: string | undefined;
  readonly serverName: string;
  readonly users: readonly FirstUser[];
}

/** The first line of `serve`: `{"v":1,"ready":true,"homeserver","federation"?,"server_name","users":[{…}]}`. */
export interface ReadyResult {
  readonly v: 1;
  readonly ready: true;
  readonly homeserver: string;
  readonly federation?: string;
  readonly server_name: string;
  readonly users: readonly {
    readonly user_id: string;
    readonly device_id: string;
    readonly access_token: string;
    readonly password?: string;
  }[];
}

export function readyResult({ homeserver, federation, serverName, users }: ReadyServer): ReadyResult {
  return {
    v: 1,
    ready: true,
    homeserver,
    ...(federation === undefined ? {} : { federation }),
    server_name: serverName,
    users: users.map(({ userId, deviceId, accessToken, password }) => ({
      user_id: userId,
      device_id: deviceId,
      access_token: accessToken,
      ...(password === undefined ? {} : { password }),
    })),
  };
}

/** The same for people: several lines, without the last end. */
export function renderReady(
  { homeserver, federation, serverName, users }: ReadyServer,
  palette: Palette,
): string {
  const field = (name: string, value: string): string => `${palette.faint(name)} ${value}`;
  return [
    `${palette.good('ready')}  ${palette.strong(homeserver)}  the homeserver of ${palette.name(serverName)}`,
    ...(federation === undefined ? [] : [`       ${palette.strong(federation)}  for other servers`]),
    ...users.map(({ userId, deviceId, accessToken, password }) =>
      [
        palette.name(userId),
        field('device', deviceId),
        field('token', accessToken),
        ...(password === undefined ? [] : [field('password', password)]),
      ].join('  '),
    ),
    palette.faint('Ctrl-C stops it'),
  ].join('\n');
}

/** Environment variables with which `mx2s` is logged in there: the first user, and the second as the other. */
export function readyVariables({ homeserver, serverName, users }: ReadyServer): Record<string, string> {
  const [first, second] = users;
  return {
    MX2S_HOMESERVER: homeserver,
    MX2S_SERVER_NAME: serverName,
    ...(first === undefined ? {} : userVariables('MX2S', first)),
    ...(second === undefined ? {} : userVariables('MX2S_OTHER', second)),
  };
}

/** Variables as assignments that a shell reads, one a line. */
export function renderAssignments(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${quoteForShell(value)}\n`)
    .join('');
}

/** How a line of the event log looks. */
export interface LogLook {
  readonly palette: Palette;
  /** Characters to cut to; infinite for no cutting. */
  readonly width: number;
}

/** An entry of the event log for people, on one line: `time  in  handled  type  sender  to  content`. */
export function renderLogEntry(entry: LogEntry, timestampMs: number, { palette, width }: LogLook): string {
  const { direction, sender, to, device, type, outcome, content = '' } = entry;
  return renderColumns(
    [
      [timeOfDay(timestampMs), palette.faint],
      [direction === 'in' ? 'in ' : 'out', asIs],
      [outcome, outcome === 'handled' ? palette.good : palette.warning],
      [type, palette.strong],
      [`${sender} → ${to}${deviceOf(device)}`, palette.name],
      [content, asIs],
    ],
    width,
  ).trimEnd();
}

function deviceOf(device: string): string {
  if (isServerDevice(device)) return '';
  return device === WILDCARD_DEVICE ? ' (all devices)' : ` (device ${device})`;
}

function userVariables(prefix: string, { userId, deviceId, accessToken }: FirstUser): Record<string, string> {
  return {
    [`${prefix}_USER_ID`]: userId,
    [`${prefix}_DEVICE_ID`]: deviceId,
    [`${prefix}_ACCESS_TOKEN`]: accessToken,
  };
}
