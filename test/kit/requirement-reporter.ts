/** Writes docs/requirements-tested.md at the end of a run: `npm run requirements`. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { parseRequirements, renderTestedPage, type TestVerdict } from './requirement-table.js';

export class RequirementReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const verdicts = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => verdictOf(module, test)),
    );
    const docs = new URL('../../docs/', import.meta.url);
    const requirements = parseRequirements(readFileSync(new URL('requirements.md', docs), 'utf8'));
    writeFileSync(new URL('requirements-tested.md', docs), renderTestedPage(requirements, verdicts));
  }
}

function verdictOf(module: TestModule, test: TestCase): TestVerdict {
  const { state } = test.result();
  return {
    file: module.relativeModuleId,
    title: test.fullName,
    state: state === 'pending' ? 'skipped' : state,
  };
}
