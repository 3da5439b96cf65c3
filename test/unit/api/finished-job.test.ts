import { describe, expect, test } from 'vitest';
import { finishedCondition, isFinished } from '../../../src/api/finished-job.ts';

const job = (...conditions: [type: string, status: string][]) => ({
  status: { conditions: conditions.map(([type, status]) => ({ type, status })) },
});

describe('a Job has finished', () => {
  test.each([
    ['if it is Complete', job(['SuccessCriteriaMet', 'True'], ['Complete', 'True']), 'Complete'],
    ['if it is Failed', job(['FailureTarget', 'True'], ['Failed', 'True']), 'Failed'],
    ['not if its Pods have yet to end', job(['SuccessCriteriaMet', 'True'], ['FailureTarget', 'True']), undefined],
    ['not if a condition says that it has not', job(['Complete', 'False'], ['Failed', 'Unknown']), undefined],
    ['not if it waits', job(['Suspended', 'True']), undefined],
    ['not if it has no conditions', { status: {} }, undefined],
    ['not if it has no status', {}, undefined],
  ])('%s', (_, seen, type) => {
    expect([finishedCondition(seen)?.type, isFinished(seen)]).toEqual([type, type !== undefined]);
  });
});
