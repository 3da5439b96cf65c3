import { describe, expect, it } from 'vitest';
import { checkMessageBlocks } from '../../../../dev/local-slack/block-kit/blocks.ts';
import { ALICE, aWeb, BOB, CONFIG, FakeBot, FILE_CONFIG, render } from '../fake-bot.ts';

const inJapanese = { profiles: { [ALICE]: { language: 'ja' } } } as const;

describe('whoami', () => {
  it('names the rules that match here by their place, and why not the others', async () => {
    const fake = new FakeBot();
    expect(await fake.ask('whoami')).toMatchInlineSnapshot(`
      "You are ⟦@alice⟧ in ⟦#prod⟧.
      Rules that match you here:
      • rules[1] deploy, retry, rollback, abort, approve, freeze, status, history, queue · deploy/web · staging, production
      Other rules:
      • rules[0] deploy, retry, status, history, queue · for other channels"
    `);
    expect(await fake.ask('whoami', { user: BOB })).toMatchInlineSnapshot(`
      "You are ⟦@bob⟧ in ⟦#prod⟧.
      No rule matches you here.
      Other rules:
      • rules[0] deploy, retry, status, history, queue · for other channels
      • rules[1] deploy, retry, rollback, abort, approve, freeze, status, history, queue · for other people"
    `);
    expect(fake.decisions).toMatchObject([{ verb: 'whoami', outcome: 'done' }, {}]);
  });

  it('in Japanese', async () => {
    expect(await new FakeBot(inJapanese).ask('whoami')).toMatchInlineSnapshot(`
      "ユーザー: ⟦@alice⟧、チャンネル: ⟦#prod⟧
      このチャンネルであなたに適用されるルール:
      • rules[1] deploy、retry、rollback、abort、approve、freeze、status、history、queue · deploy/web · staging、production
      ほかのルール:
      • rules[0] deploy、retry、status、history、queue · ほかのチャンネル用"
    `);
  });

  it('never says whom else a rule names', async () => {
    const fake = new FakeBot();
    for (const channel of ['C0PROD', 'C0DEPLOYS', 'C0X']) {
      const { blocks } = await fake.answer('whoami', { user: BOB, channel });
      expect(JSON.stringify(blocks)).not.toMatch(/U0ALICE|S0RELEASE|S0DEVS/);
    }
  });

  it('says what Slack does not say', async () => {
    const fake = new FakeBot({ config: CONFIG.replace(`users: [${ALICE}]`, '') });
    fake.facts.failing.add('groups');
    expect(await fake.ask('whoami')).toContain('Slack does not say just now whether you are in one of its groups');
    fake.facts.failing.add('person');
    expect(await fake.ask('whoami')).toContain('⚠ Slack does not say who you are just now');
    expect(await fake.ask('whoami')).not.toContain('rules[');
    fake.facts.failing.delete('person');
    fake.facts.failing.add('channel');
    expect(await fake.ask('whoami')).toContain('⚠ Slack does not say what this channel is just now');
    expect(fake.decisions.map(({ outcome }) => outcome)).toEqual(['done', ...Array(3).fill('lookupFailed')]);
  });

  it('tells guests and strangers nothing', async () => {
    const fake = new FakeBot();
    fake.facts.people.set(ALICE, { isGuest: true });
    expect(await fake.ask('whoami')).toBe('Nothing was done: guests may not do this. Ask a member of the workspace.');
    expect(await fake.ask('help')).toBe('Nothing was done: guests may not do this. Ask a member of the workspace.');
  });

  it('explains some of five hundred rules', async () => {
    const rule = CONFIG.slice(CONFIG.indexOf('  - may'), CONFIG.indexOf('  - may', CONFIG.indexOf('  - may') + 1));
    const fake = new FakeBot({ config: CONFIG + rule.repeat(498) });
    const answer = await fake.answer('whoami', { channel: 'C0DEPLOYS' });
    expect(checkMessageBlocks(answer.blocks, '/blocks')).toEqual([]);
    expect(answer.text).toContain('… and 479 more.');
    expect(answer.text).toContain('• rules[1] ');
  });
});

describe('help', () => {
  it('names the commands and places of the one who asks', async () => {
    const fake = new FakeBot();
    expect(await fake.ask('help')).toMatchInlineSnapshot(`
      "Begin a line with my name, or use the slash command:
      deploy -r web -e production -h v1.0.0 [-t task] [--reason "…"] [--at 19:30 | --in 30m] – deploys; what is missing is asked for in a form
      retry web production [job] – deploys the same again
      rollback web production [job] – deploys the revision that was there before
      abort web production [job] – ends a deploy, or takes it from the queue
      approve web production [job] – approves a deploy that waits for it
      freeze web production incident 42 – nothing starts until somebody unfreezes it
      unfreeze web production – ends a freeze
      status [repository] – what runs, what waits, and why
      queue web – what waits, in order, with buttons
      history web [production] – what ended last
      whoami – which rules there are for you, and why not the others
      help – this
      Here you may use:
      • livesense/web: production, staging"
    `);
    expect(await fake.ask('help', { user: BOB, channel: 'C0DEPLOYS' })).toMatchInlineSnapshot(`
      "Begin a line with my name, or use the slash command:
      deploy -r web -e production -h v1.0.0 [-t task] [--reason "…"] [--at 19:30 | --in 30m] – deploys; what is missing is asked for in a form
      retry web production [job] – deploys the same again
      status [repository] – what runs, what waits, and why
      queue web – what waits, in order, with buttons
      history web [production] – what ended last
      whoami – which rules there are for you, and why not the others
      help – this
      Here you may use:
      • livesense/web: production, staging"
    `);
    expect(fake.decisions).toMatchObject([{ verb: 'help', outcome: 'done' }, {}]);
  });

  it('in Japanese', async () => {
    expect(await new FakeBot(inJapanese).ask('help')).toMatchInlineSnapshot(`
      "行の先頭でこのボットにメンションするか、スラッシュコマンドを使ってください:
      deploy -r web -e production -h v1.0.0 [-t task] [--reason "…"] [--at 19:30 | --in 30m] – デプロイします。足りない項目はフォームで尋ねます
      retry web production [job] – 同じ内容をもう一度デプロイします
      rollback web production [job] – 以前のリビジョンに戻します
      abort web production [job] – 実行中のデプロイを中止するか、待機中のものを取り消します
      approve web production [job] – 承認待ちのデプロイを承認します
      freeze web production incident 42 – 環境を凍結します(解除するまで何も開始しません)
      unfreeze web production – 凍結を解除します
      status [repository] – 実行中・待機中のデプロイと待機の理由を表示します
      queue web – 待機中のデプロイを順番に、ボタン付きで表示します
      history web [production] – 最近終了したデプロイを表示します
      whoami – あなたに適用されるルールと、ほかのルールが適用されない理由を表示します
      help – このヘルプを表示します
      ここで使えるもの:
      • livesense/web: production、staging"
    `);
  });

  it('says what the bot itself may not do, each reason once', async () => {
    const resources = [aWeb(), aWeb(undefined, { metadata: { name: 'web2' } })];
    const fake = new FakeBot({ config: CONFIG.replace('[deploy/web]', '["*"]'), resources });
    fake.powers = { freeze: true, abort: true, approve: 'the policies are not there' };
    expect(await fake.ask('help')).toContain(
      '⚠ The bot itself may not approve in deploy/web, deploy/web2: the policies are not there',
    );
  });

  it('of a bot outside the cluster names what works', async () => {
    const said = await new FakeBot({ config: FILE_CONFIG }).ask('help');
    expect(said).toContain('Only deploy, whoami and help work.');
    expect(said).not.toMatch(/abort|freeze|status/);
  });

  it('for who may nothing', async () => {
    const said = await new FakeBot().ask('help', { channel: 'C0X' });
    expect(said).toContain('Here no rule lets you use any target. whoami says why.');
    expect(said).not.toContain('web');
  });

  it('says so if Slack does not know the groups', async () => {
    const fake = new FakeBot({ config: CONFIG.replace(`users: [${ALICE}]`, '') });
    fake.facts.failing.add('groups');
    expect(await fake.ask('help')).toContain('⚠ Could not ask Slack for all of your groups');
  });

  it('with five hundred targets fits into a message', async () => {
    const resources = Array.from({ length: 500 }, (_, place) =>
      aWeb(undefined, { metadata: { name: `web${place}` }, spec: { repositories: [`l/${'w'.repeat(130)}${place}`] } }),
    );
    const fake = new FakeBot({ config: CONFIG.replace('[deploy/web]', '["*"]'), resources });
    fake.powers = { freeze: 'f'.repeat(500), abort: 'a'.repeat(500), approve: 'p'.repeat(500) };
    const answer = await fake.answer('help');
    expect(checkMessageBlocks(answer.blocks, '/blocks')).toEqual([]);
    expect(render(answer)).toContain('… and 490 more.');
    expect(JSON.stringify(answer.blocks)).toContain('The bot itself may not approve');
  });
});
