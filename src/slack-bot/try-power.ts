import { ANNOTATION, CAPDEPLOYJOBS, FREEZE_PREFIX } from '../api/names.ts';
import { JOBS, type KubeClient, type ResourceType } from '../kube/client.ts';
import { isKubeError, type KubeError } from '../kube/errors.ts';

/** What the bot does for people beyond sending messages. `freeze` is thawing, too. */
export const POWERS = ['freeze', 'abort', 'approve'] as const;
export type Power = (typeof POWERS)[number];

/** The object that a power is tried on: a CapDeployJob for `freeze`, a Job for the others. */
export interface Tried {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface Finding {
  readonly why: 'notHeld' | 'botUnknown' | 'noRight' | 'unclear';
  readonly message: string;
}

/** A change that must be refused, and how deploy/admission says so. */
interface Trial {
  what: string;
  patch: { metadata: { labels?: Record<string, string>; annotations?: Record<string, string> } };
  refusal: string;
}

/** Nobody's name. Even if it were stored, it would freeze nothing: no environment is called so. */
const NOBODY = 'slack-bot-self-check';
const label = { metadata: { labels: { [NOBODY]: 'tried' } } };
const annotation = (key: string, value: string) => ({ metadata: { annotations: { [key]: value } } });

/** The words are those of deploy/admission. test/artefacts/manifests/chat.test.ts compares them. */
export const TRIALS: Readonly<Record<Power, { type: ResourceType; trials: readonly Trial[] }>> = {
  freeze: {
    type: CAPDEPLOYJOBS,
    trials: [
      { what: 'label it', patch: label, refusal: 'may patch CapDeployJobs but not update them' },
      {
        what: 'freeze in the name of nobody',
        patch: annotation(`${FREEZE_PREFIX}${NOBODY}`, `${NOBODY}: tried`),
        refusal: 'must name the person for whom the chat bot freezes',
      },
    ],
  },
  abort: {
    type: JOBS,
    trials: [
      { what: 'label it', patch: label, refusal: 'may patch Jobs but not update them' },
      {
        what: 'abort in the name of nobody',
        patch: annotation(ANNOTATION.abortedBy, NOBODY),
        refusal: 'the chat bot aborts for people only',
      },
    ],
  },
  approve: {
    type: JOBS,
    trials: [
      { what: 'label it', patch: label, refusal: 'may patch Jobs but not update them' },
      {
        what: 'approve in the name of nobody',
        patch: annotation(ANNOTATION.approvedBy, NOBODY),
        refusal: 'the chat bot approves for people only',
      },
    ],
  },
};

/** What deploy/admission says to whom it takes for a person. */
export const TO_A_PERSON = 'must be your own user name';

/**
 * Tries, with `dryRun=All`, what the bot must not be able to do.
 * @returns `held` if the API server refuses all of it by the rules of deploy/admission; `gone` if the object is not
 *   there any more
 */
export async function tryOn(client: KubeClient, power: Power, on: Tried): Promise<'held' | 'gone' | Finding> {
  const { type, trials } = TRIALS[power];
  for (const trial of trials) {
    try {
      const { namespace, name, uid } = on;
      await client.patch(type, namespace, name, { uid, anyVersion: true }, trial.patch, {
        dryRun: true,
        metadataOnly: true,
      });
    } catch (error) {
      if (!isKubeError(error)) throw error;
      if (isGone(error)) return 'gone';
      if (error.kind === 'forbidden' && error.message.includes(trial.refusal)) continue;
      return findingOf(error, on);
    }
    return {
      why: 'notHeld',
      message: `the API server would let the chat bot ${trial.what} (${type.kind} ${on.namespace}/${on.name}): apply deploy/admission, and give the bot's account no other rights than deploy/chat does`,
    };
  }
  return 'held';
}

/** Another object that has the name now is one that nobody asked about. */
const isGone = ({ kind, message }: KubeError): boolean =>
  kind === 'gone' || (kind === 'invalid' && message.includes('metadata.uid'));

function findingOf({ kind, message }: KubeError, { namespace, name }: Tried): Finding {
  if (kind === 'forbidden' && message.includes(TO_A_PERSON)) {
    return {
      why: 'botUnknown',
      message: `deploy/admission takes the chat bot in ${namespace} for a person: apply it together with deploy/chat/operate or deploy/chat/approve, which tell it the bot's account`,
    };
  }
  // The authorizer's words (apiserver, pkg/endpoints/handlers/responsewriters/errors.go).
  const isRights = kind === 'forbidden' && / cannot patch resource /.test(message);
  return { why: isRights ? 'noRight' : 'unclear', message: `tried on ${namespace}/${name}: ${message}` };
}
