// Run before every npm script, by whatever Node comes first on the path: this file must stay plain JavaScript that an old Node can read.
// `npm ci` puts a Node of its own into node_modules (the package "node"), which npm scripts find first. That takes an install script: after
// `npm ci --ignore-scripts` the system's Node is found instead, and if that is too old everything else fails in words that help nobody.
import { readFileSync } from 'node:fs';

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const [major, minor] = engines.node.match(/\d+/g).map(Number);
const [foundMajor, foundMinor] = process.versions.node.split('.').map(Number);

if (foundMajor < major || (foundMajor === major && foundMinor < minor)) {
  console.error(
    `Node ${engines.node} is needed and this is ${process.versions.node}: run "npm ci" with install scripts allowed (without --ignore-scripts), ` +
      'which puts a newer Node into node_modules',
  );
  process.exitCode = 1;
}
