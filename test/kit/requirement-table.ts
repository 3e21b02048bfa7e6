/**
 * Which tests hold which requirement: the page docs/requirements-tested.md.
 *
 * A test names what it holds (`R-13`) in its title, or in that of a `describe` around it. The page is written from the
 * verdicts of a run (`npm run requirements`); `test/requirements.test.ts` holds it to the titles in the sources.
 */
import ts from 'typescript';

export interface Requirement {
  /** `R-13` */
  readonly id: string;
  /** `MUST`, `SHOULD`, … */
  readonly level: string;
  /** Markdown, as it stands in a cell of a table. */
  readonly text: string;
}

/** What a test of a run came to. */
export interface TestVerdict {
  /** Path from the top of the project. */
  readonly file: string;
  /** Its own title, behind those of what is around it. */
  readonly title: string;
  readonly state: 'passed' | 'failed' | 'skipped';
}

/** A row of the page. */
export interface TestedRow extends Requirement {
  readonly verdict: string;
  readonly files: readonly string[];
}

/** The requirements in the tables of docs/requirements.md, in order. */
export function parseRequirements(page: string): Requirement[] {
  return [...page.matchAll(/^\| (R-\d+) \| ([^|]+) \| (.+) \| [^|]* \|$/gm)].map(
    ([, id = '', level = '', text = '']) => ({ id, level, text }),
  );
}

/** The requirements that a title names. */
export function requirementsIn(title: string): string[] {
  return [...new Set(title.match(/\bR-\d+\b/g))];
}

/** The requirements that the titles in a test file name. */
export function requirementsInSource(path: string, text: string): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && TITLED.has(rootName(node.expression))) {
      const [title] = node.arguments;
      if (title !== undefined && isText(title)) {
        for (const id of requirementsIn(title.getText())) found.add(id);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true));
  return found;
}

/** Writes the page. */
export function renderTestedPage(
  requirements: readonly Requirement[],
  verdicts: readonly TestVerdict[],
): string {
  const rows = requirements.map(({ id, level, text }) => {
    const tests = verdicts.filter(({ title }) => requirementsIn(title).includes(id));
    const files = [...new Set(tests.map(({ file }) => file))].sort();
    const links = files.map((file) => {
      const count = tests.filter((test) => test.file === file).length;
      return `[${file}](../${file}) (${String(count)})`;
    });
    return `| ${id} | ${level} | ${text} | ${verdictOf(tests)} | ${links.join(', ')} |`;
  });
  return `${HEAD}${rows.join('\n')}\n`;
}

/** Reads the page again. */
export function parseTestedPage(page: string): TestedRow[] {
  return [...page.matchAll(/^\| (R-\d+) \| ([^|]+) \| (.+) \| ([^|]+) \| ([^|]*) \|$/gm)].map(
    ([, id = '', level = '', text = '', verdict = '', links = '']) => ({
      id,
      level,
      text,
      verdict,
      files: [...links.matchAll(/\[([^\]]+)\]/g)].map(([, file = '']) => file),
    }),
  );
}

function verdictOf(tests: readonly TestVerdict[]): string {
  if (tests.length === 0) return 'no test';
  if (tests.some(({ state }) => state === 'failed')) return '**fail**';
  return tests.every(({ state }) => state === 'passed') ? 'pass' : 'not run';
}

/** `it`, of `it`, `it.each(…)`, `it.runIf(…).each`…``. */
function rootName(node: ts.Node): string {
  if (ts.isIdentifier(node)) return node.text;
  if (ts.isPropertyAccessExpression(node) || ts.isCallExpression(node)) return rootName(node.expression);
  return ts.isTaggedTemplateExpression(node) ? rootName(node.tag) : '';
}

function isText(node: ts.Node): boolean {
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
}

const TITLED: ReadonlySet<string> = new Set(['describe', 'it', 'test']);
const HEAD = `# The requirements, and the tests that hold them

Made by \`npm run requirements\` from a run of the whole test suite: not edited by hand. A test names the requirement that
it holds in its title. [requirements.md](requirements.md) says where each requirement comes from. In brackets: how many
tests of a file name it.

| R | Level | Requirement | Verdict | Tests |
| --- | --- | --- | --- | --- |
`;
