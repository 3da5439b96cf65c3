import type { Check, Run } from './expectations.ts';
import type { DeployedTo } from './observed.ts';
import type { Table } from './table.ts';

/** What the demo says at its end. */

export function showDeployed(table: Table, deployed: readonly DeployedTo[], title: (commit: string) => string): void {
  for (const { environment, releases, current, revisionsLog } of deployed) {
    table.heading(`${environment}/`);
    table.line(`  current -> ${current === undefined ? 'nothing' : `releases/${current}`}`);
    for (const { name, commit } of releases) table.line(`  releases/${name}  ${title(commit)}`);
    table.line('  revisions.log');
    for (const line of revisionsLog) table.line(`    ${line}`);
  }
}

export function showRuns(table: Table, runs: readonly Run[]): void {
  table.heading('message → Job → started → finished');
  for (const { sent, job, createdAt, startedAt, finishedAt } of runs) {
    const { environment, revision } = sent.message.body;
    const times = [sent.at, createdAt, startedAt, finishedAt].map(timeOfDay);
    table.line(
      `  ${environment.padEnd(11)}${revision.padEnd(9)}${times.map((time) => time.padEnd(14)).join('')}${job ?? ''}`,
    );
  }
}

/** @returns whether everything was as expected. */
export function showChecks(table: Table, checks: readonly Check[], capistrano: string, seconds: number): boolean {
  table.heading(`deployed by ${capistrano}`);
  for (const { ok, text } of checks) table.check(ok, text);
  const failed = checks.filter(({ ok }) => !ok).length;
  table.line(`demo: ${checks.length - failed} passed, ${failed} failed, in ${seconds.toFixed(1)} s`);
  return failed === 0;
}

/** What to try while `--serve` holds everything up. */
export function showHowToPlay(
  table: Table,
  { kubeconfig, queueUrl, sqs, namespace }: { kubeconfig: string; queueUrl: string; sqs: string; namespace: string },
): void {
  const body = '{"repository":"livesense/web","environment":"staging","revision":"v1.1.0"}';
  table.heading('everything stays up; Ctrl-C ends it and takes it all away. In another terminal:');
  for (const line of [
    `export KUBECONFIG=${kubeconfig}`,
    `kubectl -n ${namespace} get cdj,jobs,pods`,
    `kubectl -n ${namespace} get cdj web -o yaml`,
    `kubectl -n ${namespace} logs job/<job>`,
    `kubectl -n ${namespace} delete job/<job>     # aborts a deploy`,
    '',
    `export QUEUE_URL=${queueUrl}`,
    `node_modules/.bin/node dev/demo/send.ts '${body}'`,
    `AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local aws sqs send-message --region us-east-1 --endpoint-url ${sqs} \\`,
    `  --queue-url $QUEUE_URL --message-body '${body}'`,
  ]) {
    table.line(line === '' ? '' : `  ${line}`);
  }
  table.line();
}

/** @param commits of each revision, by name */
export function titleOf(commits: Readonly<Record<string, string>>, commit: string): string {
  const revision = Object.keys(commits).find((name) => commits[name] === commit);
  return `REVISION ${commit.slice(0, 12)}${revision ? ` (${revision})` : ''}`;
}

/** 10:00:00.412 of an RFC 3339 stamp, in UTC; without the fraction where there is none. */
function timeOfDay(stamp: string | undefined): string {
  return stamp?.slice(11).replace('Z', '') ?? '-';
}
