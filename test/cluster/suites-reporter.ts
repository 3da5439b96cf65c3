import type { Reporter, TestModule } from 'vitest/node';

/**
 * At the end one line for each suite (project of test/config/cluster.ts): `behaviour: 12 passed, 0 failed, 3 skipped`;
 * then one for each test that failed, or passed only when it was tried again: of a long log, CI shows the end.
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
    }
    for (const test of modules.flatMap((module) => [...module.children.allTests()])) {
      const { state, errors } = test.result();
      const where = `${test.project.name}: ${test.module.relativeModuleId}: ${test.fullName}`;
      if (state === 'failed') console.log(`failed: ${where}: ${errors[0]?.message.split('\n', 1)[0]?.slice(0, 200)}`);
      else if (test.diagnostic()?.flaky) console.log(`flaky, passed when it was tried again: ${where}`);
    }
    for (const module of modules.filter((each) => each.state() === 'failed' && !hasFailedTest(each)))
      console.log(
        `failed: ${module.project.name}: ${module.relativeModuleId}: ${module.errors()[0]?.message ?? 'a hook failed'}`,
      );
  }
}

const hasFailedTest = (file: TestModule): boolean =>
  [...file.children.allTests()].some((test) => test.result().state === 'failed');
