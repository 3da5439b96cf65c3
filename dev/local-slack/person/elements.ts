/** Finds what a person means in blocks, and turns a choice into the element's value. */
import { elementsOf } from '../block-kit/blocks.ts';
import { optionsOf } from '../block-kit/elements.ts';
import { isObject, type Json, objects, text } from '../json.ts';
import type { Team } from '../team.ts';
import { stateField } from '../view-state.ts';

export interface Found {
  block: Json;
  element: Json;
}

const labelOf = (value: unknown): string => (isObject(value) ? text(value.text) : '');

/** By action id, block id, the button's text or the input's label. */
export function findElement(blocks: Json[], key: string): Found {
  const all = blocks.flatMap((block) => elementsOf(block).map((element) => ({ block, element })));
  const found = all.find(
    ({ block, element }) =>
      [element.action_id, block.block_id, labelOf(block.label)].includes(key) ||
      (element.type === 'button' && labelOf(element.text) === key),
  );
  if (found !== undefined) return found;
  const there = all.map(({ element }) => labelOf(element.text) || text(element.action_id));
  throw new Error(`there is no "${key}" to use; there is: ${there.join(', ') || 'nothing'}`);
}

/** The option of this text or value. */
export function optionNamed(options: Json[], name: string): Json {
  const found = options.find((option) => labelOf(option.text) === name || option.value === name);
  if (found !== undefined) return found;
  throw new Error(`"${name}" is not offered; offered are: ${options.map(({ text }) => labelOf(text)).join(', ')}`);
}

export const optionTexts = (options: Json[]): string[] => options.map((option) => labelOf(option.text));

/** The question that Slack asks before the click counts. */
export const questionOf = (element: Json): string | undefined =>
  isObject(element.confirm) ? `${labelOf(element.confirm.title)}: ${labelOf(element.confirm.text)}` : undefined;

/** The element's state after a person chose or typed this. Throws where the client would not let them. */
export function chosen(team: Team, element: Json, value: string | string[]): Json {
  const field = stateField(element);
  const single = Array.isArray(value) ? value.join() : value;
  switch (element.type) {
    case 'static_select':
    case 'radio_buttons':
      return { selected_option: optionNamed(optionsOf(element), single) };
    case 'overflow':
      return { selected_option: optionNamed(optionsOf(element), single) };
    case 'multi_static_select':
    case 'checkboxes':
      return { selected_options: severalOf(element, value) };
    case 'plain_text_input':
      if (single.length > Number(element.max_length ?? 3000)) throw new Error('longer than the field takes');
      if (element.multiline !== true && single.includes('\n')) throw new Error('the field takes one line');
      return { value: single === '' ? null : single };
    case 'users_select':
      return { selected_user: team.user(single).id };
    case 'channels_select':
    case 'conversations_select':
      return { [field ?? '']: team.channel(single).id };
    case 'datepicker':
      if (!/^\d{4}-\d{2}-\d{2}$/.test(single)) throw new Error('not a date');
      return { selected_date: single };
    case 'timepicker':
      if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(single)) throw new Error('not a time');
      return { selected_time: single };
    case 'datetimepicker':
      return { selected_date_time: Number(single) };
    default:
      throw new Error(`nothing can be chosen in ${String(element.type)} this way`);
  }
}

function severalOf(element: Json, value: string | string[]): Json[] {
  const names = Array.isArray(value) ? value : [value];
  const most = Number(element.max_selected_items ?? names.length);
  if (names.length > most) throw new Error(`the field takes ${most}`);
  return names.map((name) => optionNamed(optionsOf(element), name));
}

/** Whether a choice is sent at once: everything outside an input block, and inside with `dispatch_action`. */
export const isDispatched = ({ block }: Found): boolean => block.type !== 'input' || block.dispatch_action === true;

/** The default is 3, which surprises: a menu shows nothing before three characters. */
export const shortestQuery = (element: Json): number => Number(element.min_query_length ?? 3);

export const inputsOf = (blocks: Json[]): { block: Json; element: Json; label: string }[] =>
  objects(blocks).flatMap((block) =>
    block.type === 'input' && isObject(block.element)
      ? [{ block, element: block.element, label: labelOf(block.label) }]
      : [],
  );
