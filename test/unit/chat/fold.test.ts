import { describe, expect, it } from 'vitest';
import { fold } from '../../../src/chat/fold.ts';

const TYPED = 'deploy -r web -e production -h v1.0.0';

describe('a line that looks like the command, and is none byte for byte', () => {
  it.each([
    ['no-break spaces (0xa0)', 'deploy\u00a0-r\u00a0web -e production\u00a0-h v1.0.0'],
    ['ideographic spaces (U+3000)', 'deploy\u3000-r\u3000web\u3000-e\u3000production\u3000-h\u3000v1.0.0'],
    ['thin and narrow spaces', 'deploy\u2009-r\u202fweb -e\u2007production -h v1.0.0'],
    ['full-width letters', 'ｄｅｐｌｏｙ　－ｒ　ｗｅｂ　－ｅ　ｐｒｏｄｕｃｔｉｏｎ　－ｈ　ｖ１．０．０'],
    ['en dashes', 'deploy –r web –e production –h v1.0.0'],
    ['em dashes before a letter', 'deploy —r web —e production —h v1.0.0'],
    ['minus signs', 'deploy −r web −e production −h v1.0.0'],
    ['the prolonged sound mark of a Japanese keyboard', 'deploy ーr web ーe production ーh v1.0.0'],
    ['half-width prolonged sound marks', 'deploy ｰr web ｰe production ｰh v1.0.0'],
    ['non-breaking hyphens', 'deploy ‑r web ‑e production ‑h v1.0.0'],
    ['zero-width spaces and a byte order mark', '\ufeffdeploy -r we\u200bb -e pro\u200dduction -h v1.0.\u20600'],
    ['soft hyphens', 'deploy -r web -e pro\u00adduction -h v1.0.0'],
    ['changes of direction', '\u202edeploy\u202c -r web -e production -h \u2066v1.0.0\u2069'],
    ['backticks', '`deploy -r web -e production -h v1.0.0`'],
    ['a block of code', '```\ndeploy -r web -e production -h v1.0.0\n```'],
    ['line ends and tabs', 'deploy -r web\r\n\t-e production\n-h v1.0.0\n'],
    ['the next-line character', 'deploy -r web\u0085-e production -h v1.0.0'],
    ['tags and variation selectors', 'deploy -r web\u{e0041} -e production\ufe0f -h v1.0.0'],
    ['control characters', 'deploy -r we\u0007b -e production\u0000 -h v1.0.0'],
  ])('%s', (_, pasted) => {
    expect(fold(pasted)).toBe(TYPED);
  });

  it.each([
    ['an em dash of two hyphens', 'deploy —env production', 'deploy --env production'],
    ['two em dashes', 'deploy ——env production', 'deploy --env production'],
    ['an en dash before a long option', 'deploy –env production', 'deploy --env production'],
    ['a hyphen and an en dash', 'deploy -–env production', 'deploy --env production'],
    ['full-width hyphens', 'deploy －－ｅｎｖ production', 'deploy --env production'],
    ['double smart quotes', '--reason “fix the basket”', '--reason "fix the basket"'],
    ['single smart quotes', '--reason ‘fix the basket’', "--reason 'fix the basket'"],
    ['low and angled quotes', '--reason „fix‟ «basket»', '--reason "fix" "basket"'],
  ])('%s', (_, pasted, typed) => {
    expect(fold(pasted)).toBe(typed);
  });
});

describe("Slack's own marks", () => {
  it.each([
    ['a link that Slack made of a host', '-r <http://web.example.com|web.example.com>', '-r web.example.com'],
    ['a link without a label', '--reason <https://example.com/42>', '--reason https://example.com/42'],
    ['a mail address', '-r <mailto:git@example.com|git@example.com>', '-r git@example.com'],
    ['a channel', '-e <#C0PROD|production>', '-e production'],
    ['a group', '--reason "ask <!subteam^S0DEVS|@devs>"', '--reason "ask @devs"'],
    ['a mention without a name', '--reason "for <@U0ALICE>"', '--reason "for <@U0ALICE>"'],
    ['entities', '--reason "a &lt;b&gt; &amp; c"', '--reason "a <b> & c"'],
    ['an entity that was typed', '--reason "&amp;lt;"', '--reason "&lt;"'],
  ])('%s', (_, sent, typed) => {
    expect(fold(sent)).toBe(typed);
  });
});

describe('what was typed right stays', () => {
  it.each([
    TYPED,
    'deploy web production feature/no-cart--v2 --task puma:phased-restart',
    'deploy -r livesense/web -e staging_2 -h v1.0.0+build.7@x --reason "fix #42: café, 50 % off; a - b"',
    "freeze web production it's incident 42",
    'deploy web production v1.0.0 --reason "a --- b"',
    'デプロイ web production v1.0.0',
    'freeze web production カートの修正',
  ])('%s', (line) => {
    expect(fold(line)).toBe(line);
  });
});
