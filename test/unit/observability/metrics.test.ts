import { describe, expect, it } from 'vitest';
import { REJECTION, RESULTS } from '../../../src/api/reasons.ts';
import { Metrics } from '../../../src/observability/metrics.ts';

const web = 'deploy/web';
const api = 'deploy/api';

/** Longer than any scrape interval: so long are the counters of what is gone kept. */
const KEPT_MS = 15 * 60_000;

/** The samples whose name begins so, without comments. */
async function samples(metrics: Metrics, prefix: string): Promise<string[]> {
  return (await metrics.text()).split('\n').filter((line) => line.startsWith(`capdeployjob_${prefix}`));
}

const idle = (...environments: string[]) => environments.map((environment) => ({ environment, waiting: 0, active: 0 }));

function start() {
  const clock = { now: 1_000_000 };
  return { clock, metrics: new Metrics({ processMetrics: false, now: () => clock.now }) };
}

describe('metrics', () => {
  it('count what happened under the names and labels that users rely on', async () => {
    const { metrics } = start();
    metrics.messagesReceived(web, 3);
    metrics.messageRejected(web, 'UnknownEnvironment');
    metrics.jobCreated(web, 0.2);
    metrics.deployStarted(web, 4);
    metrics.deployEnded(web, 'production', 'Succeeded');
    metrics.reconcileFailed('conflict');
    metrics.reconciled(0.02);
    metrics.kubeRequestFailed('list', 'retryable');
    metrics.sqsRequestFailed('QueueDoesNotExist');
    metrics.eventLost('Forbidden');
    metrics.clockSkew(1.5);
    metrics.leader(false);
    metrics.leader(true);
    metrics.leaderChanged();
    const text = await metrics.text();
    for (const line of [
      'capdeployjob_messages_received_total{namespace="deploy",name="web"} 3',
      'capdeployjob_messages_rejected_total{namespace="deploy",name="web",reason="UnknownEnvironment"} 1',
      'capdeployjob_rejections_total{namespace="deploy",name="web"} 1',
      'capdeployjob_jobs_created_total{namespace="deploy",name="web"} 1',
      'capdeployjob_message_to_job_seconds_bucket{le="0.1",namespace="deploy",name="web"} 0',
      'capdeployjob_message_to_job_seconds_bucket{le="0.25",namespace="deploy",name="web"} 1',
      'capdeployjob_message_to_start_seconds_sum{namespace="deploy",name="web"} 4',
      'capdeployjob_deploys_total{namespace="deploy",name="web",environment="production",result="Succeeded"} 1',
      'capdeployjob_reconcile_errors_total{kind="conflict"} 1',
      'capdeployjob_reconcile_duration_seconds_count 1',
      'capdeployjob_kube_request_errors_total{verb="list",kind="retryable"} 1',
      'capdeployjob_sqs_errors_total{code="QueueDoesNotExist"} 1',
      'capdeployjob_events_lost_total{reason="Forbidden"} 1',
      'capdeployjob_clock_skew_seconds 1.5',
      'capdeployjob_leader 1',
      'capdeployjob_leader_changes_total 1',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
  });

  it('begin at 0 where people alert on them, once a resource and its environments are known; the rest when first seen', async () => {
    const { metrics } = start();
    metrics.lanes(web, idle('production', 'staging'));
    const production = 'namespace="deploy",name="web",environment="production"';
    const staging = 'namespace="deploy",name="web",environment="staging"';
    const ofWeb = async () => (await samples(metrics, '')).filter((line) => line.includes('name="web"'));
    const fromTheStart = ['Succeeded', 'Failed', 'Aborted', 'Missed'];
    expect(await ofWeb()).toEqual([
      'capdeployjob_rejections_total{namespace="deploy",name="web"} 0',
      ...fromTheStart.map((result) => `capdeployjob_deploys_total{${production},result="${result}"} 0`),
      ...fromTheStart.map((result) => `capdeployjob_deploys_total{${staging},result="${result}"} 0`),
      ...['waiting_requests', 'active_deploys'].flatMap((name) => [
        `capdeployjob_${name}{${production}} 0`,
        `capdeployjob_${name}{${staging}} 0`,
      ]),
    ]);
    metrics.deployEnded(web, 'staging', 'Failed');
    metrics.deployEnded(web, 'staging', 'Unknown');
    metrics.messageRejected(web, 'NotJSON');
    metrics.messageRejected(web, 'WrongShape');
    metrics.lanes(web, idle('production', 'staging'));
    expect(await samples(metrics, 'rejections_total')).toEqual([
      'capdeployjob_rejections_total{namespace="deploy",name="web"} 2',
    ]);
    expect((await samples(metrics, 'deploys_total')).filter((line) => !line.endsWith(' 0'))).toEqual([
      `capdeployjob_deploys_total{${staging},result="Failed"} 1`,
      `capdeployjob_deploys_total{${staging},result="Unknown"} 1`,
    ]);
  });

  it('of failed reconciles and requests to Kubernetes begin at 0 for each verb and kind that is known beforehand', async () => {
    const kubeRequests = { verbs: ['get', 'list'], errorKinds: ['gone', 'forbidden'] };
    const metrics = new Metrics({ processMetrics: false, kubeRequests });
    metrics.kubeRequestFailed('list', 'forbidden');
    metrics.reconcileFailed('gone');
    expect(await samples(metrics, 'kube_request_errors_total')).toEqual([
      'capdeployjob_kube_request_errors_total{verb="get",kind="gone"} 0',
      'capdeployjob_kube_request_errors_total{verb="get",kind="forbidden"} 0',
      'capdeployjob_kube_request_errors_total{verb="list",kind="gone"} 0',
      'capdeployjob_kube_request_errors_total{verb="list",kind="forbidden"} 1',
    ]);
    expect(await samples(metrics, 'reconcile_errors_total')).toEqual([
      'capdeployjob_reconcile_errors_total{kind="gone"} 1',
      'capdeployjob_reconcile_errors_total{kind="forbidden"} 0',
      'capdeployjob_reconcile_errors_total{kind="unexpected"} 0',
    ]);
    expect(await samples(metrics, 'leader_changes_total')).toEqual(['capdeployjob_leader_changes_total 0']);
  });

  it('show lanes while they are there, and forget those that went and those of a resource that is gone', async () => {
    const { metrics } = start();
    metrics.lanes(web, [
      { environment: 'production', waiting: 2, active: 1 },
      { environment: 'staging', waiting: 0, active: 0 },
    ]);
    metrics.lanes(api, [{ environment: 'production', waiting: 1, active: 0 }]);
    metrics.lanes(web, [{ environment: 'production', waiting: 1, active: 1 }]);
    expect(await samples(metrics, 'waiting_requests')).toEqual([
      'capdeployjob_waiting_requests{namespace="deploy",name="web",environment="production"} 1',
      'capdeployjob_waiting_requests{namespace="deploy",name="api",environment="production"} 1',
    ]);
    metrics.resourceRemoved(web);
    expect(await samples(metrics, 'active_deploys')).toEqual([
      'capdeployjob_active_deploys{namespace="deploy",name="api",environment="production"} 0',
    ]);
  });

  it('compute the age of the last poll when they are read', async () => {
    const { clock, metrics } = start();
    metrics.queueOpened(web);
    clock.now += 30_000;
    metrics.queueOpened(web);
    metrics.queueOpened(api, 1);
    clock.now += 5000;
    expect(await samples(metrics, 'queue_last_poll_age_seconds')).toEqual([
      'capdeployjob_queue_last_poll_age_seconds{namespace="deploy",name="web"} 35',
      'capdeployjob_queue_last_poll_age_seconds{namespace="deploy",name="api"} 5',
    ]);
    metrics.queueOpened(api, 2);
    metrics.queueOpened(web, 0);
    expect(await samples(metrics, 'queue_last_poll_age_seconds')).toEqual([
      'capdeployjob_queue_last_poll_age_seconds{namespace="deploy",name="web"} 35',
      'capdeployjob_queue_last_poll_age_seconds{namespace="deploy",name="api"} 0',
    ]);
    metrics.queueClosed(api);
    metrics.resourceRemoved(web);
    expect(await samples(metrics, 'queue_last_poll_age_seconds')).toEqual([]);
  });

  it('of a resource that is gone stay for fifteen minutes, and then no label of it is left, scraped or not', async () => {
    for (const scraped of [true, false]) {
      const { clock, metrics } = start();
      for (const resource of [web, api]) {
        metrics.messagesReceived(resource);
        metrics.messageRejected(resource, 'NotJSON');
        metrics.jobCreated(resource, 1);
        metrics.jobCreateFailed(resource, 'Forbidden');
        metrics.deployStarted(resource, 1);
        for (const result of RESULTS) metrics.deployEnded(resource, 'production', result);
        metrics.lanes(resource, idle('production', 'staging'));
      }
      const ofWeb = async () => (await samples(metrics, '')).filter((line) => line.includes('name="web"'));
      const before = (await ofWeb()).length;
      metrics.resourceRemoved(web);
      clock.now += KEPT_MS - 1;
      // Without the two gauges of each environment.
      expect(await ofWeb()).toHaveLength(before - 4);
      clock.now += 1;
      if (!scraped) metrics.resourceRemoved('deploy/another');
      expect(await ofWeb()).toEqual([]);
      expect((await samples(metrics, 'deploys_total')).join()).toContain('name="api"');
    }
  });

  it('of an environment that is gone stay for fifteen minutes, and begin at 0 if it comes back later', async () => {
    const { clock, metrics } = start();
    const ofStaging = async () =>
      (await samples(metrics, '')).filter((line) => line.includes('environment="staging"')).join('\n');
    metrics.lanes(web, idle('production', 'staging'));
    metrics.deployEnded(web, 'staging', 'Failed');
    metrics.deployEnded(web, 'staging', 'Refused');
    metrics.lanes(web, idle('production'));
    clock.now += KEPT_MS - 1;
    metrics.lanes(web, idle('production'));
    expect(await ofStaging()).toMatch(/result="Failed"\} 1\n(.*\n)*.*result="Refused"\} 1$/);
    expect(await ofStaging()).not.toContain('waiting_requests');
    clock.now += 1;
    expect(await ofStaging()).toBe('');
    expect(await samples(metrics, 'deploys_total')).toHaveLength(4);
    metrics.lanes(web, idle('production', 'staging'));
    expect(await ofStaging()).toMatch(/result="Failed"\} 0\n/);
  });

  it('of an environment that comes back in time, or in which a deploy ends meanwhile, are not dropped', async () => {
    for (const meanwhile of [
      (metrics: Metrics) => metrics.lanes(web, idle('staging')),
      (metrics: Metrics) => {
        metrics.deployEnded(web, 'staging', 'Refused');
        metrics.lanes(web, []);
      },
    ]) {
      const { clock, metrics } = start();
      metrics.lanes(web, idle('staging'));
      metrics.deployEnded(web, 'staging', 'Failed');
      metrics.lanes(web, []);
      clock.now += KEPT_MS - 1;
      meanwhile(metrics);
      clock.now += KEPT_MS - 1;
      expect((await samples(metrics, 'deploys_total')).join()).toContain('result="Failed"} 1');
    }
  });

  it('of a resource that was made again meanwhile stay', async () => {
    const { clock, metrics } = start();
    metrics.messagesReceived(web);
    metrics.resourceRemoved(web);
    clock.now += 60_000;
    metrics.lanes(web, [{ environment: 'production', waiting: 0, active: 0 }]);
    clock.now += KEPT_MS;
    expect(await samples(metrics, 'messages_received_total')).toHaveLength(1);
  });

  it('take times that clocks made negative for none', async () => {
    const { metrics } = start();
    metrics.jobCreated(web, -5);
    metrics.deployStarted(web, Number.NaN);
    expect(await samples(metrics, 'message_to_job_seconds_sum')).toEqual([
      'capdeployjob_message_to_job_seconds_sum{namespace="deploy",name="web"} 0',
    ]);
    expect(await samples(metrics, 'message_to_start_seconds_count')).toEqual([
      'capdeployjob_message_to_start_seconds_count{namespace="deploy",name="web"} 1',
    ]);
  });

  it('keep labels from outside short and plain', async () => {
    const { metrics } = start();
    metrics.sqsRequestFailed(`a"b\n${'x'.repeat(200)}`);
    metrics.sqsRequestFailed('');
    const lines = await samples(metrics, 'sqs_errors_total');
    expect(lines[0]).toBe(`capdeployjob_sqs_errors_total{code="a_b_${'x'.repeat(60)}"} 1`);
    expect(lines[1]).toContain('code="unknown"');
  });

  it('tell apart so many values from outside and no more, and drop all of them with their resource', async () => {
    const { clock, metrics } = start();
    for (let i = 0; i < 60; i += 1) {
      metrics.sqsRequestFailed(`Code${i}`);
      metrics.eventLost(`Reason${i}`);
      metrics.jobCreateFailed(web, `Reason${i}`);
    }
    metrics.sqsRequestFailed('Code0');
    for (const name of ['sqs_errors_total', 'events_lost_total', 'job_create_errors_total']) {
      const lines = await samples(metrics, name);
      expect(lines).toHaveLength(51);
      expect(lines.at(-1)).toMatch(/="other"\} 10$/);
    }
    expect((await samples(metrics, 'sqs_errors_total'))[0]).toBe('capdeployjob_sqs_errors_total{code="Code0"} 2');
    metrics.resourceRemoved(web);
    clock.now += KEPT_MS;
    expect(await samples(metrics, 'job_create_errors_total')).toEqual([]);
  });

  it('have their own registry: two of them do not meet', async () => {
    const [first, second] = [start().metrics, start().metrics];
    first.messagesReceived(web);
    expect(await samples(second, 'messages_received_total{')).toEqual([]);
  });

  it('include those of the process unless told otherwise', async () => {
    expect(await new Metrics().text()).toContain('process_resident_memory_bytes');
    expect(await start().metrics.text()).not.toContain('process_resident_memory_bytes');
  });
});

describe('a scrape of 1,000 resources with three environments each', () => {
  const ENVIRONMENTS = ['production', 'staging', 'review'];
  const resources = (count: number) => Array.from({ length: count }, (_, i) => `team-deploys/repository-${i}`);
  const known = (count: number) => {
    const { metrics } = start();
    for (const resource of resources(count)) {
      metrics.lanes(resource, idle(...ENVIRONMENTS));
      metrics.queueOpened(resource, 1);
    }
    return metrics;
  };
  /** Everything that there is to count of a resource has happened to each. */
  const busy = (count: number) => {
    const metrics = known(count);
    for (const resource of resources(count)) {
      metrics.messagesReceived(resource, 100);
      for (const reason of Object.values(REJECTION)) metrics.messageRejected(resource, reason);
      metrics.jobCreated(resource, 0.123);
      metrics.jobCreateFailed(resource, 'Forbidden');
      metrics.deployStarted(resource, 1.234);
      for (const environment of ENVIRONMENTS)
        for (const result of RESULTS) metrics.deployEnded(resource, environment, result);
    }
    return metrics;
  };
  const ofResources = async (metrics: Metrics) =>
    (await samples(metrics, '')).filter((line) => line.includes('{') && line.includes('namespace='));

  it('has 2 series of each resource and 6 of each environment before anything happens, in 2.5 MB', async () => {
    const metrics = known(1000);
    expect(await ofResources(metrics)).toHaveLength(1000 * (2 + 3 * 6));
    expect(Buffer.byteLength(await metrics.text())).toBeLessThan(2_500_000);
  });

  it('has 45 of each resource and 9 of each environment when all of it has happened, in 8.5 MB', async () => {
    const metrics = busy(1000);
    expect(await ofResources(metrics)).toHaveLength(1000 * (45 + 3 * 9));
    expect(Buffer.byteLength(await metrics.text())).toBeLessThan(8_500_000);
  });

  it('lets others have their turn meanwhile (how long it takes: npm run bench:many)', async () => {
    const many = busy(1000);
    let turns = 0;
    let isOver = false;
    const others = (): void => {
      turns += 1;
      if (!isOver) setImmediate(others);
    };
    setImmediate(others);
    await many.text();
    isOver = true;
    expect(turns).toBeGreaterThan(10);
  });

  it('has nothing of them any more once all are gone', async () => {
    const { clock, metrics } = start();
    for (const resource of resources(1000)) metrics.lanes(resource, idle(...ENVIRONMENTS));
    for (const resource of resources(1000)) metrics.resourceRemoved(resource);
    clock.now += KEPT_MS;
    expect(await ofResources(metrics)).toEqual([]);
  });
});
