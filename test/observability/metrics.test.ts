import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/observability/metrics.ts';

const web = { namespace: 'deploy', name: 'web' };
const api = { namespace: 'deploy', name: 'api' };

/** The samples whose name begins so, without comments. */
async function samples(metrics: Metrics, prefix: string): Promise<string[]> {
  return (await metrics.text()).split('\n').filter((line) => line.startsWith(`capdeployjob_${prefix}`));
}

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
        metrics.deployEnded(resource, 'production', 'Succeeded');
      }
      const ofWeb = async () => (await samples(metrics, '')).filter((line) => line.includes('name="web"'));
      const before = (await ofWeb()).length;
      metrics.resourceRemoved(web);
      clock.now += 15 * 60_000 - 1;
      expect(await ofWeb()).toHaveLength(before);
      clock.now += 1;
      if (!scraped) metrics.resourceRemoved({ namespace: 'deploy', name: 'another' });
      expect(await ofWeb()).toEqual([]);
      expect((await samples(metrics, 'deploys_total')).join()).toContain('name="api"');
    }
  });

  it('of a resource that was made again meanwhile stay', async () => {
    const { clock, metrics } = start();
    metrics.messagesReceived(web);
    metrics.resourceRemoved(web);
    clock.now += 60_000;
    metrics.lanes(web, [{ environment: 'production', waiting: 0, active: 0 }]);
    clock.now += 15 * 60_000;
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
