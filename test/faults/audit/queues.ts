import type { Check } from './evidence.ts';

/** What queues and dead-letter queues hold when everything is over: nothing, and the poison. (Invariant 2.) */

export const leftInQueues: Check = ({ queues }) =>
  queues
    .filter(({ messages }) => messages !== 0)
    .map(({ resource, messages }) => `${resource}: ${messages} messages are left in the queue`);

export const strayDeadLetters: Check = ({ deadLetters, poison }) => {
  const expected = new Set(poison.map(({ resource, body }) => `${resource} ${body}`));
  return deadLetters
    .filter(({ resource, body }) => !expected.has(`${resource} ${body}`))
    .map(({ resource, body }) => `${resource}: a message in the dead-letter queue does not belong there: ${body}`);
};

export const poisonNotKept: Check = ({ deadLetters, poison }) =>
  poison.flatMap(({ resource, body, sent }) => {
    const times = deadLetters.filter((letter) => letter.resource === resource && letter.body === body).length;
    if (times >= 1 && times <= sent) return [];
    return [`${resource}: poison that was sent ${sent} times is ${times} times in the dead-letter queue: ${body}`];
  });

/** More is no damage: an operator that is killed between record and settlement may count it once more. */
export const poisonNotRecorded: Check = ({ resources, poison }) =>
  resources.flatMap(({ name, rejections }) => {
    const sent = poison.filter(({ resource }) => resource === name).length;
    return rejections >= sent ? [] : [`${name}: ${sent} messages were poison, and its status counts ${rejections}`];
  });
