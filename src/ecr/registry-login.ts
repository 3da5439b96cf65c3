import type { AuthorizationData } from '@aws-sdk/client-ecr';
import { EcrError } from './ecr-error.ts';

/** What a container runtime needs to pull from one registry. */
export interface RegistryLogin {
  /** As image names begin: `123456789012.dkr.ecr.ap-northeast-1.amazonaws.com`. */
  readonly host: string;
  readonly username: string;
  /** Never shown. */
  readonly password: string;
  /** 12 hours after it was asked for. */
  readonly expiresAt: Date;
}

/** In all partitions a registry's host begins with its account (ECR user guide, "Private registry"). */
const ACCOUNT_HOST = /^[0-9]{12}(?=\.)/;
const HOST = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$/;

/**
 * The logins in ECR's response to GetAuthorizationToken: of the registries in the request, or else of all in the
 * response.
 *
 * The request's registryIds are deprecated: "The returned authorization token can be used to access any Amazon ECR
 * registry that the IAM principal has access to" (ECR API reference). They still decide which hosts AWS names. If a
 * server ignores them, a host is made of one that it names and the other account: the token is the same.
 * @throws EcrError if the response is not as in the API reference.
 */
export function loginsOf(data: readonly AuthorizationData[], registryIds: readonly string[]): RegistryLogin[] {
  const answered = data.map(loginOf);
  const [first] = answered;
  if (first === undefined) throw unexpected('without any authorizationData');
  if (registryIds.length === 0) return answered;
  return registryIds.map((id) => {
    const own = answered.find(({ host }) => host.startsWith(`${id}.`));
    if (own) return own;
    const pattern = answered.find(({ host }) => ACCOUNT_HOST.test(host));
    if (!pattern) throw unexpected(`for ${answered.map(({ host }) => host).join(', ')}, not for registry ${id}`);
    return { ...pattern, host: pattern.host.replace(ACCOUNT_HOST, id) };
  });
}

function loginOf({ authorizationToken, expiresAt, proxyEndpoint }: AuthorizationData): RegistryLogin {
  const host = (proxyEndpoint ?? '').replace(/^https?:\/\//, '').replace(/\/+$/, '');
  if (!HOST.test(host)) throw unexpected('with a proxyEndpoint that names no host');
  if (!(expiresAt instanceof Date) || Number.isNaN(expiresAt.getTime())) throw unexpected('without expiresAt');
  const [, username, password] =
    /^([^:]+):(.+)$/s.exec(Buffer.from(authorizationToken ?? '', 'base64').toString('utf8')) ?? [];
  if (username === undefined || password === undefined) throw unexpected('without a token of the form user:password');
  return { host, username, password, expiresAt };
}

const unexpected = (how: string): EcrError => new EcrError('other', `ECR answered ${how}`);

/** When the first of the logins expires. */
export const firstExpiry = (logins: readonly { expiresAt: Date }[]): Date =>
  new Date(Math.min(...logins.map(({ expiresAt }) => expiresAt.getTime())));
