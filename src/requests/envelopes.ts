import { describe } from '../text/escape.ts';

/**
 * What AWS puts on a queue by itself, or around a request, known by its shape. The words say what it is and what to
 * set. It is only called for what is no deploy request.
 *
 * The shapes are those of AWS's documentation:
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html (events),
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-source.html (pipes),
 * https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html (notifications, confirmations),
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html (S3),
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html (destinations).
 */

type Body = Record<string, unknown>;

interface Envelope {
  is(body: Body): boolean;
  /** Follows the name of the field: "is …; …". Never a Token or URL: more people read a status than a queue. */
  words(body: Body): string;
}

const CONFIRMATIONS = ['SubscriptionConfirmation', 'UnsubscribeConfirmation'];

/** The first one that fits counts. */
const ENVELOPES: readonly Envelope[] = [
  {
    is: (body) => CONFIRMATIONS.includes(stringOf(body, 'Type')) && stringOf(body, 'TopicArn') !== '',
    words: describeConfirmation,
  },
  {
    is: (body) => stringOf(body, 'Type') === 'Notification' && memberOf(body, 'Message') !== undefined,
    words: (body) =>
      typeof memberOf(body, 'Message') === 'string'
        ? 'is an SNS notification within an SNS notification; set RawMessageDelivery to true on the subscription of this queue, so that one of the two is left'
        : `is an SNS notification whose Message is ${describe(memberOf(body, 'Message'))}; expected the request in it as a string of JSON`,
  },
  {
    is: (body) =>
      stringOf(body, 'detail-type') !== '' && stringOf(body, 'source') !== '' && memberOf(body, 'detail') !== undefined,
    words: (body) =>
      `is an EventBridge event (${describeMember(body, 'detail-type')} of ${describeMember(body, 'source')}); if its detail is the request, set InputPath of the rule's target to $.detail, else make a request of it with an InputTransformer`,
  },
  {
    is: (body) => stringOf(body, 'Event') === 's3:TestEvent',
    words: (body) =>
      `is the test event that S3 sends when the notifications of a bucket (${describeMember(body, 'Bucket')}) are pointed to a queue; they hold no requests: point them to another queue`,
  },
  {
    is: (body) => sourceOfRecord(memberOf(body, 'Records')) !== undefined,
    words: (body) =>
      `is a list of records of ${describe(sourceOfRecord(memberOf(body, 'Records')))}, such as S3 sends when an object was stored; it holds no request: point these notifications to another queue`,
  },
  {
    is: (body) => sourceOfRecord([body]) !== undefined,
    words: (body) =>
      `is a record of ${describe(sourceOfRecord([body]))}, as an EventBridge pipe sends it; give the pipe's target an InputTemplate that leaves the request, such as <$.body> for a record of SQS`,
  },
  {
    is: (body) => isObject(memberOf(body, 'requestContext')) && memberOf(body, 'requestPayload') !== undefined,
    words: (body) =>
      `is what a destination of Lambda sends of an invocation (${describeMember(memberOf(body, 'requestContext') as Body, 'functionArn')}); it cannot be given another form: let the function send the request itself (sqs:SendMessage)`,
  },
  {
    is: (body) => stringOf(body, 'AlarmName') !== '' && stringOf(body, 'NewStateValue') !== '',
    words: (body) =>
      `is a CloudWatch alarm (${describeMember(body, 'AlarmName')}); it holds no request: take this queue off the topic of alarms, or set a filter policy on its subscription`,
  },
];

/** @returns what an object without a deploy request is, and what to do; undefined if its shape is not known here. */
export function describeEnvelope(body: Body): string | undefined {
  return ENVELOPES.find(({ is }) => is(body))?.words(body);
}

/** @returns what JSON that is no object is, and what to do; undefined if its shape is not known here. */
export function describeNoObject(value: unknown): string | undefined {
  if (typeof value === 'string' && /^\s*\{/.test(value))
    return 'is a JSON object in a JSON string: it was encoded twice';
  const [first] = Array.isArray(value) ? value : [];
  const words = isObject(first) ? describeEnvelope(first) : undefined;
  return words && `is a list; its first item ${words}`;
}

/** @returns true if a text that is no JSON begins like the base64 of a JSON object. */
export function isBase64OfObject(body: string): boolean {
  // Twelve bytes: the brace, blanks of any usual indent, and the quote of the first key.
  const start = body.slice(0, 16);
  return /^[A-Za-z0-9+/]{16}$/.test(start) && /^\s*\{\s*"/.test(Buffer.from(start, 'base64').toString('latin1'));
}

/**
 * A subscription by the account that owns the queue needs no confirmation
 * (https://docs.aws.amazon.com/sns/latest/dg/sns-send-message-to-sqs-cross-account.html). So another account made this
 * one, and a person has to judge whose topic it is.
 */
function describeConfirmation(body: Body): string {
  const arn = stringOf(body, 'TopicArn');
  // It goes into a command: nothing that a shell interprets. Never a part of it, which is the ARN of another topic.
  const isShown =
    arn.length <= 160 && /^arn:aws[a-z-]*:sns:[a-z0-9-]{1,32}:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$/.test(arn);
  const topic = isShown ? arn : '<its ARN>';
  const isNew = stringOf(body, 'Type') === 'SubscriptionConfirmation';
  const what = isNew
    ? 'another account has subscribed this queue to a topic, which sends nothing before that is confirmed; if the topic is yours'
    : 'somebody has unsubscribed this queue from a topic, which sends nothing more; if nobody was to do that';
  const orElse = isNew ? ', or subscribe as the account of the queue, which needs no confirmation' : '';
  return `is SNS's ${stringOf(body, 'Type')}: ${what}: aws sns confirm-subscription --topic-arn ${topic} --token <the message's Token, which is not shown here>${orElse}`;
}

/** The service that wrote a list of records: S3, SQS and most others write eventSource, SNS EventSource. */
function sourceOfRecord(records: unknown): string | undefined {
  const [first] = Array.isArray(records) ? records : [];
  if (!isObject(first)) return undefined;
  return stringOf(first, 'eventSource') || stringOf(first, 'EventSource') || undefined;
}

export const memberOf = (object: Body, key: string): unknown => (Object.hasOwn(object, key) ? object[key] : undefined);

/** A member if it is a string, else ''. */
function stringOf(object: Body, key: string): string {
  const value = memberOf(object, key);
  return typeof value === 'string' ? value : '';
}

const describeMember = (object: Body, key: string): string => describe(memberOf(object, key));

const isObject = (value: unknown): value is Body =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
