import { SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it, test } from 'vitest';
import {
  isOriginAllowed,
  isQueueAllowed,
  matchesGlob,
  parseAllowedOrigin,
  parseAllowQueue,
} from '../../../src/sqs/allow-queue.ts';
import { canonicalQueue, parseQueueUrl, type QueueUrl, queueArn } from '../../../src/sqs/queue-url.ts';

function queueUrl(value: string): QueueUrl {
  const parsed = parseQueueUrl(value);
  if ('problem' in parsed) throw new Error(`${value} ${parsed.problem}`);
  return parsed;
}

const PATH = '/123456789012/web-deploy';

describe('the origins of SQS itself', () => {
  it.each([
    ['regional', 'https://sqs.ap-northeast-1.amazonaws.com', 'ap-northeast-1'],
    ['the European Sovereign Cloud', 'https://sqs.eusc-de-east-1.amazonaws.eu', 'eusc-de-east-1'],
    ['a region of secret partitions', 'https://sqs.us-isob-east-1.sc2s.sgov.gov', 'us-isob-east-1'],
    ['regional with the default port written out', 'https://sqs.us-east-1.amazonaws.com:443', 'us-east-1'],
    ['regional in capitals', 'https://SQS.US-EAST-1.AmazonAWS.com', 'us-east-1'],
    ['GovCloud', 'https://sqs.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
    ['FIPS', 'https://sqs-fips.us-east-2.amazonaws.com', 'us-east-2'],
    ['dual-stack', 'https://sqs.eu-west-1.api.aws', 'eu-west-1'],
    ['FIPS dual-stack', 'https://sqs-fips.us-west-2.api.aws', 'us-west-2'],
    ['China', 'https://sqs.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
    ['China dual-stack', 'https://sqs.cn-northwest-1.api.amazonwebservices.com.cn', 'cn-northwest-1'],
    ['China legacy', 'https://cn-north-1.queue.amazonaws.com.cn', 'cn-north-1'],
    ['legacy with a region', 'https://us-west-2.queue.amazonaws.com', 'us-west-2'],
    ['the oldest, without a region', 'https://queue.amazonaws.com', 'us-east-1'],
  ])('%s: %s is one, of region %s', (_, origin, region) => {
    const url = queueUrl(origin + PATH);
    expect(url).toMatchObject({ official: true, region, accountId: '123456789012', name: 'web-deploy', fifo: false });
    expect(isOriginAllowed(url, new Set())).toBe(true);
  });

  it.each([
    ['plain http', 'http://sqs.us-east-1.amazonaws.com'],
    ['another port', 'https://sqs.us-east-1.amazonaws.com:8443'],
    ['a host that only begins like one', 'https://sqs.us-east-1.amazonaws.com.evil.example'],
    ['a host that only ends like one', 'https://sqs.us-east-1.amazonaws.com-evil.example'],
    ['a name before it', 'https://evil.sqs.us-east-1.amazonaws.com'],
    ['a bucket of that name', 'https://sqs.us-east-1.s3.amazonaws.com'],
    ['a trailing dot', 'https://sqs.us-east-1.amazonaws.com.'],
    ['China without .cn', 'https://sqs.cn-north-1.amazonaws.com'],
    ['another region under .cn', 'https://sqs.us-east-1.amazonaws.com.cn'],
    ['the European Sovereign Cloud at the host of others', 'https://sqs.eusc-de-east-1.amazonaws.com'],
    ['another region at the host of the European Sovereign Cloud', 'https://sqs.eu-west-1.amazonaws.eu'],
    ['a secret region at the host of others', 'https://sqs.us-iso-east-1.amazonaws.com'],
    ['a region before the service', 'https://us-east-1.sqs.amazonaws.com'],
    ['no region', 'https://sqs..amazonaws.com'],
    ['a loopback address', 'http://127.0.0.1:9324'],
    ['the metadata service', 'http://169.254.169.254'],
  ])('%s: %s is none', (_, origin) => {
    const url = queueUrl(origin + PATH);
    expect(url.official).toBe(false);
    expect(isOriginAllowed(url, new Set())).toBe(false);
    expect(isOriginAllowed(url, new Set([url.origin]))).toBe(true);
    expect(isOriginAllowed(url, new Set([`${url.origin}0`]))).toBe(false);
  });
});

test.each([
  ...['ap-northeast-1', 'mx-central-1', 'us-gov-west-1', 'us-gov-east-1', 'cn-north-1', 'cn-northwest-1'],
  ...['eusc-de-east-1', 'us-iso-east-1', 'us-isob-east-1', 'eu-isoe-west-1', 'us-isof-south-1'],
])('of region %s they are those that the AWS SDK itself sends to', (region) => {
  for (const useFipsEndpoint of [false, true]) {
    for (const useDualstackEndpoint of [false, true]) {
      const client = new SQSClient({ region });
      const { url } = client.config.endpointProvider({
        Region: region,
        UseFIPS: useFipsEndpoint,
        UseDualStack: useDualstackEndpoint,
      });
      client.destroy();
      expect(queueUrl(url.origin + PATH)).toMatchObject({ official: true, region });
    }
  }
});

describe('a queue URL', () => {
  it.each([
    ['is no URL', 'sqs'],
    ['has another scheme', 'ftp://sqs.us-east-1.amazonaws.com/123456789012/q'],
    ['has no path', 'https://sqs.us-east-1.amazonaws.com'],
    ['has no account at an origin of SQS', 'https://sqs.us-east-1.amazonaws.com/q'],
    ['has an account of 11 digits at an origin of SQS', 'https://sqs.us-east-1.amazonaws.com/12345678901/q'],
    ['has a longer path at an origin of SQS', 'https://sqs.us-east-1.amazonaws.com/1/123456789012/q'],
    ['goes up', 'https://sqs.us-east-1.amazonaws.com/111111111111/../222222222222/q'],
    ['goes up in escapes', 'https://sqs.us-east-1.amazonaws.com/111111111111/%2e%2e/q'],
    ['goes up elsewhere', 'http://127.0.0.1:9324/a/../123456789012/q'],
    ['has a backslash', 'https://sqs.us-east-1.amazonaws.com\\@evil.example/123456789012/q'],
    ['has credentials', 'https://user:secret@sqs.us-east-1.amazonaws.com/123456789012/q'],
    ['has a query', 'https://sqs.us-east-1.amazonaws.com/123456789012/q?Action=DeleteQueue'],
    ['has a fragment', 'https://sqs.us-east-1.amazonaws.com/123456789012/q#x'],
    ['has a blank', 'https://sqs.us-east-1.amazonaws.com/123456789012/q q'],
    ['has a dot of another alphabet', 'https://sqs.us-east-1.amazonaws\u3002com/123456789012/q'],
    ['has letters of another width', 'https://ｓｑｓ.us-east-1.amazonaws.com/123456789012/q'],
    ['has an address in another notation', 'http://0x7f.1:9324/123456789012/q'],
    ['has escapes in its host', 'https://sqs%2eus-east-1.amazonaws.com/123456789012/q'],
    ['has noughts before its port', 'http://127.0.0.1:09324/123456789012/q'],
    ['ends in a slash', 'https://sqs.us-east-1.amazonaws.com/123456789012/q/'],
    ['has a name of 81 characters', `https://sqs.us-east-1.amazonaws.com/123456789012/${'q'.repeat(81)}`],
    ['has a name with a dot', 'https://sqs.us-east-1.amazonaws.com/123456789012/q.txt'],
  ])('that %s is refused', (_, value) => {
    expect(parseQueueUrl(value)).toEqual({ problem: expect.any(String) });
  });

  it('of a FIFO queue is told by its name', () => {
    expect(queueUrl('https://sqs.us-east-1.amazonaws.com/123456789012/q.fifo').fifo).toBe(true);
  });

  it('is sent as it was judged', () => {
    expect(queueUrl('HTTPS://SQS.us-east-1.amazonaws.com:443/123456789012/Q').href).toBe(
      'https://sqs.us-east-1.amazonaws.com/123456789012/Q',
    );
    expect(queueUrl('http://127.0.0.1:9324/queue/q').href).toBe('http://127.0.0.1:9324/queue/q');
  });

  it.each([
    ['amazonaws.com', 'eu-central-1', 'eu-central-1'],
    ['amazonaws.com.cn', 'cn-north-1', 'cn-north-1'],
    ['amazonaws.eu', 'eusc-de-east-1', 'eusc-de-east-1'],
    ['amazonaws.com', 'eusc-de-east-1', undefined],
    ['example.com', 'eu-central-1', undefined],
    ['amazonaws.com', 'tokyo', undefined],
  ])(
    'names its region where it is a VPC endpoint of %s, in %s: %s; its origin must be allowed',
    (suffix, label, region) => {
      const url = queueUrl(`https://vpce-0abc-def.sqs.${label}.vpce.${suffix}${PATH}`);
      expect(url).toMatchObject({ official: false, region });
    },
  );

  it('means one queue, however its host is written', () => {
    const hosts = ['sqs.us-east-1.amazonaws.com', 'sqs-fips.us-east-1.api.aws', 'queue.amazonaws.com'];
    expect(new Set(hosts.map((host) => canonicalQueue(queueUrl(`https://${host}${PATH}`)))).size).toBe(1);
  });

  it('means two queues at two origins that are not of SQS', () => {
    expect(canonicalQueue(queueUrl(`http://127.0.0.1:1${PATH}`))).not.toBe(
      canonicalQueue(queueUrl(`http://127.0.0.1:2${PATH}`)),
    );
  });
});

describe('the ARN that rules are held against', () => {
  it.each([
    ['https://sqs.us-east-1.amazonaws.com', 'eu-west-1', 'arn:aws:sqs:us-east-1:123456789012:web-deploy'],
    ['https://sqs.cn-north-1.amazonaws.com.cn', undefined, 'arn:aws-cn:sqs:cn-north-1:123456789012:web-deploy'],
    ['https://sqs.us-gov-east-1.amazonaws.com', undefined, 'arn:aws-us-gov:sqs:us-gov-east-1:123456789012:web-deploy'],
    ['https://sqs.eusc-de-east-1.amazonaws.eu', undefined, 'arn:aws-eusc:sqs:eusc-de-east-1:123456789012:web-deploy'],
    ['http://127.0.0.1:9324', 'us-iso-east-1', 'arn:aws-iso:sqs:us-iso-east-1:123456789012:web-deploy'],
    ['http://127.0.0.1:9324', 'eu-isoe-west-1', 'arn:aws-iso-e:sqs:eu-isoe-west-1:123456789012:web-deploy'],
    ['http://127.0.0.1:9324', 'eu-west-1', 'arn:aws:sqs:eu-west-1:123456789012:web-deploy'],
    ['http://127.0.0.1:9324', undefined, undefined],
  ])('of a queue at %s, with the region %s resolved, is %s', (origin, region, arn) => {
    expect(queueArn(queueUrl(origin + PATH), region)).toBe(arn);
  });

  it('is not known if the path names no account', () => {
    expect(queueArn(queueUrl('http://127.0.0.1:9324/queue/q'), 'eu-west-1')).toBeUndefined();
  });
});

describe('--allow-queue', () => {
  const rules = ['deploy=arn:aws:sqs:*:123456789012:web-*', 'other=*'].map(parseAllowQueue);

  it.each([
    ['a queue that a rule of the namespace matches', 'deploy', 'arn:aws:sqs:us-east-1:123456789012:web-deploy', true],
    ['a queue of another account', 'deploy', 'arn:aws:sqs:us-east-1:999999999999:web-deploy', false],
    ['a queue of another name', 'deploy', 'arn:aws:sqs:us-east-1:123456789012:api', false],
    ['a namespace without a rule', 'elsewhere', 'arn:aws:sqs:us-east-1:123456789012:web-deploy', false],
    ['a namespace that may read all', 'other', 'arn:aws:sqs:eu-west-1:999999999999:x', true],
    ['an unknown ARN, even where all is allowed', 'other', undefined, false],
  ])('judges %s', (_, namespace, arn, allowed) => {
    expect(isQueueAllowed(namespace, arn, rules)).toBe(allowed);
  });

  it('allows everything if no rule is given', () => {
    expect(isQueueAllowed('any', undefined, [])).toBe(true);
  });

  it.each(['deploy', '=arn:*', 'Deploy=arn:*', 'deploy=', 'deploy=web-*', 'deploy=arn:aws:sqs:*:1:a b', '*=*'])(
    'refuses %j with an error that shows it',
    (value) => {
      expect(() => parseAllowQueue(value)).toThrow(JSON.stringify(value));
    },
  );

  it.each([
    ['a*c', 'abbbc', true],
    ['a*c', 'abbb', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['*', '', true],
    ['', '', true],
    ['a.c', 'abc', false],
    ['*b*b*', 'abab', true],
  ])('matches the glob %j with %j: %s', (glob, text, matches) => {
    expect(matchesGlob(glob, text)).toBe(matches);
  });

  it('takes no time on a glob that makes a backtracking matcher hang', () => {
    expect(matchesGlob('*a'.repeat(200), `${'a'.repeat(199)}b`.repeat(10))).toBe(false);
  });
});

describe('--allow-queue-origin', () => {
  it.each([
    ['http://127.0.0.1:9324', 'http://127.0.0.1:9324'],
    ['https://sqs.internal.example/', 'https://sqs.internal.example'],
    ['HTTPS://SQS.internal.example:443', 'https://sqs.internal.example'],
    ['http://[::1]:9324', 'http://[::1]:9324'],
  ])('reads %s as %s', (value, origin) => {
    expect(parseAllowedOrigin(value)).toBe(origin);
  });

  it.each(['http:127.0.0.1:9324', 'http:/127.0.0.1', ' http://host', 'http://ho\tst', 'http://0x7f.1', 'http://ｈost'])(
    'refuses %j, which only URL takes for an origin',
    (value) => {
      expect(() => parseAllowedOrigin(value)).toThrow(JSON.stringify(value));
    },
  );

  it.each(['sqs.internal.example', 'https://host/path', 'https://u:p@host', 'ftp://host', 'https://host?x', '', '*'])(
    'refuses %j with an error that shows it',
    (value) => {
      expect(() => parseAllowedOrigin(value)).toThrow(JSON.stringify(value));
    },
  );
});
