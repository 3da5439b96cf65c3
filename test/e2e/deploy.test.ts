import { beforeAll, it } from 'vitest';
import { type Deployable, openSite, type Site } from './site.ts';

let site: Site;
let web: Deployable;
beforeAll(async () => {
  site = await openSite();
  web = await site.deployable('web');
});
it('x', async () => {
  const t = Date.now();
  const e = await web.deploy({ revision: 'v1.0.0' });
  console.log(
    e,
    Date.now() - t,
    await site.log(e.job),
    site.web1.log(),
    site.git.ssh.log(),
    site.web1
      .written()
      .filter((f) => !f.includes('.git'))
      .slice(0, 80),
  );
  const t2 = Date.now();
  console.log((await web.deploy({ revision: 'v1.0.1' })).result, Date.now() - t2, site.web1.read('/var/www/timeline'));
});
