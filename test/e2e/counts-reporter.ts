import type { Reporter, TestModule } from 'vitest/node';

/**
 * At the end one line about all: `e2e: 12 passed, 0 failed`. A file that could not be loaded, or whose hooks failed,
 * counts as failed.
 */
export default class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const states = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.result().state));
    const broken = modules.filter(
      (module) =>
        module.state() === 'failed' &&
        ![...module.children.allTests()].some((test) => test.result().state === 'failed'),
    );
    const count = (state: string): number => states.filter((each) => each === state).length;
    console.log(`e2e: ${count('passed')} passed, ${count('failed') + broken.length} failed`);
  }
}
