/**
 * The Web API's front: token, rate, scopes, arguments; then the method.
 *
 * @see https://docs.slack.dev/apis/web-api/
 */
import type { App } from '../app.ts';
import { isObject, type Json, parseJson } from '../json.ts';
import { problemsError, RateLimited, SlackError } from '../slack-error.ts';
import { TIERS } from '../tiers.ts';
import type { World } from '../world.ts';
import { apps } from './apps.ts';
import { chat } from './chat.ts';
import { conversations } from './conversations.ts';
import { type Kind, type Method, missingScope } from './method.ts';
import { reactions } from './reactions.ts';
import { users } from './users.ts';
import { views } from './views.ts';

export interface Request {
  method: string;
  contentType: string;
  authorization: string | undefined;
  body: string;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Json;
  /** For the record. */
  args: Json;
}

export class WebApi {
  readonly #world: World;
  readonly #methods: Record<string, Method>;

  constructor(world: World, newSocketUrl: (app: App) => string) {
    this.#world = world;
    this.#methods = { ...apps(newSocketUrl), ...chat, ...conversations, ...users, ...views, ...reactions };
  }

  /** Never throws for what a client can do wrong. */
  handle(request: Request): Answer {
    const answer: Answer = { status: 200, headers: {}, body: {}, args: {} };
    try {
      answer.body = { ok: true, ...this.#run(request, answer) };
    } catch (error) {
      if (error instanceof RateLimited) {
        answer.status = 429;
        answer.headers['retry-after'] = String(error.retryAfter);
        answer.body = { ok: false, error: 'ratelimited' };
      } else if (error instanceof SlackError) {
        answer.body = { ok: false, error: error.code, ...error.details };
      } else throw error;
    }
    return answer;
  }

  #run(request: Request, answer: Answer): Json {
    const method = this.#methods[request.method];
    if (method === undefined) throw new SlackError('unknown_method', { req_method: request.method });
    const form = readBody(request);
    answer.args = form.args;
    const app = this.#authenticate(method, request.authorization, form);
    const scopes = method.token === 'app' ? (app.seed.appScopes ?? ['connections:write']) : app.seed.scopes;
    answer.headers['x-oauth-scopes'] = scopes.join(',');
    answer.headers['x-accepted-oauth-scopes'] = method.scopes.join(',');
    this.#world.tiers.take(`${app.id}/${request.method}`, TIERS[method.tier]);
    if (method.scopes.length > 0 && !method.scopes.some((scope) => scopes.includes(scope))) {
      throw missingScope(method.scopes.join(','), scopes);
    }
    answer.args = checkedArgs(method, form);
    return method.run({ world: this.#world, app, args: answer.args });
  }

  /** A token may stand in a form, not in a JSON body; an app-level token in the header alone. */
  #authenticate(method: Method, authorization: string | undefined, form: Body): App {
    const bearer = /^Bearer (.+)$/.exec(authorization ?? '')?.[1];
    const token = bearer ?? (form.isJson || method.token === 'app' ? undefined : form.args.token);
    delete form.args.token;
    if (token === undefined) throw new SlackError('not_authed');
    const app = this.#world.apps.find((one) => one.botToken === token || one.appToken === token);
    if (app === undefined) throw new SlackError('invalid_auth');
    if (app.tokenState !== 'valid') throw new SlackError(app.tokenState);
    if (token !== (method.token === 'app' ? app.appToken : app.botToken))
      throw new SlackError('not_allowed_token_type');
    return app;
  }
}

interface Body {
  args: Json;
  isJson: boolean;
}

function readBody({ contentType, body }: Request): Body {
  const [type] = contentType.split(';');
  if (type === 'application/x-www-form-urlencoded') {
    return { args: Object.fromEntries(new URLSearchParams(body)), isJson: false };
  }
  if (type === 'application/json') {
    const value = parseJson(body);
    if (value === undefined) throw new SlackError('invalid_json');
    if (!isObject(value)) throw new SlackError('json_not_object');
    return { args: { ...value }, isJson: true };
  }
  if (body === '') return { args: {}, isJson: false };
  throw new SlackError(contentType === '' ? 'missing_post_type' : 'invalid_post_type');
}

/** The arguments in their types. What the method does not know is refused: it is a typing error as a rule. */
function checkedArgs(method: Method, { args, isJson }: Body): Json {
  const given: Json = isJson && !method.json ? {} : args;
  const kinds: Record<string, Kind> = { team_id: 'string', ...method.required, ...method.optional };
  const problems = Object.keys(method.required)
    .filter((name) => given[name] === undefined || given[name] === '')
    .map((name) => `missing required field: ${name}`);
  const checked: Json = {};
  for (const [name, value] of Object.entries(given)) {
    const kind = kinds[name];
    if (kind === undefined) {
      problems.push(`invalid additional property: ${name}`);
      continue;
    }
    const read = READ[kind](value);
    if (read === undefined) {
      if (name === 'blocks') throw new SlackError('invalid_blocks_format');
      if (name === 'metadata') throw new SlackError('invalid_metadata_format');
      problems.push(`must be of type ${kind} [json-pointer:/${name}]`);
    } else checked[name] = read;
  }
  if (problems.length > 0) throw problemsError('invalid_arguments', problems);
  return checked;
}

const READ: Record<Kind, (value: unknown) => unknown> = {
  string: (value) => (typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined),
  boolean: (value) => ({ true: true, false: false, 1: true, 0: false })[String(value)],
  integer: (value) => (/^\d{1,9}$/.test(String(value)) ? Number(value) : undefined),
  json: (value) => (typeof value === 'string' ? parseJson(value) : value),
};
