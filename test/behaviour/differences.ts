/**
 * What differs between the two worlds of the behaviour tests, and why: this list and nothing else.
 * `differences.test.ts` holds it to the tests.
 */

const HELD_BOT =
  'it takes the policies of deploy/admission, which the worlds of these tests lack: there by test/cluster/chat.test.ts';

/** Tests that cannot run on a real control plane: skipped there, with the reason. */
export const LOCAL_ONLY: readonly { file: string; test: string; reason: string }[] = [
  {
    file: 'rest.test.ts',
    test: 'that it is not ready before it has listed everything: the definition is missing, and then it is there',
    reason: 'it deletes the CustomResourceDefinition, which on a real control plane all worlds share',
  },
  ...[
    'a freeze holds a deploy, which says so in the queue, until it is thawed',
    'a deploy that runs is aborted by a click in the queue',
    'a deploy is approved by a click of another person than the one who asked',
  ].map((test) => ({ file: 'chat-decisions.test.ts', test, reason: HELD_BOT })),
];

/** What a world is asked for and only the local one can do; the tests that ask for it hold on both. */
export const FACILITIES: readonly { option: string; reason: string }[] = [
  {
    option: 'WorldOptions.job',
    reason: 'how late a real Job controller is, nobody can set: it lags as it does',
  },
  {
    option: 'WorldOptions.speed',
    reason: "the clock of a real control plane cannot be moved: there only the operator's runs faster",
  },
];

/** What both worlds do, each in its own way; a test cannot tell. */
export const MEANS: readonly { what: string; reason: string }[] = [
  {
    what: 'endWatches',
    reason:
      "a real API server ends watches, and forgets (410), when it likes: there the operator's own client is told so, while the local server does it",
  },
  {
    what: 'refuse',
    reason: 'the local API has no ResourceQuota: there a check at admission refuses in the words of one',
  },
  {
    what: 'startOperator',
    reason:
      'the local API knows no rights and holds one world, so that its operator sees all namespaces; on a real one it has the token of its ServiceAccount and its own namespace',
  },
];

/** Why a test of this name does not run on a real control plane; undefined where it does. */
export const whyNotOnReal = (name: string): string | undefined => LOCAL_ONLY.find(({ test }) => test === name)?.reason;
