import type { Mutation } from './mutations.ts';

/** Bugs about what a status says of requests: why they wait, and what their messages told people. */
export const MUTATIONS_OF_STATUS: readonly Mutation[] = [
  {
    name: 'a request waits without a reason',
    rule: 'invariant 7',
    file: 'src/lanes/explain-waiting.ts',
    find: 'reasons: causes.map(({ reason }) => reason),',
    replace: 'reasons: causes.slice(1).map(({ reason }) => reason),',
  },
  {
    name: 'a frozen lane is said to be closed',
    rule: 'invariant 7',
    file: 'src/lanes/explain-waiting.ts',
    find: "reason: 'Frozen', words",
    replace: "reason: 'Closed', words",
  },
  {
    name: 'what waits behind a deploy is said to be next',
    rule: 'invariant 7',
    file: 'src/lanes/explain-waiting.ts',
    find: "return { reason: 'LaneBusy',",
    replace: "return { reason: 'Next',",
  },
  {
    name: 'a Job that somebody resumed is said to be a foreign one',
    rule: 'invariant 7',
    file: 'src/lanes/occupant.ts',
    find: "jobs.includes(job) ? 'HandResumed' : 'ForeignDeploy'",
    replace: "jobs.includes(job) ? 'ForeignDeploy' : 'HandResumed'",
  },
  {
    name: 'operators with different clocks correct each other’s reasons at once',
    rule: 'invariant 8',
    file: 'src/operator/controller/status-damping.ts',
    find: "({ ...entry, why: '', reasons: undefined, until: undefined })",
    replace: "({ ...entry, why: '', until: undefined })",
  },
  {
    name: 'why a deploy was asked for goes with its Job',
    rule: 'invariant 7',
    file: 'src/lanes/lane.ts',
    find: 'return { ...request, requestReason, slack,',
    replace: 'return { ...request, requestReason: undefined, slack,',
  },
  {
    name: 'the Slack thread goes with the Job',
    rule: 'invariant 7',
    file: 'src/lanes/lane.ts',
    find: 'return { ...request, requestReason, slack,',
    replace: 'return { ...request, requestReason, slack: undefined,',
  },
];
