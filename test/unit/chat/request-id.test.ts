import { describe, expect, it } from 'vitest';
import { ID_PATTERN } from '../../../src/api/deploy-request.ts';
import { actorOf, idOfCommand, idOfLine, idOfView, requestedByOf } from '../../../src/chat/request-id.ts';

const TEAM = 'T0TEAM';

it('names what was typed or clicked', () => {
  expect(idOfLine(TEAM, 'C0PROD', '1764493200.000100')).toBe('slack-T0TEAM-C0PROD-1764493200.000100');
  expect(idOfView(TEAM, 'V0VIEW')).toBe('slack-T0TEAM-view-V0VIEW');
  expect(idOfCommand(TEAM, '13345224609.738474920.8088930838d88f008e0')).toBe(
    'slack-T0TEAM-cmd-13345224609.738474920.8088930838d88f008e0',
  );
});

describe('an id is one that the operator takes, and stays apart from others', () => {
  const longestTeam = `T${'X'.repeat(20)}`;
  it.each([
    ['the longest ids that we know of', 'x'.repeat(60), 'y'.repeat(60)],
    ['longer ones than we know of', `${'x'.repeat(500)}1`, `${'x'.repeat(500)}2`],
    ['letters that no id of Slack has', 'a b\u0000é', 'a b\u0000è'],
  ])('%s', (_, one, other) => {
    for (const idOf of [idOfView, idOfCommand, (team: string, end: string) => idOfLine(team, 'C0PROD', end)]) {
      const id = idOf(longestTeam, one);
      expect(id).toMatch(ID_PATTERN);
      expect(id.startsWith(`slack-${longestTeam}-`)).toBe(true);
      expect(idOf(longestTeam, one)).toBe(id);
      expect(idOf(longestTeam, other)).not.toBe(id);
    }
  });
});

it('who asks is named by ids first: a name cannot make another person of them', () => {
  expect(requestedByOf(TEAM, 'U0ALICE', 'alice')).toBe('slack:T0TEAM/U0ALICE alice');
  expect(requestedByOf(TEAM, 'U0ALICE', ' slack:T0TEAM/U0BOB')).toMatch(/^slack:T0TEAM\/U0ALICE /);
  expect(requestedByOf(TEAM, 'U0ALICE', '')).toBe(actorOf(TEAM, 'U0ALICE'));
});
