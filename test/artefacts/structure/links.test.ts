import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const pages = execFileSync('git', ['ls-files', '--', '*.md'], { cwd: root, encoding: 'utf8' }).trim().split('\n');

/** GitHub's anchors of the headings of a page. */
const anchorsOf = (page: string): string[] =>
  [...readFileSync(root + page, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^a-z0-9 _-]/g, '')
      .replaceAll(' ', '-'),
  );

test.each(pages)('the links of %s lead somewhere', (page) => {
  // In a code span nothing is a link.
  const text = readFileSync(root + page, 'utf8').replaceAll(/`[^`\n]*`/g, 'code');
  const links = [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)];
  const broken = links
    .map(([, link = '']) => link)
    .filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : normalize(`${dirname(page)}/${path}`);
      if (!existsSync(root + target)) return true;
      return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor);
    });
  expect(broken).toEqual([]);
});
