import { ANNOTATION, CAPDEPLOYJOBS, FREEZE_PREFIX } from '../api/names.ts';
import { slackUserOf } from '../chat/requester.ts';
import { JOBS, type KubeClient, type KubeObject, type ResourceType } from '../kube/client.ts';
import { isKubeError, isOtherUid, type KubeError } from '../kube/errors.ts';

/** What the bot does for people beyond sending messages. `freeze` is thawing, too. */
export const POWERS = ['freeze', 'abort', 'approve'] as const;
export type Power = (typeof POWERS)[number];

/** The object that a power is tried on: a CapDeployJob for `freeze`, a Job for the others. */
export interface Tried {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** The status says that a person of Slack asked for it. */
  readonly isOfSlack?: boolean;
}

export interface Finding {
  readonly why: 'notHeld' | 'botUnknown' | 'noRight' | 'unclear';
  /** For everybody in chat: it names no object but those of the one who asks. */
  readonly message: string;
  /** For the log: on which object it was tried, and what the API server said. */
  readonly detail: string;
}

/**
 * - `held`: the API server refused all of it by the rules of deploy/admission.
 * - `named`: it did, but somebody aborts this deploy, so that a delete would be right and could not be tried.
 * - `gone`: the object is not there any more.
 */
export type TryResult = 'held' | 'named' | 'gone' | Finding;

/** What must be refused, and how deploy/admission says so. */
export interface Trial {
  readonly what: string;
  /** Without a patch: a delete. */
  readonly patch?: Record<string, unknown>;
  readonly refusal: string;
}

/** Nobody's name. Even if it were stored, it would freeze nothing: no environment is called so. */
const NOBODY = 'slack-bot-self-check';
const annotations = (key: string, value: string) => ({ metadata: { annotations: { [key]: value } } });

const LABEL_JOB: Trial = {
  what: 'label a Job',
  patch: { metadata: { labels: { [NOBODY]: 'tried' } } },
  refusal: 'may patch Jobs but not update them',
};
/** No deploy would be another one by it. It is one of the few fields of a Job that the API server lets anybody change. */
const CHANGE_JOB: Trial = {
  what: 'change the spec of a Job',
  patch: { spec: { ttlSecondsAfterFinished: 2_147_483_647 } },
  refusal: 'so its spec cannot be changed',
};

/**
 * What the bot must not be able to do, by what each policy of deploy/admission promises. Only capdeployjob-chat-bot
 * cannot be tried: the bot knows no Job that is not of a deploy. The words are those of deploy/admission, and
 * test/artefacts/manifests/chat.test.ts compares them.
 * @param requestedBy who asked for the deploy, as its Job says
 */
export function trialsOf(power: Power, requestedBy: string | undefined): readonly Trial[] {
  if (power === 'freeze') return FREEZE_TRIALS;
  const ofPower = power === 'abort' ? ABORT_TRIALS : [APPROVE_AS_NOBODY, ...fourEyes(requestedBy)];
  return [LABEL_JOB, CHANGE_JOB, ...ofPower];
}

const FREEZE_TRIALS: readonly Trial[] = [
  {
    what: 'change the spec of a CapDeployJob',
    patch: { spec: { template: annotations(NOBODY, 'tried') } },
    refusal: 'may patch CapDeployJobs but not update them',
  },
  {
    what: 'freeze in the name of nobody',
    patch: annotations(`${FREEZE_PREFIX}${NOBODY}`, `${NOBODY}: tried`),
    refusal: 'must name the person for whom the chat bot freezes',
  },
];

const ABORT_TRIALS: readonly Trial[] = [
  {
    what: 'abort in the name of nobody',
    patch: annotations(ANNOTATION.abortedBy, NOBODY),
    refusal: 'the chat bot aborts for people only',
  },
  { what: 'delete a Job without the name of the one who aborts', refusal: 'before it deletes a Job' },
];

const APPROVE_AS_NOBODY: Trial = {
  what: 'approve in the name of nobody',
  patch: annotations(ANNOTATION.approvedBy, NOBODY),
  refusal: 'the chat bot approves for people only',
};

/** None for who is no user of Slack. A sender may claim anything, and what is no user id is refused in other words. */
function fourEyes(requestedBy: string | undefined): Trial[] {
  const user = slackUserOf(requestedBy);
  if (user === undefined || !/^[UW][A-Z0-9]{1,20}$/.test(user)) return [];
  return [
    {
      what: 'approve in the name of the one who asked',
      patch: annotations(ANNOTATION.approvedBy, `slack:T0/${user}`),
      refusal: 'whoever asked for a deploy cannot approve it',
    },
  ];
}

/** What deploy/admission says to whom it takes for a person. */
export const TO_A_PERSON = 'must be your own user name';

/** A Job may move between the look at it and the delete. */
const MAX_LOOKS = 3;

/** Tries, with `dryRun=All`, what the bot must not be able to do. */
export async function tryOn(client: KubeClient, power: Power, on: Tried): Promise<TryResult> {
  const dry = dryRunOf(client, power === 'freeze' ? CAPDEPLOYJOBS : JOBS, on);
  try {
    for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
      const result = power === 'freeze' ? await tryAll(dry, FREEZE_TRIALS, '') : await tryOnJob(dry, power);
      if (result !== 'moved') return result;
    }
    return unclear(dry.where, 'it changed all the time');
  } catch (error) {
    if (!isKubeError(error)) throw error;
    return isGone(error) ? 'gone' : findingOf(error, dry.where);
  }
}

async function tryOnJob(dry: DryRun, power: Power): Promise<TryResult | 'moved'> {
  const { resourceVersion = '', deletionTimestamp, annotations: found = {} } = (await dry.look()).metadata;
  if (deletionTimestamp !== undefined) return 'gone';
  const trials = trialsOf(power, found[ANNOTATION.requestedBy]);
  const isNamed = found[ANNOTATION.abortedBy] !== undefined;
  const possible = trials.filter(({ patch }) => patch !== undefined || !isNamed);
  const result = await tryAll(dry, possible, resourceVersion);
  return result === 'held' && possible.length < trials.length ? 'named' : result;
}

type DryRun = ReturnType<typeof dryRunOf>;

/** The only way in which something is tried: no request of it stores anything. */
function dryRunOf(client: KubeClient, type: ResourceType, { namespace, name, uid }: Tried) {
  const patch = (change: Record<string, unknown>): Promise<KubeObject> =>
    client.patch(type, namespace, name, { uid, anyVersion: true }, change, { dryRun: true, metadataOnly: true });
  return {
    where: `${type.kind} ${namespace}/${name}`,
    /** A patch that changes nothing answers with what is there: the bot has no right to read Jobs. */
    look: () => patch({}),
    send: async (trial: Trial, resourceVersion: string): Promise<void> => {
      if (trial.patch) await patch(trial.patch);
      else await client.delete(type, namespace, name, { uid, resourceVersion }, { dryRun: true });
    },
  };
}

async function tryAll(
  dry: DryRun,
  trials: readonly Trial[],
  resourceVersion: string,
): Promise<'held' | 'moved' | Finding> {
  for (const trial of trials) {
    try {
      await dry.send(trial, resourceVersion);
    } catch (error) {
      if (!isKubeError(error)) throw error;
      if (error.kind === 'forbidden' && error.message.includes(trial.refusal)) continue;
      if (error.kind === 'conflict') return 'moved';
      throw error;
    }
    return {
      why: 'notHeld',
      message: `the API server would let the chat bot ${trial.what}: apply deploy/admission, and give the bot's account no other rights than deploy/chat does`,
      detail: `tried on ${dry.where}`,
    };
  }
  return 'held';
}

/** Another object that has the name now is one that nobody asked about. */
const isGone = (error: KubeError): boolean => error.kind === 'gone' || isOtherUid(error);

function findingOf({ kind, message }: KubeError, where: string): Finding {
  const detail = `tried on ${where}: ${message}`;
  if (kind === 'forbidden' && message.includes(TO_A_PERSON)) {
    return {
      why: 'botUnknown',
      message:
        "deploy/admission takes the chat bot for a person: apply it together with deploy/chat/operate or deploy/chat/approve, which tell it the bot's account",
      detail,
    };
  }
  // The authorizer's words (apiserver, pkg/endpoints/handlers/responsewriters/errors.go).
  if (kind !== 'forbidden' || !/ cannot (patch|delete) resource /.test(message)) return unclear(where, message);
  return {
    why: 'noRight',
    message: "the chat bot's account lacks a right: bind the ClusterRoles of deploy/chat; the bot's log says which",
    detail,
  };
}

const unclear = (where: string, said: string): Finding => ({
  why: 'unclear',
  message:
    "it could not be found out whether deploy/admission holds the chat bot; it is tried again within a minute, and the bot's log says what the API server answered",
  detail: `tried on ${where}: ${said}`,
});
