import { CALL_TIMEOUT_MS } from '../slack/web-api.ts';
import { SEND_TIMEOUT_MS } from '../sqs/sending-queue.ts';
import { MAX_LOOKUP_TIMEOUT_MS } from './config.ts';

/** For a request to the API server: a person waits for it. Milliseconds. */
export const KUBE_TIMEOUT_MS = 10_000;

/** Who asks, which targets there are for him, and whether he may use this one. */
const LOOK_UPS = 3;
/** Of a send. */
const TRIES = 3;
/** An abort writes a name and deletes; a freeze reads and writes. */
const KUBE_CALLS = 2;
/** All are told, or a view is changed; and the one who asked is told. */
const SLACK_CALLS = 2;

/**
 * The longest that something takes that was asked for, if whatever it needs hangs: 36 s. When the bot stops it waits so
 * long, or somebody would not hear what became of it. Milliseconds.
 * `terminationGracePeriodSeconds` in deploy/chat/deployment.yaml is longer.
 */
export const DRAIN_MS =
  LOOK_UPS * MAX_LOOKUP_TIMEOUT_MS +
  Math.max(TRIES * SEND_TIMEOUT_MS, KUBE_CALLS * KUBE_TIMEOUT_MS) +
  SLACK_CALLS * CALL_TIMEOUT_MS;
