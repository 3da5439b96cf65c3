/**
 * Rules for what stands in a block: buttons, menus, inputs.
 *
 * @see https://docs.slack.dev/reference/block-kit/block-elements
 */
import { isObject, type Json, objects } from '../json.ts';
import {
  also,
  anyText,
  boolean,
  type Check,
  enumeration,
  integer,
  list,
  matching,
  object,
  plainText,
  report,
  string,
  typed,
} from './check.ts';
import { LIMITS } from './limits.ts';

const id = string(LIMITS.actionId);
const userId = matching(/^[UW][A-Z0-9]{2,20}$/, 'user id');
const channelId = matching(/^[CGD][A-Z0-9]{2,20}$/, 'conversation id');
const date = matching(/^\d{4}-\d{2}-\d{2}$/, 'date');
const time = matching(/^([01]\d|2[0-3]):[0-5]\d$/, 'time');

const confirm = object(
  {
    title: plainText(LIMITS.confirmTitle),
    text: anyText(LIMITS.confirmText),
    confirm: plainText(LIMITS.confirmButton),
    deny: plainText(LIMITS.confirmButton),
  },
  { style: enumeration('primary', 'danger') },
);

const option = (label: Check, more: Record<string, Check> = {}): Check =>
  object(
    { text: label, value: string(LIMITS.optionValue) },
    { description: plainText(LIMITS.optionDescription), ...more },
  );
const menuOption = option(plainText(LIMITS.optionText));
const listOption = option(anyText(LIMITS.optionText));

const menuOptions = list(menuOption, LIMITS.options);
const optionGroups = list(object({ label: plainText(LIMITS.optionText), options: menuOptions }), LIMITS.optionGroups);

/** What an app answers to `block_suggestion`. */
export const suggestionAnswer = also(
  object({}, { options: list(menuOption, LIMITS.options, 0), option_groups: optionGroups }),
  (value, at, problems) => oneOf(value, ['options', 'option_groups'], at, problems),
);

/** All options that a menu offers, those of its groups too. */
export const optionsOf = (menu: Json): Json[] => [
  ...objects(menu.options),
  ...objects(menu.option_groups).flatMap((group) => objects(group.options)),
];

function oneOf(value: Json, fields: string[], at: string, problems: string[]): void {
  if (fields.filter((field) => value[field] !== undefined).length !== 1) {
    report(problems, at, `must provide exactly one of: ${fields.join(', ')}`);
  }
}

/** Initial options must be among those offered, whole. */
const initialsOffered = (element: Json, at: string, problems: string[]): void => {
  const offered = new Set(optionsOf(element).map((one) => JSON.stringify([one.value, one.text])));
  const initial = isObject(element.initial_option) ? [element.initial_option] : objects(element.initial_options);
  for (const one of initial) {
    if (!offered.has(JSON.stringify([one.value, one.text]))) {
      report(problems, at, 'initial_option must be one of the provided options');
    }
  }
};

const common = { action_id: id, confirm, focus_on_load: boolean };
const menu = { ...common, placeholder: plainText(LIMITS.placeholder) };
const many = { max_selected_items: integer(1, LIMITS.options) };

const staticMenu = (more: Record<string, Check>): Check =>
  also(object({}, { ...menu, options: menuOptions, option_groups: optionGroups, ...more }), (value, at, problems) => {
    oneOf(value, ['options', 'option_groups'], at, problems);
    initialsOffered(value, at, problems);
  });

const choice = (max: number, more: Record<string, Check>): Check =>
  also(object({ options: list(listOption, max) }, { ...common, ...more }), initialsOffered);

const button = object(
  { text: plainText(LIMITS.buttonText) },
  {
    action_id: id,
    url: string(LIMITS.buttonUrl),
    value: string(LIMITS.buttonValue),
    style: enumeration('primary', 'danger'),
    confirm,
    accessibility_label: string(LIMITS.accessibilityLabel),
  },
);

const length = integer(0, LIMITS.inputLength);
const textInput = object(
  {},
  {
    ...menu,
    initial_value: string(LIMITS.inputLength, 0),
    multiline: boolean,
    min_length: length,
    max_length: integer(1, LIMITS.inputLength),
    dispatch_action_config: object({
      trigger_actions_on: list(enumeration('on_enter_pressed', 'on_character_entered'), 2),
    }),
  },
);

export const image = object({ image_url: string(LIMITS.imageUrl), alt_text: string(LIMITS.altText) });

const menus: Record<string, Check> = {
  static_select: staticMenu({ initial_option: menuOption }),
  external_select: object({}, { ...menu, min_query_length: length, initial_option: menuOption }),
  users_select: object({}, { ...menu, initial_user: userId }),
  channels_select: object({}, { ...menu, initial_channel: channelId, response_url_enabled: boolean }),
  conversations_select: object(
    {},
    {
      ...menu,
      initial_conversation: channelId,
      default_to_current_conversation: boolean,
      response_url_enabled: boolean,
      filter: object({}, { include: list(string(20), 4), exclude_bot_users: boolean }),
    },
  ),
};

const multiMenus: Record<string, Check> = {
  multi_static_select: staticMenu({ ...many, initial_options: menuOptions }),
  multi_external_select: object({}, { ...menu, ...many, min_query_length: length, initial_options: menuOptions }),
};

const choices: Record<string, Check> = {
  radio_buttons: choice(LIMITS.radioOptions, { initial_option: listOption }),
  checkboxes: choice(LIMITS.checkboxes, { initial_options: list(listOption, LIMITS.checkboxes) }),
  datepicker: object({}, { ...menu, initial_date: date }),
  timepicker: object({}, { ...menu, initial_time: time, timezone: string(100) }),
  datetimepicker: object({}, { ...common, initial_date_time: integer(1_000_000_000, 9_999_999_999) }),
};

const overflow = object(
  { options: list(option(plainText(LIMITS.optionText), { url: string(LIMITS.optionUrl) }), LIMITS.overflowOptions) },
  { action_id: id, confirm },
);

/** Elements that a section takes as its accessory. */
export const accessory = typed({ button, image, overflow, ...menus, ...multiMenus, ...choices });
/** Elements of an actions block. */
export const action = typed({ button, overflow, ...menus, ...choices });
/** Elements of an input block. */
export const input = typed({ plain_text_input: textInput, ...menus, ...multiMenus, ...choices });
