/** The queue servers that the tests run on; AWS itself is the measure. */
export type ServerName = 'fauxqs' | 'ministack' | 'elasticmq';

const NAMES: readonly ServerName[] = ['fauxqs', 'ministack', 'elasticmq'];

/** Which server this run is for: TEST_SQS, by default the one in process. */
export const SERVER: ServerName = serverOf(process.env.TEST_SQS || 'fauxqs');

function serverOf(name: string): ServerName {
  const known = NAMES.find((each) => each === name);
  if (known === undefined) throw new Error(`TEST_SQS is ${name}: expected one of ${NAMES.join(', ')}`);
  return known;
}

/**
 * What a server gives as SenderId: AWS the unique id of the authenticated principal (`AROA…:session`). None here
 * authenticates anybody.
 */
export const SENDER_ID = { fauxqs: '000000000000', ministack: '000000000000', elasticmq: '127.0.0.1' }[SERVER];

/** Everything that a test needs and some server cannot do, with the reason: tests are skipped by this list only. */
const CANNOT = {
  waitTwentySeconds: {
    servers: ['fauxqs'],
    reason: 'it can, but `npm test` is to stay quick: the other two prove it',
  },
  severalOfOneGroupAtOnce: {
    servers: ['fauxqs'],
    reason: 'one message of a group for each receive; AWS gives as many of it as it can',
  },
  refuseVisibilityBeyondTwelveHours: {
    servers: ['ministack', 'elasticmq'],
    reason: 'takes any number of seconds; AWS answers InvalidParameterValue',
  },
  takeCharactersBeyond16Bits: {
    servers: ['fauxqs'],
    reason: 'takes no character beyond U+FFFF; AWS takes all up to U+10FFFF',
  },
  refuseDeleteOfUnknownHandle: {
    servers: ['fauxqs'],
    reason: 'says of any handle that it was deleted; AWS lists ReceiptHandleIsInvalid in Failed',
  },
} as const satisfies Record<string, { servers: readonly ServerName[]; reason: string }>;

/** Whether the server of this run lacks something. */
export function cannot(ability: keyof typeof CANNOT): boolean {
  return (CANNOT[ability].servers as readonly ServerName[]).includes(SERVER);
}
