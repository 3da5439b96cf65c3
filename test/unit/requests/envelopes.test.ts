import { describe, expect, it } from 'vitest';
import { parseMessage } from '../../../src/requests/parse-message.ts';
import { readSpec } from '../../../src/requests/read-spec.ts';
import { aCheckedResource, aMessage, anEnvelope, GOOD } from '../../kit/builders.ts';

const reading = readSpec(aCheckedResource({}));
if ('problem' in reading) throw new Error(reading.problem);
const parse = (body: unknown) => parseMessage(aMessage(body), reading, Date.parse('2026-06-01T12:00:05.000Z'));

const ARN = 'arn:aws:sns:ap-northeast-1:123456789012:deploys';
const TOKEN = `2336412f37${'0a1b2c3d4e5f'.repeat(23)}`;
const URL = `https://sns.ap-northeast-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${ARN}&Token=${TOKEN}`;
const confirmation = (Type: string, changes: object = {}) => ({
  Type,
  MessageId: '165545c9-2a5c-472c-8df2-7ff2be2b3b1b',
  Token: TOKEN,
  TopicArn: ARN,
  Message: `You have chosen to subscribe to the topic ${ARN}.\nTo confirm the subscription, visit the SubscribeURL included in this message.`,
  SubscribeURL: URL,
  Timestamp: '2026-06-01T12:00:00.000Z',
  ...changes,
});
const EVENT = {
  version: '0',
  id: '17793124-05d4-b198-2fde-7ededc63b103',
  'detail-type': 'Deploy requested',
  source: 'com.example.ci',
  account: '123456789012',
  time: '2026-06-01T12:00:00Z',
  region: 'ap-northeast-1',
  resources: [],
  detail: GOOD,
};
const S3 = { Records: [{ eventVersion: '2.1', eventSource: 'aws:s3', s3: { object: { key: 'a' } } }] };
const S3_TEST = { Service: 'Amazon S3', Event: 's3:TestEvent', Time: '2026-06-01T12:00:00Z', Bucket: 'builds' };
const PIPE = { messageId: '059f36b4', body: GOOD, eventSource: 'aws:sqs', awsRegion: 'ap-northeast-1' };
const DESTINATION = {
  version: '1.0',
  timestamp: '2026-06-01T12:00:00.000Z',
  requestContext: {
    functionArn: 'arn:aws:lambda:ap-northeast-1:123456789012:function:ci:$LATEST',
    condition: 'Success',
  },
  requestPayload: {},
  responsePayload: GOOD,
};
const ALARM = { AlarmName: 'cpu', NewStateValue: 'ALARM', OldStateValue: 'OK' };

describe('a message that is no request is rejected in words that say what it is and what to set', () => {
  it.each<[what: string, body: unknown, words: RegExp, field?: string]>([
    [
      'an EventBridge event',
      EVENT,
      /is an EventBridge event \("Deploy requested" of "com\.example\.ci"\).*InputPath .* \$\.detail/,
    ],
    [
      'one of AWS itself',
      { ...EVENT, 'detail-type': 'EC2 Instance State-change Notification', detail: {} },
      /EventBridge event/,
    ],
    ['one in an SNS notification', anEnvelope(EVENT), /^Message: is an EventBridge event/, 'Message'],
    [
      'two SNS notifications, one in the other',
      anEnvelope(anEnvelope(GOOD)),
      /within an SNS notification; set RawMessageDelivery/,
      'Message',
    ],
    [
      'an SNS notification with an object',
      anEnvelope(GOOD, { Message: GOOD }),
      /whose Message is an object; expected .* string/,
    ],
    [
      'a confirmation of a subscription',
      confirmation('SubscriptionConfirmation'),
      /SubscriptionConfirmation: another account .* as the account of the queue/,
    ],
    [
      'a confirmation of an end',
      confirmation('UnsubscribeConfirmation'),
      /UnsubscribeConfirmation: somebody has unsubscribed .* confirm-subscription/,
    ],
    ['an S3 notification', S3, /records of "aws:s3"/],
    ['one in an SNS notification', anEnvelope(S3), /^Message: .*records of "aws:s3"/, 'Message'],
    ["S3's test event", S3_TEST, /test event that S3 sends .*"builds"/],
    ['an SNS event as Lambda gets it', { Records: [{ EventSource: 'aws:sns', Sns: {} }] }, /records of "aws:sns"/],
    ['a record of a pipe', PIPE, /record of "aws:sqs", as an EventBridge pipe .* <\$\.body>/],
    ['records of a pipe', [PIPE, PIPE], /is a list; its first item is a record of "aws:sqs"/],
    ['a list of events', [EVENT], /is a list; its first item is an EventBridge event/],
    ['a Lambda destination', DESTINATION, /destination of Lambda .*function:ci:\$LATEST.*sqs:SendMessage/],
    ['a CloudWatch alarm', anEnvelope(ALARM), /CloudWatch alarm \("cpu"\)/, 'Message'],
    ['a request that was encoded twice', JSON.stringify(JSON.stringify(GOOD)), /JSON object in a JSON string/],
  ])('%s', (_, body, words, field = 'body') => {
    const { rejection } = parse(body);
    expect(rejection).toMatchObject({ reason: 'WrongShape', field, message: expect.stringMatching(words) });
    expect(rejection?.message?.startsWith(`${field}: `)).toBe(true);
  });

  it.each([
    ['on one line', JSON.stringify(GOOD)],
    ['on many', JSON.stringify(GOOD, null, 4)],
  ])('base64 of a request %s, which is no JSON', (_, text) => {
    const message = 'body: is a JSON object in base64; expected a JSON object';
    expect(parse(Buffer.from(text).toString('base64')).rejection).toMatchObject({ reason: 'NotJSON', message });
  });

  it.each([['eyJhbGciOi.JIUzI1NiJ9'], ['deploymentplease'], ['e30='], ['AAAAAAAAAAAAAAAA']])('but not %s', (body) => {
    expect(parse(body).rejection?.message).toBe('body: is not JSON; expected a JSON object');
  });

  it.each<[string, unknown]>([
    ['an empty object', {}],
    ['an event without its detail', { ...EVENT, detail: undefined }],
    ['a confirmation of nothing', { Type: 'SubscriptionConfirmation' }],
    ['records of nothing', { Records: [{}] }],
    ['no records', { Records: [] }],
    ['an alarm by name alone', { AlarmName: 'cpu' }],
    ['a context of nothing', { requestContext: null, requestPayload: {} }],
    ['inherited names', JSON.parse('{"__proto__": {"AlarmName": "a", "NewStateValue": "b"}}')],
  ])('%s is none of these', (_, body) => {
    expect(parse(body).rejection).toMatchObject({ reason: 'WrongShape', field: 'repository' });
  });
});

it.each([
  ['an EventBridge event', EVENT],
  ['S3', S3],
  ['a pipe', PIPE],
  ['a Lambda destination', DESTINATION],
  ['an alarm', ALARM],
])('what names a repository is a request, whatever it holds beside that: keys of %s', (_, more) => {
  const { id, source } = { id: 'ci-7', source: 'CI', ...GOOD };
  expect(parse({ ...more, ...GOOD, id, source }).request).toMatchObject({ ...GOOD, id, source });
});

describe('the Token of a confirmation, which would subscribe the queue to a topic', () => {
  const bodies = ['SubscriptionConfirmation', 'UnsubscribeConfirmation'].flatMap((type) =>
    [
      confirmation(type),
      // Short ones are known by their names alone; the last one is cut in the middle.
      confirmation(type, { Token: 'aB3dE6', SubscribeURL: `${URL.replace(TOKEN, 'aB3dE6')}` }),
      { Type: type, TopicArn: ARN, SubscribeURL: URL, Token: TOKEN },
      { Type: type, TopicArn: ARN, Message: 'm'.repeat(400), SubscribeURL: URL },
    ].flatMap((body) => {
      const json = JSON.stringify(body);
      // Go and Gson escape what HTML would read.
      const escaped = json.replaceAll('&', '\\u0026').replaceAll('=', '\\u003d');
      return [json, JSON.stringify(body, null, 2), JSON.stringify(anEnvelope(body)), escaped];
    }),
  );

  it.each(bodies.map((body, index): [number, string] => [index, body]))('is in no rejection (%i)', (_, body) => {
    const shown = JSON.stringify(parse(body).rejection);
    expect(shown).toContain('Confirmation');
    expect(shown).not.toContain(TOKEN.slice(0, 12));
    expect(shown).not.toContain('aB3dE6');
  });

  it('no text of a message stands in the command that is shown', () => {
    const shown = (TopicArn: string) =>
      parse(confirmation('SubscriptionConfirmation', { TopicArn })).rejection?.message;
    expect(shown(ARN)).toContain(`--topic-arn ${ARN} --token <`);
    for (const arn of [`${ARN}; reboot`, `${ARN}\n`, '$(reboot)', 'arn:aws:sns:x:1:y', `${ARN}${'a'.repeat(300)}`]) {
      expect(shown(arn)).toContain('--topic-arn <its ARN> --token <');
    }
    // The beginning of an ARN is the ARN of another topic.
    expect(shown(ARN.padEnd(160, 'a'))).toContain(`--topic-arn ${ARN.padEnd(160, 'a')} --token <`);
    expect(shown(ARN.padEnd(161, 'a'))).toContain('--topic-arn <its ARN> --token <');
  });
});
