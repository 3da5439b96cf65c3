import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import type { Aws } from '../aws/aws-client.ts';
import type { Clock } from '../base/clock.ts';
import type { Target } from './config.ts';
import { EcrError, toEcrError } from './ecr-error.ts';
import { firstExpiry, loginsOf, type RegistryLogin } from './registry-login.ts';
import { retry } from './retry.ts';

const REQUEST_TIMEOUT_MS = 10_000;
/** If this machine's clock is wrong, the SDK's second try goes by AWS's clock. */
const SDK_ATTEMPTS = 2;
/** With waits of at most 1, 2, 4, 8, 16, 30 s, on average half of it. An account that never answers takes 3 minutes. */
const RETRY = { attempts: 7, baseMs: 1000, capMs: 30_000 };

/** Tokens are valid for 12 hours (ECR API reference). No clock is wrong by more, and Kubernetes can write the date. */
const LONGEST_LIFE_MS = 30 * 86_400_000;

/** An expired token must not replace one that works. @throws EcrError */
function checkExpiry(expiresAt: Date, now: number): void {
  const leftMs = expiresAt.getTime() - now;
  if (leftMs > 0 && leftMs <= LONGEST_LIFE_MS) return;
  throw new EcrError(
    'other',
    `ECR answered with a token whose time is not the next 12 hours (${new Date(now).toISOString()} is now): is the clock of this machine right?`,
  );
}

/**
 * Gets a token from ECR, with the target's role if it has one. Throttling, time-outs and server errors are tried again.
 * @throws EcrError, or the signal's reason.
 */
export async function getToken(
  target: Pick<Target, 'region' | 'role' | 'registryIds'>,
  { aws, clock, signal }: { aws: Aws; clock: Clock; signal: AbortSignal },
): Promise<RegistryLogin[]> {
  const { region, role, registryIds } = target;
  const client = new ECRClient(
    aws.clientConfig({ region, role, requestTimeoutMs: REQUEST_TIMEOUT_MS, maxAttempts: SDK_ATTEMPTS }),
  );
  const request = new GetAuthorizationTokenCommand(registryIds.length === 0 ? {} : { registryIds: [...registryIds] });
  try {
    return await retry(
      async () => {
        try {
          const { authorizationData = [] } = await client.send(request, { abortSignal: signal });
          const logins = loginsOf(authorizationData, registryIds);
          checkExpiry(firstExpiry(logins), clock.now());
          return logins;
        } catch (error) {
          signal.throwIfAborted();
          throw toEcrError(error);
        }
      },
      { ...RETRY, retryAfterMs: (error) => (toEcrError(error).retryable ? 0 : undefined), clock, signal },
    );
  } finally {
    client.destroy();
  }
}
