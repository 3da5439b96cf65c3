/**
 * Secrets in the arguments of programs that take them by short flags: `mysql -psecret`, `curl -u user:secret`. The
 * letter depends on the program: `-p` is a password of sshpass and a port of ssh.
 */

import { endOfValue, endWithinQuotes, isNoSecret, MARK, match, quoteBefore, redactPair } from './secret-values.ts';

interface Program {
  /** At the beginning of a word. The value is the rest of the word, or if there is none the next word. */
  readonly flag: RegExp;
  /** False: the next word is not the value. `mysql -p shop` asks for the password of the database "shop". */
  readonly next?: false;
  /** The value is a user, this separator, and the secret. */
  readonly pair?: string;
  /** Only a word after this one counts: `docker run -p` publishes a port. */
  readonly after?: string;
  /** The first word that is no flag is another program, with flags of its own. */
  readonly wraps?: true;
}

const table: [names: string, program: Program][] = [
  // Flags without a value can stand in the same word: -sSu.
  [
    'curl',
    { flag: /^(?:-[#0-46aBfgGiIjJklLnNOpqRsSvZ]{0,24}[uUE]|--(?:user|proxy-user|cert|proxy-cert)(?:=|$))/, pair: ':' },
  ],
  ['http https xh', { flag: /^(?:-a|--auth(?:=|$))/, pair: ':' }],
  ['lftp', { flag: /^-u/, pair: ',' }],
  ['smbclient rpcclient', { flag: /^(?:-U|--user(?:=|$))/, pair: '%' }],
  ['skopeo', { flag: /^--(?:src-|dest-)?creds(?:=|$)/, pair: ':' }],
  [
    'mysql mysqldump mysqladmin mysqlimport mysqlshow mysqlcheck mysqlsh mysqlbinlog mysqlpump mariadb mariadb-dump mariadb-admin mycli 7z 7za 7zz',
    { flag: /^-p/, next: false },
  ],
  ['mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat', { flag: /^-p/ }],
  ['redis-cli valkey-cli', { flag: /^-a$/ }],
  ['sqlcmd bcp osql mssql-cli mosquitto_pub mosquitto_sub ipmitool', { flag: /^-P/ }],
  ['zip unzip', { flag: /^-P$/ }],
  ['cqlsh twine rabbitmqadmin', { flag: /^-p$/ }],
  ['ldapsearch ldapadd ldapmodify ldapdelete ldapwhoami ldappasswd', { flag: /^-w/ }],
  ['plink pscp psftp', { flag: /^-pw$/ }],
  ['sshpass', { flag: /^-p/, wraps: true }],
  ['docker podman nerdctl buildah helm oras crane regctl az oc cf', { flag: /^-p/, after: 'login' }],
];
const PROGRAMS = new Map(table.flatMap(([names, program]) => names.split(' ').map((name) => [name, program] as const)));

const BEGIN = new RegExp(
  `(?<![A-Za-z0-9_.-])(?:${[...PROGRAMS.keys()].sort((a, b) => b.length - a.length).join('|')})(?:\\.exe)?(?=[\\s"'\`,])`,
  'g',
);
/** Words as a shell prints them, or a list of them as Ruby and JSON do. */
const GAP = /(?:[ \t"'`,()[\]{}]|\\\n?)+/y;
const ARGUMENT = /[^\s"'`,()[\]{}\\]+/y;
/** A pipe, another command, a redirection. */
const OPERATOR = /\||&&|^(?:&|;|\d?[<>])|;$/;
/** Between a flag and its value: `-u x`; if the flag has quotes of its own, `"-u" "x"` and `"-u", "x"`. */
const TO_VALUE = /[ \t]{1,64}(?:\\\n[ \t]{0,64})?/y;
const TO_VALUE_OF_QUOTED = /\\{0,7}["'`](?:,[ \t]{0,64}|[ \t]{1,64})/y;
const PORTS = /^\d{1,5}:\d{1,5}(?:\/\w{3})?$/;

/** The text with the secrets of such arguments replaced. Each word is read once: the search goes on after a command. */
export function redactCommands(text: string): string {
  const parts: string[] = [];
  let position = 0;
  BEGIN.lastIndex = 0;
  for (let found = BEGIN.exec(text); found !== null; found = BEGIN.exec(text)) {
    let program = programOf(found[0]) as Program;
    let isArmed = program.after === undefined;
    let at = BEGIN.lastIndex;
    for (;;) {
      const start = match(GAP, text, at);
      const end = match(ARGUMENT, text, start);
      at = end;
      if (end === start) break;
      const word = text.slice(start, end);
      const other = programOf(word);
      if (other) {
        program = other;
        isArmed = program.after === undefined;
      } else if (word.startsWith('-') && isArmed) {
        const value = argumentOf(text, start, word, program.flag.exec(word)?.[0], program.next !== false);
        if (value) {
          parts.push(text.slice(position, value.start), redacted(text.slice(value.start, value.end), program));
          position = value.end;
          at = value.end;
          continue;
        }
      } else if (!word.startsWith('-') && program.wraps) break;
      isArmed ||= word === program.after;
      const operator = OPERATOR.exec(word);
      if (operator) {
        at = start + operator.index + 1;
        break;
      }
    }
    BEGIN.lastIndex = at;
  }
  parts.push(text.slice(position));
  return parts.join('');
}

const programOf = (word: string): Program | undefined =>
  PROGRAMS.get(word.slice(word.lastIndexOf('/') + 1).replace(/\.exe$/, ''));

type Range = { start: number; end: number };

function argumentOf(
  text: string,
  at: number,
  word: string,
  flag: string | undefined,
  next: boolean,
): Range | undefined {
  if (flag === undefined) return undefined;
  const start = at + flag.length;
  const around = quoteBefore(text, at);
  const isGlued = word.length > flag.length || flag.endsWith('=');
  if (isGlued && around) return { start, end: endWithinQuotes(text, start, around.quote, around.backslashes) };
  if (isGlued || (!around && /["'`]/.test(text.charAt(start)))) return { start, end: endOfValue(text, start) };
  if (!next) return undefined;
  const value = match(around ? TO_VALUE_OF_QUOTED : TO_VALUE, text, start);
  if (value === start || /^-[A-Za-z-]/.test(text.slice(value, value + 2))) return undefined;
  const end = endOfValue(text, value);
  return end === value ? undefined : { start: value, end };
}

function redacted(value: string, { pair }: Program): string {
  if (pair === undefined) return isNoSecret(value) || PORTS.test(value) ? value : MARK;
  const opening = /^\\{0,7}["'`]/.exec(value)?.[0] ?? '';
  const closing = /["'`]/.test(value.at(-1) ?? '') && value.length > opening.length ? value.slice(-1) : '';
  const inner = value.slice(opening.length, value.length - closing.length);
  const middle = inner.indexOf(pair);
  if (middle === -1) return value;
  return opening + redactPair(inner.slice(0, middle), pair, inner.slice(middle + 1)) + closing;
}
