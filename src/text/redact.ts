/**
 * Takes secrets out of text before more people can read it, for example before the end of a log goes into a status.
 *
 * It knows shapes of secrets; what has none of them stays. docs/status.md, "Secrets in texts", lists them by the
 * program that prints them, and test/unit/text/credential-lines.ts has lines of each. Time is linear in any text: each
 * pattern starts at a fixed word, runs over one class of characters or is bounded; the rest is plain code.
 */

import { clean, printable, tail } from './printable.ts';
import { redactCommands } from './secret-commands.ts';
import { SECRET_NAME } from './secret-names.ts';
import { redactCredentials, redactPairs } from './secret-pairs.ts';
import { isTokenAlone, MARK, redactPair } from './secret-values.ts';

export { clean } from './printable.ts';

/** The text with `[redacted]` for each secret. Never throws. Escape sequences hide secrets: call `clean` first. */
export function redactSecrets(text: string): string {
  let result = redactCommands(redactUrls(redactPrivateKeys(text)));
  for (const [pattern, replacement] of SHAPES) result = result.replace(pattern, replacement);
  result = result.replace(BUNDLE_CONFIG, (_, command: string, value: string) => command + redactCredentials(value));
  return redactPairs(
    result.replace(BASE64_RUN, (run: string, at: number, text: string) =>
      looksRandom(run) && !isPublic(run, at, text) ? MARK : run,
    ),
  );
}

/** At most `maxBytes` of the end, cleaned. Redacted before it is cut: half of a password has no known shape. */
export function redactTail(text: string, maxBytes: number): string {
  return tail(redactSecrets(clean(text.slice(-(Math.max(0, maxBytes) * 16 + 65_536)))), maxBytes);
}

/** At most `maxBytes` of the start, cleaned. Redacted before it is cut. */
export function redactHead(text: string, maxBytes: number): string {
  return printable(redactSecrets(clean(text.slice(0, Math.max(0, maxBytes) * 16 + 4096))), maxBytes);
}

/** scheme://user:password@host, to the last @ before the path. */
const URL_PAIR = /:\/\/([^\s/:@"'<>]{0,256}):([^\s/"'<>]{0,4096})@/g;
/** A password with a slash, as in DATABASE_URL. If it begins with a port, it is a path. A user has no dot. */
const URL_SLASH =
  /:\/\/([^\s/:@"'<>[\].]{1,64}):(?!\d{1,5}[/?#])([^\s"'<>@/]{0,128}\/[^\s"'<>@]{0,128})@(?=[A-Za-z0-9])/g;
/** scheme://token@host */
const URL_TOKEN = /(?<![a-z])([a-z]{0,16})(:\/\/)([A-Za-z0-9_.~-]{20,512})(?=@)/gi;

const redactUrls = (text: string): string =>
  text
    .replace(URL_PAIR, (_, user: string, password: string) => `://${redactPair(user, ':', password)}@`)
    .replace(URL_SLASH, (_, user: string, password: string) => `://${redactPair(user, ':', password)}@`)
    .replace(URL_TOKEN, (all: string, scheme: string, slashes: string, user: string) =>
      isTokenAlone(scheme, user) ? `${scheme}${slashes}${MARK}` : all,
    );

/** Not within a longer word. To `\b` an underscore is a letter. */
const START = '(?<![A-Za-z0-9])';
const shape = (source: string, flags = 'g'): RegExp => new RegExp(START + source, flags);

const SHAPES: [pattern: RegExp, replacement: string][] = [
  // "Bearer realm=" is a server's challenge, and "bearer token" plain words.
  [
    shape(
      '(bearer\\s{1,8})(?!(?:realm|error|scope|tokens?|auth[a-z]*|schemes?|headers?|credentials?|challenge|format|method)(?![A-Za-z0-9]))[A-Za-z0-9+/=_.~:-]{6,}',
      'gi',
    ),
    `$1${MARK}`,
  ],
  // base64 of `user:password`; "basic authentication" in plain words has no capital and no digit.
  [shape('([Bb]asic\\s{1,8})(?=[a-z+/]{0,512}[A-Z0-9=])[A-Za-z0-9+/]{6,}={0,2}'), `$1${MARK}`],
  // AWS access key ids (IAM user guide, "unique ID prefixes"), and session tokens of STS.
  [shape('(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}'), MARK],
  [shape('(?:FwoG|IQoJ|FQoG|AQoD)[A-Za-z0-9+/=_%-]{40,}'), MARK],
  // GitHub, GitLab, Bitbucket and Atlassian, Azure DevOps and Entra, Slack.
  [shape('(?:gh[oprsu]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,})'), MARK],
  [shape('gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent|oas|ffct)-[A-Za-z0-9_.-]{10,}'), MARK],
  [shape('(?:AT(?:BB|CTT3|ATT3)[A-Za-z0-9_=-]{20,}|BBDC-[A-Za-z0-9+/]{20,})'), MARK],
  [shape('[A-Za-z0-9]{64,80}AZDO[A-Za-z0-9]{4}'), MARK],
  [shape('[A-Za-z0-9_~.-]{3}\\dQ~[A-Za-z0-9_~.-]{31,34}'), MARK],
  [shape('(?:xox[a-z]|xapp)-[A-Za-z0-9.-]{8,}'), MARK],
  // Addresses that are secrets: they alone allow to post.
  [/(hooks\.slack\.com\/)[A-Za-z0-9/_-]{8,}/g, `$1${MARK}`],
  [/(discord(?:app)?\.com\/api\/(?:v\d{1,2}\/)?webhooks\/)[A-Za-z0-9/_-]{8,}/g, `$1${MARK}`],
  [/(webhook\.office\.com\/webhookb2\/)[A-Za-z0-9/@_-]{8,}/g, `$1${MARK}`],
  [/(api\.telegram\.org\/bot)\d{4,16}:[A-Za-z0-9_-]{16,}/g, `$1${MARK}`],
  // npm, Stripe, Google, Docker Hub, PyPI, RubyGems, DigitalOcean, HashiCorp, Hugging Face, `sk-…`, SendGrid, age.
  [shape('npm_[A-Za-z0-9]{30,}'), MARK],
  [
    shape(
      '(?:[rs]k_live_|[rs]k_test_|whsec_|AIza|ya29\\.|GOCSPX-|dckr_[po]at_|pypi-A|rubygems_|do[opr]_v1_|hv[sbr]\\.|hf_)[A-Za-z0-9_-]{16,}',
    ),
    MARK,
  ],
  [shape('sk-(?=[a-z0-9_-]{0,40}[A-Z])[A-Za-z0-9_-]{16,}'), MARK],
  [shape('SG\\.[A-Za-z0-9_-]{16,64}\\.[A-Za-z0-9_-]{16,}'), MARK],
  [shape('AGE-SECRET-KEY-1[A-Z0-9]{16,}'), MARK],
  // JSON Web Tokens: base64url of `{"`. Parts may be missing where it was cut off.
  [shape('eyJ[A-Za-z0-9_-]{8,}(?:\\.[A-Za-z0-9_-]*){0,4}'), MARK],
  // The Token of SNS's confirmations, also after "=" escaped by JSON. A digest has at most 128 digits (SHA-512).
  [/(?<![0-9a-f])[0-9a-f]{129,}/gi, MARK],
  // Signatures of Azure, keys of Google: in a URL only.
  [/([?&;](?:amp;)?(?:sig|key|code|jwt|hmac)=)[A-Za-z0-9%+/=_.~-]{20,}/gi, `$1${MARK}`],
  // ~/.netrc, also over several lines; ~/.pgpass; ~/.curlrc
  [shape('((?:login\\s{1,8}\\S{1,128}|machine\\s{1,8}\\S{1,128})\\s{1,8}password\\s{1,8})\\S{1,512}'), `$1${MARK}`],
  [/^([A-Za-z*][A-Za-z0-9.-]{0,128}:(?:54\d\d|6432|\*):[^:\s]{1,64}:[^:\s]{1,64}:)\S{1,512}/gm, `$1${MARK}`],
  [/^([ \t]{0,8}(?:proxy-)?user[ \t]{0,8}[=:]?[ \t]{0,8}"[^":\n]{1,128}:)[^"\n]{1,256}/gm, `$1${MARK}`],
  // XML: Maven's settings, answers of AWS.
  [new RegExp(`(<[A-Za-z0-9_:-]{0,32}${SECRET_NAME}[^<>\\n]{0,64}>)[^<>\\s][^<>\\n]{0,2048}(?=</)`, 'gi'), `$1${MARK}`],
  // SQL, and the commands of Redis.
  [
    /((?:identified(?: with \S{1,64})? by|(?:with|encrypted|user \S{1,64}|role \S{1,64}) password)\s{1,8})(?:'[^'\n]{1,256}'|"[^"\n]{1,256}")/gi,
    `$1${MARK}`,
  ],
  [/(config set (?:requirepass|masterauth)\s{1,8})\S{1,512}/gi, `$1${MARK}`],
  // sqlplus user/password@database, and Oracle's URLs.
  [
    /((?:sqlplus|sqlldr|expdp|impdp)(?: -\S{1,16}){0,4}\s{1,8}["']?[A-Za-z0-9_$#]{1,64}\/)[^\s@"']{1,256}/g,
    `$1${MARK}`,
  ],
  [/(jdbc:oracle:thin:[A-Za-z0-9_$#]{1,64}\/)[^\s@"']{1,256}(?=@)/g, `$1${MARK}`],
  // openssl's `pass:`; the keys that `bin/rails db:encryption:init` prints.
  [/(-pass(?:in|out)? pass:)\S{1,512}/g, `$1${MARK}`],
  [/(primary_key: {1,4})(?=[a-z]{0,32}[A-Z0-9])[A-Za-z0-9]{32}(?![A-Za-z0-9])/g, `$1${MARK}`],
];

/** bundle config set gems.example.com user:password */
const BUNDLE_CONFIG =
  /(bundle config(?: (?:set|--global|--local)){0,3} (?!(?:build|local|mirror|gem)\.)(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24} )([^\s/~.-]\S{0,511})/g;

/** AWS secret access keys have 40 characters and no prefix; lines of a PEM block 64 and more. */
const BASE64_RUN = /[A-Za-z0-9+/]{40,}={0,2}/g;

/**
 * Digests in base64, by what stands before them. OpenSSH's are of public keys: after a deploy that failed for a changed
 * host key, a person has to compare them. The others are of packages, in npm's lock file and Go's sums. The length is
 * fixed, and so are the unused bits of the last character.
 */
const DIGESTS: readonly [before: string, digest: RegExp][] = [
  ['SHA256:', /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]$/],
  ['sha256-', /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/],
  ['sha384-', /^[A-Za-z0-9+/]{64}$/],
  ['sha512-', /^[A-Za-z0-9+/]{85}[AQgw]==$/],
  ['h1:', /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/],
];
/** A public key (RFC 4253) begins with the length of its algorithm's name, a private key does not. */
const PUBLIC_KEY = /(?:^|[\s"'])(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-nistp\d{3}) $/;

const isPublic = (run: string, at: number, text: string): boolean =>
  DIGESTS.some(
    ([before, digest]) =>
      digest.test(run) &&
      text.startsWith(before, at - before.length) &&
      !/[A-Za-z0-9_+/=.-]/.test(text.charAt(at - before.length - 1)) &&
      !/[A-Za-z0-9_+/=-]/.test(text.charAt(at + run.length)),
  ) ||
  (run.startsWith('AAAA') && PUBLIC_KEY.test(text.slice(Math.max(0, at - 24), at)));

/** Random data has capitals, small letters and digits. Hexadecimal digests, long words and paths have not. */
function looksRandom(run: string): boolean {
  const slashes = run.split('/').length - 1;
  return /[A-Z]/.test(run) && /[a-z]/.test(run) && /[0-9]/.test(run) && slashes * 13 <= run.length;
}

/** Characters of a PEM block; an END further away belongs to another block. The largest RSA keys in use have 13 KB. */
const LONGEST_KEY = 32_768;
const KEY_BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const KEY_END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const KEY_LINE = /(?:Proc-Type|DEK-Info|Version|Comment|Hash): [^\n]{0,200}|[A-Za-z0-9+/=\\]+|\s+/y;

/**
 * Whole blocks, also with a logger's prefix on each line. Of a block without END, what can be base64. A block without
 * BEGIN is left to BASE64_RUN.
 */
function redactPrivateKeys(text: string): string {
  const parts: string[] = [];
  let position = 0;
  KEY_BEGIN.lastIndex = 0;
  KEY_END.lastIndex = 0;
  let end: RegExpExecArray | null | undefined;
  for (let begin = KEY_BEGIN.exec(text); begin !== null; begin = KEY_BEGIN.exec(text)) {
    const body = KEY_BEGIN.lastIndex;
    // Each END is searched for once, also if many BEGINs stand before it: linear time.
    while (end !== null && (end === undefined || end.index < body)) end = KEY_END.exec(text);
    const whole = end !== null && end !== undefined && end.index - body <= LONGEST_KEY;
    parts.push(text.slice(position, begin.index), MARK);
    position = whole ? end!.index + end![0].length : endOfBase64(text, body);
    KEY_BEGIN.lastIndex = position;
  }
  parts.push(text.slice(position));
  return parts.join('');
}

function endOfBase64(text: string, from: number): number {
  let position = from;
  for (;;) {
    KEY_LINE.lastIndex = position;
    if (!KEY_LINE.test(text)) return position;
    position = KEY_LINE.lastIndex;
  }
}
