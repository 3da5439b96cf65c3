import type { ModalView, OptionGroup, PlainTextOption } from '@slack/types';

/**
 * What people do in Slack, as plain data out of its envelopes. Ids, channels and teams are Slack's own word; `text`,
 * `value`, `privateMetadata` and `values` may be anything.
 */

export interface Envelope {
  /** The workspace in which it happened. */
  readonly teamId: string;
  /** Only on Enterprise Grid. */
  readonly enterpriseId: string | undefined;
  readonly userId: string;
}

/** The bot was mentioned in a message that a person typed: not in a quote, a forwarded message or an edit. */
export interface Mention extends Envelope {
  readonly channelId: string;
  readonly ts: string;
  readonly threadTs: string | undefined;
  /** In Slack's markup, without quotes and without the mentions of the bot. */
  readonly text: string;
}

export interface Command extends Envelope {
  readonly channelId: string;
  /** For example `/deploy`. */
  readonly command: string;
  /** In Slack's markup. */
  readonly text: string;
  readonly triggerId: string;
}

/** A global shortcut: it has no channel. */
export interface Shortcut extends Envelope {
  readonly callbackId: string;
  readonly triggerId: string;
}

/** A view as the person saw it. */
export interface ViewState {
  readonly id: string;
  readonly hash: string;
  readonly callbackId: string;
  readonly privateMetadata: string;
  /** By block id, then action id. A field that is empty is missing. */
  readonly values: Readonly<Record<string, Readonly<Record<string, FieldValue>>>>;
}

/** What was typed or chosen: one value, or several of checkboxes and menus that take several. */
export type FieldValue = string | readonly string[];

/** Where a button or a menu is. */
export type Place =
  | {
      readonly kind: 'message';
      readonly channelId: string;
      readonly messageTs: string;
      readonly threadTs: string | undefined;
      readonly isEphemeral: boolean;
    }
  | { readonly kind: 'view'; readonly view: ViewState };

/** A button was clicked, or something was chosen in a menu. */
export interface Action extends Envelope {
  readonly actionId: string;
  readonly blockId: string;
  /** The button's value, or what was chosen. */
  readonly value: FieldValue | undefined;
  readonly triggerId: string;
  readonly place: Place;
}

/** A person types into a menu whose options we know. */
export interface Query extends Envelope {
  readonly actionId: string;
  readonly blockId: string;
  /** What was typed. */
  readonly value: string;
  readonly place: Place;
}

export type Suggestions =
  | { readonly options: readonly PlainTextOption[] }
  | { readonly option_groups: readonly (OptionGroup & { options: PlainTextOption[] })[] };

export interface Submission extends Envelope {
  readonly triggerId: string;
  readonly view: ViewState;
}

/**
 * What becomes of the view. Undefined closes it.
 * https://docs.slack.dev/surfaces/modals#response_actions
 */
export type ViewAnswer =
  | { readonly response_action: 'errors'; readonly errors: Readonly<Record<string, string>> }
  | { readonly response_action: 'update' | 'push'; readonly view: ModalView }
  | { readonly response_action: 'clear' }
  | undefined;

/** Slack waits 3 s for what it shows at once. So these have a budget of 1.5 s; after it, the other answer goes out. */
export interface OptionsListener {
  suggest(query: Query): Promise<Suggestions>;
  /** If `suggest` takes too long or fails. */
  late(query: Query): Suggestions;
}

export interface ViewListener {
  submit(submission: Submission): Promise<ViewAnswer>;
  /** If `submit` takes too long: "checking…". */
  late(submission: Submission): ViewAnswer;
  /** If `submit` fails. */
  failed(submission: Submission): ViewAnswer;
  /** What `submit` or `failed` said after `late` had gone out. It is shown by views.update, or not at all. */
  afterLate(submission: Submission, answer: ViewAnswer): Promise<void>;
}

/** Everything that the bot reacts to. Except for the two above, a listener is called after the acknowledgement. */
export interface Listeners {
  mention(mention: Mention): Promise<void>;
  /** Any slash command of the app. */
  command(command: Command): Promise<void>;
  /** Any global shortcut of the app. */
  shortcut(shortcut: Shortcut): Promise<void>;
  /** By action id. */
  readonly actions: Readonly<Record<string, (action: Action) => Promise<void>>>;
  /** A button or menu that is not in `actions`: of an older version, for example. */
  unknownAction(action: Action): Promise<void>;
  /** By action id. */
  readonly options: Readonly<Record<string, OptionsListener>>;
  /** By callback id. */
  readonly views: Readonly<Record<string, ViewListener>>;
}

/** What a listener was called with when it failed. */
export type Received =
  | { readonly kind: 'mention'; readonly data: Mention }
  | { readonly kind: 'command'; readonly data: Command }
  | { readonly kind: 'shortcut'; readonly data: Shortcut }
  | { readonly kind: 'action'; readonly data: Action }
  | { readonly kind: 'options'; readonly data: Query }
  | { readonly kind: 'view'; readonly data: Submission };
