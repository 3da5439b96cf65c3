/**
 * Who acts, as annotations and the history name him: the user name that the API server authenticates, or
 * `slack:<team>/<user>` if the chat bot vouches for a person. deploy/admission compares it with the account that
 * writes.
 */
export type Actor = string;

/** A CapDeployJob. */
export interface ResourceName {
  readonly namespace: string;
  readonly name: string;
}

/** One deploy. What its Job asks for never changes, so name and uid say what a person has seen. */
export interface DeployName {
  readonly namespace: string;
  readonly job: string;
  readonly uid: string;
}
