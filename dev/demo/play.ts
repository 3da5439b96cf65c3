import { join } from 'node:path';
import { checks, runsOf, type Sent } from './expectations.ts';
import { exists, readDeployed } from './observed.ts';
import { showChecks, showDeployed, showHowToPlay, showRuns, titleOf } from './report.ts';
import { messages, NAMESPACE } from './scenario.ts';
import { type PlayOptions, setStage, showLog, unlessEnded, untilAborted } from './stage.ts';

const DONE_MS = 60_000;

/** The demo from its first line to its last. @returns whether everything was as expected. */
export async function play(options: PlayOptions): Promise<boolean> {
  const { directory, table, serve, signal } = options;
  const startedAt = performance.now();
  const trap = join(directory, 'pwned');
  const { repository, application, sqs, cluster, producer, operator, narrator, wait } = await setStage(options);

  const sent: Sent[] = [];
  for (const message of messages(trap)) {
    const at = new Date().toISOString();
    const messageId = await producer.send(message.body);
    sent.push({ message, messageId, at });
    const { environment, revision } = message.body;
    table.row({ resource: `message ${messageId.slice(0, 8)}`, environment, revision, what: `sent: ${message.title}` });
  }
  const poison = sent.filter(({ message }) => message.rejected).length;
  const accounted = () =>
    narrator.history.size >= sent.length - poison && narrator.rejections.size >= poison && narrator.allFinished();
  // What is missing then shows in the checks.
  await wait(accounted, 'every message is accounted for', DONE_MS).catch((error: unknown) => {
    if (signal.aborted) throw error;
    table.line(`  ${(error as Error).message}`);
  });
  await narrator.logsTold(signal);

  const operatorEnd = serve ? undefined : await operator.stop();
  const deployed = await Promise.all(
    ['production', 'staging'].map((environment) => readDeployed(application.deployRoot, environment)),
  );
  showDeployed(table, deployed, (commit) => titleOf(repository.commits, commit));
  const seen = {
    sent,
    history: [...narrator.history.values()],
    rejections: [...narrator.rejections.values()],
    jobs: [...narrator.jobs.values()],
    pods: [...narrator.pods.values()],
    waits: narrator.waits,
    deployed,
    commits: repository.commits,
    queueDepth: await producer.depth(),
    trapSprung: await exists(trap),
    operatorEnd,
  };
  showRuns(table, runsOf(seen));
  const seconds = (performance.now() - startedAt) / 1000;
  const good = showChecks(table, checks(seen), application.capistrano, seconds);
  if (!good) showLog(table, operator);
  if (!serve) return good;

  showHowToPlay(table, {
    kubeconfig: cluster.kubeconfig,
    queueUrl: producer.queueUrl,
    sqs: sqs.endpoint,
    namespace: NAMESPACE,
  });
  table.columns();
  await unlessEnded(operator, untilAborted(signal));
  return good;
}
