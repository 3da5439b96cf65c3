import { describe, expect, test } from 'vitest';
import { jobName } from '../../../src/api/job-name.ts';

const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

describe('the name of a request’s Job', () => {
  test('begins with resource and environment and ends in 17 characters of base32, 85 bits', () => {
    expect(jobName('web', 'production', 'r1')).toMatch(/^web-production-[a-z2-7]{17}$/);
  });

  test('is the same whenever it is asked for', () => {
    expect(jobName('web', 'production', 'r1')).toBe('web-production-f7ipezwo2becrzhpq');
  });

  test.each([
    ['an underscore', 'web', 'my_stage', /^web-my-stage-[a-z2-7]{17}$/],
    ['upper case', 'web', 'Production', /^web-production-[a-z2-7]{17}$/],
    ['a dot in the resource’s name', 'web.example', 'production', /^web-example-production-[a-z2-7]{17}$/],
  ])('with %s is still a DNS label', (_, resource, environment, expected) => {
    const name = jobName(resource, environment, 'r1');
    expect(name).toMatch(expected);
    expect(name).toMatch(DNS_LABEL);
  });

  test.each([
    [63, 1],
    [63, 50],
    [20, 24],
    [20, 25],
    [44, 50],
    [45, 50],
    [1, 1],
  ])('of a resource of %i and an environment of %i characters is no longer than 63', (resource, environment) => {
    const name = jobName('r'.repeat(resource), 'e'.repeat(environment), 'x'.repeat(128));
    expect(name.length).toBeLessThanOrEqual(63);
    expect(name).toMatch(DNS_LABEL);
  });

  test('has no double dash if the cut falls on one', () => {
    expect(jobName(`${'r'.repeat(44)}-web`, 'production', 'r1')).toMatch(/^r{44}-[a-z2-7]{17}$/);
  });

  test.each([
    ['a dash between resource and environment moves', ['a', 'b-c', 'r'], ['a-b', 'c', 'r']],
    ['a character moves from the environment to the id', ['a', 'b', 'cd'], ['a', 'bc', 'd']],
    ['a length and its delimiter are part of the id', ['a', 'b', '1:c'], ['a', 'b1:', 'c']],
    ['environments differ only in case', ['web', 'Production', 'r'], ['web', 'production', 'r']],
    ['environments differ only in dash and underscore', ['web', 'my_stage', 'r'], ['web', 'my-stage', 'r']],
    ['ids differ only in case', ['web', 'production', 'R'], ['web', 'production', 'r']],
    ['names differ only behind the cut', ['web', `${'e'.repeat(49)}1`, 'r'], ['web', `${'e'.repeat(49)}2`, 'r']],
  ] as [string, [string, string, string], [string, string, string]][])('differs where %s', (_, one, other) => {
    expect(jobName(...one)).not.toBe(jobName(...other));
  });
});
