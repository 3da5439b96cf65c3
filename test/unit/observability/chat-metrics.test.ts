import { expect, test } from 'vitest';
import { ChatMetrics } from '../../../src/observability/chat-metrics.ts';

const samples = async (metrics: ChatMetrics): Promise<string[]> =>
  (await metrics.text()).split('\n').filter((line) => /^capdeployjob_(?!slack_ack_seconds_bucket)/.test(line));

test('chat counts what happened under the names and labels that users rely on', async () => {
  const metrics = new ChatMetrics({ processMetrics: false });
  metrics.requested('deploy', 'ok');
  metrics.requested('deploy', 'noRule');
  metrics.slackConnected(true);
  metrics.slackAcknowledged(0.02);
  metrics.slackAcknowledged(-1);
  metrics.slackHandlerFailed('mention');
  metrics.slackCallFailed('users.info', 'ratelimited');
  metrics.slackSentAsPlainText();
  metrics.configReloaded(false);
  expect(await samples(metrics)).toEqual([
    'capdeployjob_chat_requests_total{verb="deploy",outcome="ok"} 1',
    'capdeployjob_chat_requests_total{verb="deploy",outcome="noRule"} 1',
    'capdeployjob_slack_connected 1',
    'capdeployjob_slack_ack_seconds_sum 0.02',
    'capdeployjob_slack_ack_seconds_count 2',
    'capdeployjob_slack_handler_errors_total{kind="mention"} 1',
    'capdeployjob_slack_call_errors_total{method="users.info",code="ratelimited"} 1',
    'capdeployjob_config_reloads_total{success="true"} 0',
    'capdeployjob_config_reloads_total{success="false"} 1',
    'capdeployjob_slack_plain_text_total 1',
  ]);
});

test('what was asked for begins at 0', async () => {
  const metrics = new ChatMetrics({ processMetrics: false, verbs: ['deploy', 'abort'] });
  expect((await samples(metrics)).filter((line) => line.includes('chat_requests'))).toEqual([
    'capdeployjob_chat_requests_total{verb="deploy",outcome="done"} 0',
    'capdeployjob_chat_requests_total{verb="abort",outcome="done"} 0',
  ]);
});

test('codes from outside stay few', async () => {
  const metrics = new ChatMetrics({ processMetrics: false });
  for (let count = 0; count < 200; count += 1) metrics.slackCallFailed('users.info', `code_${count}`);
  expect((await samples(metrics)).filter((line) => line.includes('call_errors'))).toHaveLength(51);
});

test('the process is measured too', async () => {
  expect(await new ChatMetrics().text()).toContain('process_cpu_seconds_total');
});
