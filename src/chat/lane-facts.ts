import type { Requester } from './requester.ts';

/** What a form shows of an environment, as a status says it. Times are RFC 3339. */
export interface LaneFacts {
  /** The last deploy that succeeded: what runs there. */
  readonly current: { readonly revision: string; readonly by: Requester; readonly finishedAt: string } | undefined;
  /** What ended after it and may have changed the revision. */
  readonly unsure: (Asked & { readonly result: string }) | undefined;
  /** What has the lane just now; `why` it has no running container yet. */
  readonly active:
    | (Asked & { readonly by: Requester; readonly since: string; readonly why?: string | undefined })
    | undefined;
  readonly waiting: readonly Asked[];
  readonly frozen: { readonly text: string } | undefined;
  readonly closed: { readonly why: string; readonly until: string | undefined } | undefined;
  /** Milliseconds. */
  readonly usualMs: number | undefined;
}

interface Asked {
  readonly task: string;
  readonly revision?: string | undefined;
}
