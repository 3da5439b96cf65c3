import { describe, expect, it } from 'vitest';
import { OwnRights } from '../../../src/slack-bot/own-rights.ts';

const patchJobs = { verb: 'patch', group: 'batch', resource: 'jobs' };
const rule = (over: object = {}) => ({ verbs: ['get', 'patch'], apiGroups: ['batch'], resources: ['jobs'], ...over });
const may = (rules: object[], ask: object = {}) => new OwnRights(rules, true).may({ ...patchJobs, ...ask });

describe('OwnRights', () => {
  it.each<[string, object, object, 'yes' | 'no']>([
    ['a verb of the rule', {}, {}, 'yes'],
    ['another verb', {}, { verb: 'delete' }, 'no'],
    ['another group', {}, { group: 'apps' }, 'no'],
    ['another resource', {}, { resource: 'cronjobs' }, 'no'],
    ['a wildcard for the verb', { verbs: ['*'] }, {}, 'yes'],
    ['wildcards for all', { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, {}, 'yes'],
    ['a rule for some names, and none is meant', { resourceNames: ['web'] }, {}, 'no'],
    ['a rule for some names, and one of them is meant', { resourceNames: ['web'] }, { name: 'web' }, 'yes'],
    ['a rule for some names, and another one is meant', { resourceNames: ['web'] }, { name: 'api' }, 'no'],
    ['a rule for all names, and one is meant', { resourceNames: [] }, { name: 'web' }, 'yes'],
    ['a rule for a subresource only', { resources: ['jobs/status'] }, {}, 'no'],
    ['a rule of a path', { apiGroups: undefined, resources: undefined }, {}, 'no'],
  ])('%s', (_, over, ask, expected) => {
    expect(may([rule(over)], ask)).toBe(expected);
  });

  it('needs one rule that holds as a whole: two halves are none', () => {
    expect(may([rule({ verbs: ['get'] }), rule({ resources: ['pods'] })])).toBe('no');
  });

  it('is not sure of a no if the API server could not list all rules', () => {
    expect(new OwnRights([], false).may(patchJobs)).toBe('unknown');
    expect(new OwnRights([rule()], false).may(patchJobs)).toBe('yes');
  });
});
