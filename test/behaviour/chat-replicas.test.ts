import { expect, test } from 'vitest';
import { TravelClock } from '../../dev/local-slack/clock.ts';
import { until } from '../kit/eventually.ts';
import { inChat } from './chat-world.ts';

/** `TEST_SLACK_LOAD=long vitest run test/behaviour/chat-replicas.test.ts` has the number of the design. */
const isLong = process.env.TEST_SLACK_LOAD === 'long';
const REFRESHES = isLong ? 100 : 10;
/** Slack refreshes a connection after hours. One that the bot has had for less than 10 s it does not replace at once. */
const STEADY_MS = 12_000;

const clock = new TravelClock();

test(
  `two whole bots: ${REFRESHES} refreshes leave no line and no slash command without an answer`,
  inChat(
    async (_, { slack }) => {
      const bob = slack.as('bob');
      const answers = () => bob.reads.ephemerals('deploys').length;
      const able = () => slack.sockets().filter(({ takesEnvelopes }) => takesEnvelopes).length;
      let asked = 0;
      clock.advance(STEADY_MS);
      const line = async () => {
        asked += 1;
        // The first delivery: Slack had nothing to repeat.
        expect(await bob.say('deploys', '@capdeploy status web').delivered).toMatchObject([{ attempt: 0 }]);
      };
      const command = async () => {
        asked += 1;
        expect(await bob.command('deploys', '/deploy', 'status web')).toEqual({ acknowledged: true });
      };
      for (let count = 0; count < REFRESHES; count += 1) {
        const before = [line(), command(), line(), command()];
        slack.sockets()[count % 2]?.refresh();
        await Promise.all([...before, line(), command(), line(), command()]);
        await until(() => expect(able()).toBe(2));
        await Promise.all([line(), command()]);
        await until(() => expect(answers()).toBe(asked));
        // Nothing is on its way. The old socket ends, and Slack's limit of calls a minute begins anew.
        (slack.world.clock as TravelClock).advance(60_000);
        clock.advance(STEADY_MS);
        await until(() => expect(slack.sockets()).toHaveLength(2));
      }
      expect(asked).toBe(REFRESHES * 10);
    },
    { replicas: 2, clock },
  ),
  300_000,
);
