/** What one source file imports and exports, read from its syntax tree: the facts that the import rules judge. */
import ts from 'typescript';

export interface ImportFact {
  readonly line: number;
  /** As written: `../wire/json.js`, `fastify`, `node:fs`. */
  readonly specifier: string;
  /** `static` runs when the file is loaded, `dynamic` when the code gets there, `type` never. */
  readonly kind: 'static' | 'dynamic' | 'type';
}

export interface ModuleFacts {
  readonly imports: readonly ImportFact[];
  /** True if the file passes on whole modules (`export *`), or has nothing of its own. */
  readonly isBarrel: boolean;
  /** Lines of `export default` and `export =`. */
  readonly defaultExports: readonly number[];
  /** Lines that use the global `process`. */
  readonly processUses: readonly number[];
}

/** Reads the facts of one file; `path` only tells TypeScript which dialect it is. */
export function readModuleFacts(path: string, text: string): ModuleFacts {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
  const imports: ImportFact[] = [];
  const defaultExports: number[] = [];
  const processUses: number[] = [];
  const lineOf = (node: ts.Node) => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;

  const visit = (node: ts.Node): void => {
    const found = importIn(node);
    if (found) imports.push({ line: lineOf(node), ...found });
    if (isDefaultExport(node)) defaultExports.push(lineOf(node));
    if (isProcessUse(node)) processUses.push(lineOf(node));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { imports, isBarrel: isBarrel(source), defaultExports, processUses };
}

function isBarrel({ statements }: ts.SourceFile): boolean {
  const reexports = statements.filter(
    (node) => ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined,
  );
  const hasStar = reexports.some((node) => ts.isExportDeclaration(node) && !node.exportClause);
  return hasStar || (reexports.length > 0 && reexports.length === statements.length);
}

function importIn(node: ts.Node): Omit<ImportFact, 'line'> | undefined {
  if (ts.isImportDeclaration(node)) {
    return fact(node.moduleSpecifier, isTypeOnlyImport(node) ? 'type' : 'static');
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
    return fact(node.moduleSpecifier, node.isTypeOnly ? 'type' : 'static');
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return fact(node.arguments[0], 'dynamic');
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return fact(node.argument.literal, 'type');
  }
  return undefined;
}

function fact(specifier: ts.Node | undefined, kind: ImportFact['kind']) {
  // A computed `import(x)` cannot be judged, so it is given a name that no rule allows.
  const text = specifier && ts.isStringLiteralLike(specifier) ? specifier.text : '(computed)';
  return { specifier: text, kind };
}

/** `import type …`, and `import { type A, type B }`: under `verbatimModuleSyntax` only the first is erased whole. */
function isTypeOnlyImport(node: ts.ImportDeclaration): boolean {
  return node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
}

function isDefaultExport(node: ts.Node): boolean {
  if (ts.isExportAssignment(node)) return true;
  if (ts.isExportSpecifier(node)) return node.name.text === 'default';
  return (
    ts.canHaveModifiers(node) &&
    (ts.getModifiers(node)?.some((modifier) => modifier.kind === ts.SyntaxKind.DefaultKeyword) ?? false)
  );
}

function isProcessUse(node: ts.Node): boolean {
  if (!ts.isIdentifier(node) || node.text !== 'process') return false;
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) {
    return ts.isIdentifier(parent.expression) && parent.expression.text === 'globalThis';
  }
  // A member that happens to be called so: `{ process: 1 }`, `interface X { process: … }`.
  return !(
    (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodSignature(parent)) &&
    parent.name === node
  );
}
