/**
 * The chat bot in a process of its own, at a Slack on this machine: how soon a line is on the queue, how soon envelopes
 * of each kind are acknowledged while SQS and the API server hang, and what memory it takes.
 * `npm run bench:slack-bot [envelopes [CapDeployJobs]]`
 */
import { deployButton } from '../src/chat/buttons.ts';
import { FORM_ACTIONS } from '../src/chat/form.ts';
import { pause, quantile, until } from './rig.ts';
import { memoryOf, PEOPLE, report, startSlackBots } from './slack-bot-rig.ts';

const ENVELOPES = Number(process.argv[2] ?? 10_000);
const RESOURCES = Number(process.argv[3] ?? 100);
const LINES = 200;
/** Lines and slash commands that come at one time; and how long it is until the next ones, in milliseconds. */
const TYPED_AT_ONCE = 50;
const TYPED_EVERY_MS = 300;
/** Lines that come as fast as they are acknowledged, after all that. */
const BURST = 2_000;
/** People who click and submit what opens, and people who fill in forms, one after the other, beside those who type. */
const CLICKERS = 6;
const FILLERS = 14;

await using rig = await startSlackBots(RESOURCES);
const { slack } = rig;
const [bot] = rig.bots as [(typeof rig.bots)[number]];
const memory = () => {
  const { rss, anonymous } = memoryOf(bot);
  return `RSS ${rss.toFixed(0)} MiB (anonymous ${anonymous.toFixed(0)})`;
};
const person = (place: number) => slack.as(PEOPLE[place % PEOPLE.length] as string);

await pause(3_000);
console.log(`${RESOURCES} CapDeployJobs; at rest: ${memory()}`);

const times: number[] = [];
for (let count = 0; count < LINES; count += 1) {
  const before = performance.now();
  person(count).say('deploys', `@capdeploy deploy app-${count % RESOURCES} production v1.0.${count}`);
  await until('SQS has it', 10, async () => rig.sentAt() >= before);
  times.push(rig.sentAt() - before);
}
const ms = (share: number) => `${quantile(times, share).toFixed(0)} ms`;
console.log(`line → SQS, ${LINES} lines: p50 ${ms(0.5)}, p95 ${ms(0.95)}, max ${ms(1)}`);
console.log(`after ${LINES} deploys in 20 s: ${memory()}`);

const count = () => [...rig.acknowledgements.values()].reduce((sum, { length }) => sum + length, 0);
const isOver = () => count() >= ENVELOPES;

/** What people type. */
async function type(place: number, count: number): Promise<void> {
  const line = `app-${place} production v2.0.${count}`;
  if (place % 5 === 4) return void (await person(place).command('deploys', '/deploy', line));
  const verb = place % 5 === 3 ? `abort app-${place} production` : `deploy ${line}`;
  await person(place).say('deploys', `@capdeploy ${verb}`).delivered;
}

const app = slack.app('capdeploy');
/** As the notifier posts it. */
const retries = Array.from({ length: CLICKERS }, (_, place) => {
  const name = `app-${place}`;
  const value = { target: `default/${name}`, environment: 'production', job: `${name}-0` };
  return slack.world.messages.post({
    channel: slack.world.team.channel('deploys').id,
    user: app.userId,
    appId: app.id,
    text: 'failed',
    blocks: [{ type: 'actions', block_id: `block-${place}`, elements: [deployButton('retry', 'Retry', value)] }],
    broadcast: false,
    attachments: [],
  });
});

/** The view that a person has in front once it is a new one with something to submit; undefined if none comes. */
async function nextView(who: number, before: string | undefined) {
  const front = () => slack.world.views.of(person(who).user.id).at(-1);
  const isNew = () => front()?.hash !== before && front()?.content.callback_id !== undefined;
  const deadline = performance.now() + 5_000;
  while (!isNew() && performance.now() < deadline) await pause(5);
  return isNew() ? person(who).form() : undefined;
}
const hashOf = (who: number) => slack.world.views.of(person(who).user.id).at(-1)?.hash;

async function click(who: number): Promise<void> {
  const before = hashOf(who);
  await person(who).click(retries[who]!, 'retry');
  await (await nextView(who, before))?.submit();
}

async function fillForm(who: number, count: number): Promise<void> {
  let before = hashOf(who);
  await person(who).command('deploys', '/deploy');
  let form = await nextView(who, before);
  if (form === undefined) return;
  before = hashOf(who);
  const repository = `app-${count % RESOURCES}`;
  // Up to 100 stand in the menu.
  if (RESOURCES <= 100) await form.fill(FORM_ACTIONS.repository, repository);
  else {
    const [found] = await form.search(FORM_ACTIONS.repository, repository);
    // None came in time.
    if (found === undefined) return;
    await form.pick(FORM_ACTIONS.repository, found);
  }
  form = await nextView(who, before);
  if (form === undefined) return;
  before = hashOf(who);
  await form.fill(FORM_ACTIONS.environment, 'staging');
  form = (await nextView(who, before)) ?? form;
  await form.search(FORM_ACTIONS.revision, 'v3');
  const [typed = ''] = await form.search(FORM_ACTIONS.revision, `v3.${count}`);
  await form.pick(FORM_ACTIONS.revision, typed);
  await form.submit();
}

async function typeOnce(done: number): Promise<void> {
  await Promise.all(Array.from({ length: TYPED_AT_ONCE }, (_, place) => type(place, done + place)));
  peak = Math.max(peak, memoryOf(bot).rss);
}

async function repeat(work: (count: number) => Promise<void>): Promise<void> {
  for (let done = 0; !isOver(); done += 1) await work(done);
}

// Slack's limits of calls a minute would keep most forms from being opened.
const { tiers } = slack.world;
const take = tiers.take.bind(tiers);
tiers.take = (key, perMinute) => (key.includes('/views.') ? undefined : take(key, perMinute));
let peak = 0;
rig.hang();
rig.acknowledgements.clear();
await Promise.all([
  repeat(async (done) => void (await Promise.all([typeOnce(done * TYPED_AT_ONCE), pause(TYPED_EVERY_MS)]))),
  ...Array.from({ length: CLICKERS }, (_, who) => repeat(() => click(who))),
  ...Array.from({ length: FILLERS }, (_, place) => repeat((done) => fillForm(CLICKERS + place, place + done))),
]);
console.log(`${count()} envelopes while SQS and the API server hang, from Slack's side:`);
for (const line of report(rig.acknowledgements)) console.log(line);
const all = await rig.metric('capdeployjob_slack_ack_seconds_bucket{le="+Inf"}');
const within3s = await rig.metric('capdeployjob_slack_ack_seconds_bucket{le="3"}');
console.log(`  by the bot's own histogram ${all - within3s} after 3 s`);
console.log(`meanwhile: ${peak.toFixed(0)} MiB at most; after them: ${memory()}`);
for (let done = 0; done < BURST; done += TYPED_AT_ONCE) await typeOnce(ENVELOPES + done);
console.log(`with ${BURST} more at once: ${peak.toFixed(0)} MiB at most`);
await pause(20_000);
console.log(`20 s later: ${memory()}`);
