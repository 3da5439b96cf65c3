import type { Reporter, TestModule } from 'vitest/node';

/**
 * At the end one line for each suite (project of vitest.real.config.ts): `behaviour: 12 passed, 0 failed, 3 skipped`; and one for each test
 * that passed only when it was tried again.
 */
export default class SuitesReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const suites = Map.groupBy(modules, (module) => module.project.name);
    for (const [suite, files] of suites) {
      const states = files.flatMap((file) => [...file.children.allTests()].map((test) => test.result().state));
      const count = (state: string): number => states.filter((each) => each === state).length;
      // A file that could not be loaded, or whose hooks failed, may have no test that failed.
      const broken = files.filter((file) => file.state() === 'failed' && !hasFailedTest(file)).length;
      const skipped = count('skipped') + count('pending');
      const counts = [`${count('passed')} passed`, `${count('failed') + broken} failed`];
      if (skipped > 0) counts.push(`${skipped} skipped`);
      console.log(`${suite}: ${counts.join(', ')}`);
      const flaky = files.flatMap((file) => [...file.children.allTests()]).filter((test) => test.diagnostic()?.flaky);
      for (const test of flaky)
        console.log(
          `flaky, passed when it was tried again: ${suite}: ${test.module.relativeModuleId}: ${test.fullName}`,
        );
    }
  }
}

const hasFailedTest = (file: TestModule): boolean =>
  [...file.children.allTests()].some((test) => test.result().state === 'failed');
