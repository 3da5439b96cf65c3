import { type KubeClient, type KubeObject, SELF_SUBJECT_RULES_REVIEWS } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';

/** One rule of an answer (authorization/v1 ResourceRule). */
interface ResourceRule {
  verbs?: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
}

interface RulesReview extends KubeObject {
  spec: { namespace: string };
  status?: { resourceRules?: ResourceRule[]; incomplete?: boolean };
}

/** What is asked for. Without a name: any object of the resource. */
export interface Ask {
  verb: string;
  group: string;
  resource: string;
  name?: string;
}

/** `unknown`: no rule says so, but the API server cannot list all rules, as with a webhook that authorizes. */
export type Answer = 'yes' | 'no' | 'unknown';

/** What this program's own account may do in one namespace. */
export class OwnRights {
  readonly #rules: readonly ResourceRule[];
  readonly #isWhole: boolean;

  constructor(rules: readonly ResourceRule[], isWhole: boolean) {
    this.#rules = rules;
    this.#isWhole = isWhole;
  }

  may({ verb, group, resource, name }: Ask): Answer {
    const holds = (list: readonly string[] = [], value: string) => list.includes('*') || list.includes(value);
    const isAllowed = this.#rules.some(
      ({ verbs, apiGroups, resources, resourceNames = [] }) =>
        holds(verbs, verb) &&
        holds(apiGroups, group) &&
        holds(resources, resource) &&
        (resourceNames.length === 0 || (name !== undefined && resourceNames.includes(name))),
    );
    if (isAllowed) return 'yes';
    return this.#isWhole ? 'no' : 'unknown';
  }
}

/**
 * Asks the API server what this program's account may do in a namespace, by a SelfSubjectRulesReview. Everybody may ask
 * that (the ClusterRole system:basic-user).
 * @see https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-rules-review-v1/
 * @throws KubeError if the API server does not answer or refuses the question
 */
export async function readOwnRights(client: KubeClient, namespace: string): Promise<OwnRights> {
  const review: RulesReview = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: SELF_SUBJECT_RULES_REVIEWS.kind,
    // The review itself has neither name nor namespace.
    metadata: { name: '' },
    spec: { namespace },
  };
  try {
    const { status } = await client.create(SELF_SUBJECT_RULES_REVIEWS, review);
    return new OwnRights(status?.resourceRules ?? [], status?.incomplete === false);
  } catch (error) {
    // A server without RBAC has no such resource.
    if (isKubeError(error, 'gone')) return new OwnRights([], false);
    throw error;
  }
}
