import { describe, expect, it } from 'vitest';
import { environmentOf, findTarget, nearestOf, type Target } from '../../../src/chat/target.ts';

const target = (name: string, ...repositories: string[]): Target => ({
  name,
  repositories: repositories as unknown as Target['repositories'],
  tasks: ['deploy'],
  environments: [{ name: 'production', isProtected: true, needsConfirmation: false }],
  resource: undefined,
});

const WEB = target('deploy/web', 'livesense/web');
const SHOP = target('deploy/shop', 'livesense/basket', 'livesense/checkout');
const TARGETS = [WEB, SHOP, target('other/api', 'acme/api')];

describe('a target is found', () => {
  it.each([
    ['its repository', 'livesense/web', 'deploy/web', 'livesense/web'],
    ['the last part of its repository', 'web', 'deploy/web', 'livesense/web'],
    ['namespace and name', 'other/api', 'other/api', 'acme/api'],
    ['another of its repositories', 'livesense/checkout', 'deploy/shop', 'livesense/checkout'],
    ['the last part of another repository', 'checkout', 'deploy/shop', 'livesense/checkout'],
    ['its name, with its first repository', 'shop', 'deploy/shop', 'livesense/basket'],
  ])('by %s', (_, found, name, repository) => {
    expect(findTarget(TARGETS, found)).toMatchObject({ target: { name }, repository });
  });

  it('by namespace and name, whatever others call their repositories', () => {
    const targets = [WEB, target('other/thief', 'deploy/web', 'web')];
    expect(findTarget(targets, 'deploy/web')).toMatchObject({ target: { name: 'deploy/web' } });
  });
});

describe('a target is not found', () => {
  it('if several fit: they are named', () => {
    const targets = [WEB, target('other/web', 'acme/web')];
    const problem = { kind: 'ambiguous', found: 'web', targets: ['deploy/web', 'other/web'] };
    expect(findTarget(targets, 'web')).toEqual({ problem });
    // Whoever makes a CapDeployJob elsewhere and calls its repository so does not get what is meant for the first.
    const thief = [WEB, target('other/web', 'web')];
    expect(findTarget(thief, 'web')).toEqual({ problem });
    const twins = [WEB, target('other/web', 'livesense/web')];
    expect(findTarget(twins, 'livesense/web')).toMatchObject({ problem: { kind: 'ambiguous' } });
  });

  it.each([
    ['webb', 'web'],
    ['Web', 'web'],
    ['livesense/wbe', 'livesense/web'],
    ['something-else', undefined],
    ['', undefined],
  ])('if none is called %j; the nearest is %j', (found, nearest) => {
    expect(findTarget(TARGETS, found)).toEqual({ problem: { kind: 'unknown', found, nearest } });
  });

  it('if there is none at all', () => {
    expect(findTarget([], 'web')).toEqual({ problem: { kind: 'unknown', found: 'web', nearest: undefined } });
  });
});

it('the nearest of long hostile names takes no time', () => {
  const found = 'a'.repeat(140);
  const names = Array.from({ length: 500 }, (_, place) => `${'b'.repeat(130)}/${place}`);
  expect(nearestOf(found, names)).toBeUndefined();
});

it('an environment is found by its name, letter by letter', () => {
  expect(environmentOf(WEB, 'production')?.isProtected).toBe(true);
  expect(environmentOf(WEB, 'Production')).toBeUndefined();
});
