/**
 * The map of the rooms as rules: which file may import which (ARCHITECTURE.md has the drawing).
 *
 * Pure: gets the text of every file and returns what breaks a rule, so that the rules themselves are tested
 * on made-up sources.
 */
import { readModuleFacts, type ImportFact, type ModuleFacts } from './module-facts.js';

/** Path from the top of the project (`src/ids/user-id.ts`) → text. */
export type Sources = ReadonlyMap<string, string>;

/** Everything that breaks a rule, one readable line each: `file:line imports "x": rule`. */
export function importViolations(sources: Sources): string[] {
  const modules = new Map([...sources].map(([path, text]) => [path, readModuleFacts(path, text)] as const));
  const found: string[] = [];
  for (const [path, facts] of modules) {
    found.push(...fileViolations(path, facts));
    for (const entry of facts.imports) {
      for (const rule of importRulesBroken(path, entry)) {
        found.push(`${path}:${String(entry.line)} imports "${entry.specifier}": ${rule}`);
      }
    }
  }
  return [...found, ...startUpViolations(modules), ...cycleViolations(modules)];
}

// --- one file ---------------------------------------------------------------------------------------------

function fileViolations(path: string, facts: ModuleFacts): string[] {
  const found: string[] = [];
  if (floorOf(roomOf(path)) === undefined) {
    found.push(
      `${path}: "${roomOf(path)}" is no room on the map; give it a floor in test/kit/import-rules.ts`,
    );
  }
  for (const line of facts.defaultExports) {
    found.push(`${path}:${String(line)} has a default export: named exports only`);
  }
  if ((facts.isBarrel || path.endsWith('/index.ts')) && !BARRELS.includes(path)) {
    found.push(`${path} is a barrel: only ${BARRELS.join(' and ')} may be`);
  }
  if (!PROCESS_FILES.some((allowed) => path.startsWith(allowed))) {
    for (const line of facts.processUses) {
      found.push(
        `${path}:${String(line)} uses "process": only bin/ and src/main.ts may; take it as an argument`,
      );
    }
  }
  return found;
}

// --- one import -------------------------------------------------------------------------------------------

function importRulesBroken(path: string, entry: ImportFact): string[] {
  if (entry.specifier.startsWith('.')) return floorRules(path, resolve(path, entry.specifier));

  const rules: string[] = [];
  const packageName = packageOf(entry.specifier);
  const pure = PURE_ROOMS.find((room) => path.startsWith(room));
  if (pure !== undefined) rules.push(`${pure} is pure: nothing from node: and no package`);
  if (packageName === 'node:process' && !PROCESS_FILES.some((allowed) => path.startsWith(allowed))) {
    rules.push('only bin/ and src/main.ts may use process');
  }
  const doors = DOORS[packageName];
  if (doors === undefined) {
    if (!packageName.startsWith('node:')) {
      rules.push(`"${packageName}" has no door; give it one in test/kit/import-rules.ts`);
    }
  } else if (!doors.some((door) => isOpen(door, path, entry.kind))) {
    rules.push(`the one door of ${packageName} is ${doors.join(', ')}`);
  }
  return rules;
}

/** Types vanish when the code is built, so the whole room of a door may name them. */
function isOpen(door: string, path: string, kind: ImportFact['kind']): boolean {
  return path.startsWith(door) || (kind === 'type' && roomOf(path) === roomOf(door));
}

function floorRules(path: string, target: string): string[] {
  const [from, to] = [roomOf(path), roomOf(target)];
  const [fromFloor, toFloor] = [floorOf(from), floorOf(to)];
  if (fromFloor === undefined) return []; // told once for the file
  if (toFloor === undefined) return [`"${to}" is no room on the map`];
  if (from === to || toFloor > fromFloor) return [];
  if (ARROWS.some((arrow) => arrow.from === from && arrow.to === to)) return [];
  return [
    toFloor === fromFloor
      ? `${from} and ${to} lie on the same floor and may not use each other`
      : `imports point down, and ${to} lies above ${from}`,
  ];
}

// --- all files together -----------------------------------------------------------------------------------

/** What is loaded before `main` runs may be commander only: everything else waits until it is needed. */
function startUpViolations(modules: ReadonlyMap<string, ModuleFacts>): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  const visit = (path: string, chain: readonly string[]): void => {
    const facts = modules.get(path);
    if (!facts || seen.has(path)) return;
    seen.add(path);
    for (const entry of facts.imports.filter(({ kind }) => kind === 'static')) {
      if (entry.specifier.startsWith('.')) {
        visit(resolve(path, entry.specifier), [...chain, path]);
      } else if (packageOf(entry.specifier) in DOORS && entry.specifier !== 'commander') {
        const route = [...chain, path].join(' → ');
        found.push(
          `${path}:${String(entry.line)} imports "${entry.specifier}" at start-up (${route}): use await import()`,
        );
      }
    }
  };
  visit('src/main.ts', []);
  return found;
}

function cycleViolations(modules: ReadonlyMap<string, ModuleFacts>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, chain: readonly string[]): void => {
    const at = chain.indexOf(path);
    if (at >= 0) {
      found.push(`import cycle: ${[...chain.slice(at), path].join(' → ')}`);
      return;
    }
    if (done.has(path)) return;
    for (const { specifier } of modules.get(path)?.imports ?? []) {
      if (specifier.startsWith('.')) visit(resolve(path, specifier), [...chain, path]);
    }
    done.add(path);
  };
  for (const path of modules.keys()) visit(path, []);
  return found;
}

// --- paths ------------------------------------------------------------------------------------------------

/** `src/ids/user-id.ts` → `ids`; `src/errors.ts` → `errors`; `bin/mx2s.js` → `bin`. */
function roomOf(path: string): string {
  const [top = '', second = ''] = path.split('/');
  return top === 'src' ? second.replace(/\.ts$/, '') : top;
}

function floorOf(room: string): number | undefined {
  const floor = FLOORS.findIndex((rooms) => rooms.includes(room));
  return floor < 0 ? undefined : floor;
}

/** Where a relative specifier leads. */
function resolve(from: string, specifier: string): string {
  const { pathname } = new URL(specifier, `file:///${from}`);
  return pathname.slice(1).replace(/^(src\/.*)\.js$/, '$1.ts');
}

function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
}

// --- the map ----------------------------------------------------------------------------------------------

/** From the top down: a room may use every room below its floor, none above and none beside. */
const FLOORS: readonly (readonly string[])[] = [
  ['bin'],
  ['main', 'index'],
  ['commands'],
  ['ui'],
  ['check', 'server', 'gateway', 'bench', 'config', 'demo', 'listen'],
  ['store', 'subsystems'],
  ['client', 'federation'],
  ['http'],
  ['todevice'],
  ['wire'],
  ['ids'],
  ['exit-codes', 'duration'],
  ['errors', 'clock', 'chance', 'version', 'typed-text'],
];

/**
 * The arrows between rooms of one floor: `check` proves itself against our own server, `listen` keeps its
 * position and its spool with the other files of a device; `gateway` reads its queue as `listen` does, and logs as
 * `server` does; `bench` reads a queue as `listen` does.
 */
const ARROWS = [
  { from: 'check', to: 'server' },
  { from: 'listen', to: 'config' },
  { from: 'gateway', to: 'config' },
  { from: 'gateway', to: 'listen' },
  { from: 'gateway', to: 'server' },
  { from: 'bench', to: 'listen' },
];

const PURE_ROOMS = ['src/ids/', 'src/wire/', 'src/todevice/', 'src/ui/render/'];

const BARRELS = ['src/index.ts', 'src/commands/index.ts'];

const PROCESS_FILES = ['bin/', 'src/main.ts'];

/** Each dependency, and the one place that may import it (also its types). */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  commander: ['src/main.ts', 'src/commands/define.ts'],
  conf: ['src/config/'],
  ora: ['src/ui/'],
  fastify: ['src/server/'],
  '@nats-io/transport-node': ['src/subsystems/nats-connections.ts'],
  selfsigned: ['src/server/certificate.ts'],
  'node-sqlite3-wasm': ['src/store/database.ts'],
  yaml: ['src/gateway/registration.ts'],
};
